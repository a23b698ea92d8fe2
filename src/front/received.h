/* SPDX-License-Identifier: ISC */
/*
 * Our own trace line (RFC 5321 section 4.4), put in front of a message whose next hop was not told
 * the client's identity. It names the client's address and the session, never the account. Pure.
 */
#ifndef GP_FRONT_RECEIVED_H
#define GP_FRONT_RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"

enum {
	RECEIVED_MAX = 1200 /* bytes of the longest line, folded */
};

struct received {
	struct slice helo; /* as the client said it; anything but a domain or literal: "unknown" */
	const struct ip *client;
	const char *hostname;
	bool is_esmtp;
	bool is_tls;
	bool is_signed_in;
	bool is_utf8; /* SMTPUTF8 was asked for: RFC 6531 section 4.3 */
	uint64_t session;
	struct slice recipient; /* the only one; "" if there are several */
	int64_t date;           /* clock_wall() */
};

/* Is SMTPUTF8 among the parameters of MAIL? */
bool received_is_utf8(struct slice params);
enum gp_err received_append(struct buf *out, const struct received *received) GP_CHECKED;

#endif
