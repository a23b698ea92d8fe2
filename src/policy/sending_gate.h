/* SPDX-License-Identifier: ISC */
/*
 * What core calls while a signed-in account sends: one call for each recipient, which takes no
 * memory. It puts the account's profile, the judgement and the limits together. Pure.
 *
 *	MAIL            sending_identity_is_own(); if not: profile_forged(), 553
 *	                an account that is blocked: 554, before any of this
 *	                sending_gate_size(): 552
 *	RCPT            sending_gate_recipient(): by answer->outcome 250, 450 or 554; what was let
 *	                through is reserved. SENDING_BLOCK: the account is blocked from now on, with
 *	                sending_explain() for its reason
 *	next hop's 250  sending_gate_delivered() for each recipient that the hop has taken
 *	else            sending_gate_returned() for each: refused, DATA failed, RSET, session lost;
 *	                profile_refused_unknown() or profile_refused_spam() where the hop said so
 *	end of data     sending_gate_message(), if the filter thinks ill of it: else 450 or 554
 *	                profile_sent_body()
 *
 * The try of a recipient must live until it is delivered or returned; core keeps it with the
 * transaction. It holds no address.
 */
#ifndef GP_POLICY_SENDING_GATE_H
#define GP_POLICY_SENDING_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/profile.h"
#include "policy/sending.h"
#include "policy/sending_limit.h"
#include "policy/sending_part.h"

/* All borrowed. */
struct sending_sender {
	struct profile *profile;
	struct sending_scope scopes[SENDING_SCOPES];
	struct sending_part *part; /* of its source; NULL: nobody counts that */
};

struct sending_answer {
	enum sending_outcome outcome;   /* what is done; PASS: reserved */
	struct sending_verdict verdict; /* what was judged, whatever the mode */
	bool is_limited;                /* SLOW because of a limit, see shortage */
	struct sending_shortage shortage;
	struct sending_amount amount; /* what was reserved */
};

/* is_first: of its message. With mode off nothing is judged or learned, and limits hold. */
void sending_gate_recipient(const struct sending_policy *policy,
	const struct sending_sender *sender, const struct profile_try *try, bool is_first,
	int64_t now, struct sending_answer *ret_answer);

/* The whole message is there and the filter doubts or condemns it: may it go on to its recipients?
 * try: of the last of them. SENDING_PASS, _ASK or _BLOCK. */
void sending_gate_message(const struct sending_policy *policy, const struct sending_sender *sender,
	const struct profile_try *try, bool is_bad, int64_t now, struct sending_answer *ret_answer);

void sending_gate_delivered(const struct sending_policy *policy,
	const struct sending_sender *sender, const struct profile_try *try,
	const struct sending_amount *amount, int64_t now);
void sending_gate_returned(
	const struct sending_sender *sender, const struct sending_amount *amount);

/* The least of the plans' message_size that are set, and most; bytes. */
uint64_t sending_gate_size(const struct sending_scope scopes[static SENDING_SCOPES], uint64_t most);

/* Trusted, so that its network is known for every account? */
bool sending_gate_is_trusted(const struct sending_policy *policy, const struct ip *source);

#endif
