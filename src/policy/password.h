/* SPDX-License-Identifier: ISC */
/*
 * What may become a main password (NIST SP 800-63B section 5.1.1.2): long enough, not what
 * everybody chooses, not the address; no rules about kinds of characters. Bytes are taken as they
 * come, since mail programs send them so: nothing is cut, normalised or trimmed. Pure. Process:
 * vault.
 */
#ifndef GP_POLICY_PASSWORD_H
#define GP_POLICY_PASSWORD_H

#include "base/slice.h"

enum {
	PASSWORD_MIN = 8,        /* characters */
	PASSWORD_MAX = 1024,     /* bytes */
	PASSWORD_DISTINCT = 5,   /* different bytes there must be, and steps that go on no series */
	PASSWORD_SUFFIX_MAX = 4, /* digits and signs behind a common word that make it no better */
	PASSWORD_PART_MIN = 3,   /* shorter parts of an address may stand in it */
	PASSWORD_REST_MIN = 6,   /* bytes beside parts of the address */
};

enum password_fault {
	PASSWORD_GOOD,
	PASSWORD_TOO_LONG,
	PASSWORD_CONTROLS, /* control characters, or no UTF-8 */
	PASSWORD_TOO_SHORT,
	PASSWORD_SIMPLE, /* few different characters, or a series */
	PASSWORD_COMMON, /* on the list, also with another case or something short behind it */
	PASSWORD_ADDRESS,
	PASSWORD_FAULT_MAX
};

/* address: of the account, canonical. */
enum password_fault password_judge(struct slice password, struct slice address);
/* What is wrong and what would help, for people. */
const char *password_words(enum password_fault fault);
/* The same for programs: "password_short". */
const char *password_code(enum password_fault fault);

#endif
