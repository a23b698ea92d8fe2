/* SPDX-License-Identifier: ISC */
/*
 * Server side of SASL PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login) for all three
 * protocols; they frame the base64, this decodes and steps.
 */
#ifndef GP_PROTO_SASL_H
#define GP_PROTO_SASL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/terms.h"

enum {
	SASL_LOGIN_MAX = 320,
	SASL_RESPONSE_MAX = 4096, /* decoded bytes of one response */
};

enum sasl_result {
	SASL_CHALLENGE, /* send sasl_challenge(), base64 as it is, and wait for a line */
	SASL_DONE,      /* login and secret are there */
	SASL_BAD,       /* malformed base64 or message: 501 */
	SASL_CANCELLED, /* "*" */
};

struct sasl {
	enum mechanism mechanism;
	unsigned step;
	struct buf login;
	struct buf secret; /* wiped by sasl_fini() */
};

/* false: mechanism (any case) is not offered; sasl is untouched. */
bool sasl_init(struct sasl *sasl, struct slice mechanism);
void sasl_fini(struct sasl *sasl);
/* has_initial: initial is the base64 initial response ("=" is an empty one). Called once. After
 * anything but SASL_CHALLENGE the exchange is over. */
enum sasl_result sasl_begin(struct sasl *sasl, bool has_initial, struct slice initial);
enum sasl_result sasl_step(struct sasl *sasl, struct slice line);
const char *sasl_challenge(const struct sasl *sasl); /* "", "VXNlcm5hbWU6", "UGFzc3dvcmQ6" */

/*
 * Whether a name and a secret, however they came, may be asked about at all: neither is empty or
 * too long (SASL_LOGIN_MAX, SECRET_MAX), the name is UTF-8 without control characters, the secret
 * has no NUL. What is not gets a syntax error and is no guess: no account can have it.
 */
bool sasl_is_login(struct slice login);
bool sasl_is_secret(struct slice secret);

#endif
