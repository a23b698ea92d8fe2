/* SPDX-License-Identifier: ISC */
/*
 * Who may open an account again that was stopped from sending. A thief who holds the password can
 * do all that the password can; so what opens it is a proof that the leak lacks. Pure.
 *
 * A source that took part in the abuse, or was first seen for the account after it began, needs one
 * of the proofs; any other is trusted and needs none. What a thief could have put there himself
 * proves nothing: a recovery address counts only if it was there RELEASE_SETTLED before the abuse
 * began, recovery codes if they were made before.
 *
 * With release_proof = known even a thief who tried the password a day ahead gets nowhere: a source
 * is trusted only if it was seen RELEASE_KNOWN before, and the codes must be as old as the address.
 * With release_proof = password a No needs no proof.
 */
#ifndef GP_POLICY_RELEASE_H
#define GP_POLICY_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "config/config.h"

enum {
	RELEASE_KNOWN = 14 * 24 * 60 * 60,  /* s */
	RELEASE_SETTLED = 72 * 60 * 60,     /* s */
	RELEASE_REPEAT = 30 * 24 * 60 * 60, /* s after a block in which a second one is for staff */
};

#define RELEASE_PROOF_LIST(X)                                                           \
	X(ADDRESS, "address")   /* a code, or a link, mailed to the recovery address */ \
	X(RECOVERY, "recovery") /* a recovery code */                                   \
	X(PANEL, "panel")       /* a code that the hosting panel showed its customer */

enum release_proof {
#define RELEASE_PROOF_ENUM(id, name) RELEASE_PROOF_##id,
	RELEASE_PROOF_LIST(RELEASE_PROOF_ENUM)
#undef RELEASE_PROOF_ENUM
	RELEASE_PROOFS
};
const char *release_proof_name(enum release_proof proof);
/* RELEASE_PROOFS if there is none. */
enum release_proof release_proof_by_name(struct slice name);

enum release_answer {
	RELEASE_NO,  /* it was not me: a new password, then 2FA anew */
	RELEASE_YES, /* it was me */
};

/* Times are seconds since 1970, 0 for never. */
struct release_facts {
	enum config_release rule;
	bool is_for_staff; /* a second block, or the owner's Yes is staff's to judge */
	bool is_proved;    /* who asks has given a proof */
	int64_t began_at;  /* the abuse */
	/* where who asks is */
	bool source_took_part;
	int64_t source_first_at; /* first good sign-in from there */
	/* what there is to prove it by */
	int64_t address_at; /* recovery address in force since */
	int64_t codes_at;   /* the recovery codes that are left were made */
	bool is_vouched;    /* a code of the panel is waiting */
};

enum release_way {
	RELEASE_STAFF, /* only they may */
	RELEASE_PROVE, /* first a proof */
	RELEASE_GO,
};

enum release_way release_judge(const struct release_facts *facts, enum release_answer answer);
bool release_is_trusted(const struct release_facts *facts);
/* Would that be a proof? */
bool release_accepts(const struct release_facts *facts, enum release_proof proof);

#endif
