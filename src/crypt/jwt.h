/* SPDX-License-Identifier: ISC */
/*
 * Backend tokens: JWT (RFC 7519) signed with HS256 (RFC 7518 section 3.2). A token opens one
 * mailbox, for one session, for a few seconds. Signing only: whoever checks is the backend, see
 * doc/dovecot-token.md. Process: vault.
 */
#ifndef GP_CRYPT_JWT_H
#define GP_CRYPT_JWT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	JWT_SKEW = 5, /* seconds a token is dated back, for a backend whose clock is slow */
	JWT_LIFETIME_MAX = 60,
	JWT_SIZE_MAX = 1024,
};

struct jwt_claims {
	const char *issuer; /* iss: our host name */
	struct slice
		subject;   /* sub: the mailbox's address; no control bytes, quotes, backslashes */
	uint64_t session;  /* sid, as 16 hexadecimal digits */
	int64_t now;       /* clock_wall(); iat and nbf lie JWT_SKEW before it */
	unsigned lifetime; /* seconds from now to exp, 1 to JWT_LIFETIME_MAX */
};

/* Appends the compact form. GP_ERR_SYNTAX for a subject or issuer that JSON would need to escape,
 * GP_ERR_LIMIT if it does not fit. out should be a secret buffer. */
enum gp_err jwt_sign(struct slice key, const struct jwt_claims *claims, struct buf *out) GP_CHECKED;

#endif
