/* SPDX-License-Identifier: ISC */
/*
 * Device passwords: 120 random bits as 24 base32 letters, shown as "abcd-efgh-ijkl-mnop-qrst-uvwx".
 * Spaces, hyphens and case do not matter. Kept as a keyed tag: with 120 bits nobody guesses one
 * from its tag, so no slow hash is needed, and looking one up costs microseconds. Process: core
 * asks for the form only (which lane?), vault does the rest.
 */
#ifndef GP_CRYPT_DEVICE_PASSWORD_H
#define GP_CRYPT_DEVICE_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	DEVICE_PASSWORD_LETTERS = 24,
	DEVICE_PASSWORD_TEXT_SIZE = DEVICE_PASSWORD_LETTERS + 5 + 1,
	DEVICE_PASSWORD_TAG_SIZE = 32,
};

/* Exactly 24 base32 letters of any case once spaces and hyphens are left out? Such a string is
 * checked as a device password and nothing else. */
bool device_password_is_form(struct slice text);

/* A fresh one with hyphens, lower case; the caller wipes it. */
void device_password_make(char out[static DEVICE_PASSWORD_TEXT_SIZE]);

/* HMAC-SHA-256(pepper, account id || canonical letters). text must be of the form: GP_ASSERT. */
void device_password_tag(struct slice pepper, uint64_t account, struct slice text,
	uint8_t out[static DEVICE_PASSWORD_TAG_SIZE]);

#endif
