/* SPDX-License-Identifier: ISC */
/*
 * Mail of Gatepost's own as it goes over the wire (RFC 5322, RFC 2045): plain text in the language
 * of its reader, 7 bits, marked as automatic (RFC 3834). The texts are those of portal/text,
 * "notice.KIND.subject" and "notice.KIND.body", with {names} for what differs. Pure.
 */
#ifndef GP_VAULT_LETTER_H
#define GP_VAULT_LETTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	LETTER_MAX = 14 * 1024, /* bytes of a whole letter; as a NOTICE may be long */
	LETTER_SUBJECT_MAX = 500,
};

struct letter {
	const char *kind;      /* "password_changed"; see portal/text */
	const char *language;  /* "de"; one that is not there is English */
	json_t *values;        /* object of strings, or arrays of them: what stands for the
				* {names}, a time to the minute; others are empty */
	const char *from;      /* address */
	const char *recipient; /* address */
	const char *hostname;  /* right side of the Message-ID */
	uint64_t id;           /* unlike that of any other letter of this hostname */
	int64_t at;
};

bool letter_has_kind(const char *kind);
/* Appends it to out. GP_ERR_NOT_FOUND: no such kind; GP_ERR_LIMIT: longer than out may be. */
enum gp_err letter_write(const struct letter *letter, struct buf *out) GP_CHECKED;

#endif
