/* SPDX-License-Identifier: ISC */
/*
 * A configuration profile for iPhone, iPad and Mac (Apple's property list, payload
 * com.apple.mail.managed): one mail account, ready with its device password, so that nothing is
 * typed. Pure; it is signed elsewhere (crypt/cms.h).
 */
#ifndef GP_SETUP_PROFILE_H
#define GP_SETUP_PROFILE_H

#include <stdint.h>

#include "base/buf.h"
#include "setup/offer.h"

enum {
	PROFILE_MAX = 16 * 1024,
	PROFILE_ID_SIZE = 16,
};

struct profile_facts {
	const struct offers *offers;
	struct slice address;  /* the login, and what mail is sent from */
	struct slice password; /* a device password */
	/* Random; a version 4 UUID is made of each (RFC 9562). */
	const uint8_t *profile_id; /* PROFILE_ID_SIZE bytes */
	const uint8_t *account_id;
};

/* GP_ERR_NOT_FOUND: no mailbox can be read here, or nothing sent; GP_ERR_LIMIT. out is a secret
 * buffer. */
enum gp_err profile_write(const struct profile_facts *facts, struct buf *out) GP_CHECKED;

#endif
