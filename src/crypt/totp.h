/* SPDX-License-Identifier: ISC */
/*
 * Time-based one-time passwords (RFC 6238) as authenticator programs make them: SHA-1, 6 digits, a
 * new one each 30 seconds. The clock of a telephone may be a step off in either direction. Process:
 * vault.
 */
#ifndef GP_CRYPT_TOTP_H
#define GP_CRYPT_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	TOTP_SECRET_SIZE = 20, /* RFC 4226 section 4, R6: 160 bits */
	TOTP_DIGITS = 6,
	TOTP_CODE_SIZE = TOTP_DIGITS + 1,
	TOTP_STEP = 30,     /* s */
	TOTP_DRIFT = 1,     /* steps a telephone may be off */
	TOTP_TEXT_MAX = 39, /* 32 base32 letters in groups of four, without NUL */
	TOTP_NAME_MAX = 96, /* bytes of issuer and account in the URI, percent-encoded each */
	TOTP_URI_MAX = 360, /* its longest, with both names cut */
};

/* Once per process, before the sandbox closes. */
enum gp_err totp_setup(void) GP_CHECKED;

/* The number of the 30 seconds in which wall_s lies; >= 1 for every time after 1970-01-01. */
uint64_t totp_step(int64_t wall_s);
/* The code of a step. */
enum gp_err totp_code(const uint8_t secret[static TOTP_SECRET_SIZE], uint64_t step,
	char out[static TOTP_CODE_SIZE]) GP_CHECKED;

/* Exactly six digits once spaces and hyphens are left out? */
bool totp_is_form(struct slice text);
/*
 * Is text the code of a step around wall_s that is newer than `used`? *ret_step is that step, 0 if
 * it is not: a step is good once, and a clock that was set back makes none good again. Takes the
 * same time for every text of the form.
 */
enum gp_err totp_match(const uint8_t secret[static TOTP_SECRET_SIZE], struct slice text,
	int64_t wall_s, uint64_t used, uint64_t *ret_step) GP_CHECKED;

/* For typing into a telephone: base32 in groups of four. */
enum gp_err totp_format_secret(
	const uint8_t secret[static TOTP_SECRET_SIZE], struct buf *out) GP_CHECKED;
/*
 * What the QR code says, in the form that Google Authenticator defined and others read:
 * otpauth://totp/ISSUER:ACCOUNT?secret=BASE32&issuer=ISSUER. Algorithm, digits and period are left
 * out: they are what every program assumes. Names that are too long are cut at a whole character.
 */
enum gp_err totp_format_uri(const uint8_t secret[static TOTP_SECRET_SIZE], struct slice issuer,
	struct slice account, struct buf *out) GP_CHECKED;

#endif
