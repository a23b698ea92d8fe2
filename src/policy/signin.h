/* SPDX-License-Identifier: ISC */
/*
 * Sign-in, the decisions: which account a typed name means, and what an answer of the vault is
 * worth. Pure: facts in, answer out. Process: core (and whoever stores names: signin_domain()).
 *
 * The canonical name is what windows, tags, events and the store compare. One account has one:
 *  - blanks around it are dropped; UTF-8 only, no control character;
 *  - the local part in lower case; beyond ASCII mapped as UTS 46 does (case folded, NFC), so that
 *    both ways to write an umlaut are one; at most 64 bytes;
 *  - the domain as signin_domain() makes it;
 *  - `user%domain` is user@domain where no @ is there;
 *  - a name without domain gets that of the server name asked for in TLS, if it is an own domain or
 *    a host alias; else the listener's default_domain; else the global one;
 *  - a host alias is replaced by the domain it stands for.
 */
#ifndef GP_POLICY_SIGNIN_H
#define GP_POLICY_SIGNIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/terms.h"

enum {
	SIGNIN_LOCAL_MAX = 64,
	SIGNIN_DOMAIN_MAX = 255,
	SIGNIN_DOMAIN_SIZE = SIGNIN_DOMAIN_MAX + 1,
	SIGNIN_LOGIN_MAX = SIGNIN_LOCAL_MAX + 1 + SIGNIN_DOMAIN_MAX, /* 320 */
	SIGNIN_LOGIN_SIZE = SIGNIN_LOGIN_MAX + 1,
	SIGNIN_TAG_SIZE = 16,
	SIGNIN_TAG_KEY_SIZE = 32,
};

/* What the own domains say of a name in canonical form. */
enum signin_domain_kind {
	SIGNIN_DOMAIN_FOREIGN,
	SIGNIN_DOMAIN_OWN,
	SIGNIN_DOMAIN_ALIAS, /* *ret_target: the domain it stands for, borrowed */
};

struct signin_names {
	struct slice sni;              /* "" if none was asked for */
	struct slice listener_default; /* "" if none */
	struct slice global_default;   /* "" if none */
	enum signin_domain_kind (*find)(void *owner, struct slice domain, struct slice *ret_target);
	void *owner;
};

/*
 * The canonical form of a domain: lower case, A-labels (RFC 5890; U-labels are converted, UTS 46
 * non-transitional), without the dot at the end; letters, digits, hyphens and underscores, no empty
 * label, none longer than 63. false if it cannot be one.
 */
bool signin_domain(struct slice typed, char out[static SIGNIN_DOMAIN_SIZE]);

/* "alice@example.test" for what was typed. false: no account can have such a name; out is then "".
 */
bool signin_canonical(
	struct slice typed, const struct signin_names *names, char out[static SIGNIN_LOGIN_SIZE]);

/* What an answer of the vault is worth. */
struct signin_judgement {
	enum verdict verdict; /* VERDICT_OK, VERDICT_DENY or VERDICT_TEMPORARY */
	bool is_failure;      /* counts in the window */
};

/*
 * is_known: the account has signed in from this source of late. REASON_TWOFACTOR counts like a
 * wrong password where it is not: the main password is not what opens mail then, and whoever holds
 * it and nothing else is more likely its thief; from a known source it is the owner's forgotten
 * mail program. REASON_UNCHECKED counts like any failure, so that nobody sees that there was no
 * check. REASON_DEVICE_SCOPE does not: the secret was right, and 120 random bits are not found by
 * guessing. What a vault must not answer is our own fault.
 */
struct signin_judgement signin_judge(enum reason reason, bool is_known);

/* Keyed tag of a guess, by which a repeat of it is known. source: text or bytes of the source. */
void signin_tag(const unsigned char key[static SIGNIN_TAG_KEY_SIZE], struct slice source,
	struct slice login, struct slice secret, unsigned char out[static SIGNIN_TAG_SIZE]);

#endif
