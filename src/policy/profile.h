/* SPDX-License-Identifier: ISC */
/*
 * What is remembered of how an account sends, so that a thief is told from its owner: counts of the
 * last 30 days, of the last day and hour, the networks and programs it sends from, whom it has
 * written to. Everything bounded; no address is kept, only keyed hashes.
 *
 * Memory: sizeof(struct profile), 2,400 bytes, for an account that sends at the moment, and some
 * 7 bytes for each recipient it has written to within a year (policy/known.h). At rest, packed by
 * profile_pack(), some 500 bytes and 4 for each recipient.
 *
 * Pure: time is an argument, seconds of the wall clock. One that goes back counts as standing
 * still. Only profile_delivered() and profile_unpack() may take memory.
 */
#ifndef GP_POLICY_PROFILE_H
#define GP_POLICY_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"
#include "counter/tally.h"
#include "policy/known.h"
#include "policy/sending.h"

enum {
	PROFILE_DAYS = 31, /* today and the 30 of the habit */
	PROFILE_PLACES = 24,
	PROFILE_CLIENTS = 8,
	PROFILE_TRIED = 128, /* strangers tried of late that do not count again */
	PROFILE_SENDERS = 8, /* forged ones */
	PROFILE_BODIES = 4,
	PROFILE_PACKED_MAX = 72 * 1024, /* bytes of profile_pack() */
};

/* The sums of the last hour and day. */
#define PROFILE_TALLY_LIST(X)             \
	X(RECIPIENTS_HOUR, TALLY_HOUR)    \
	X(RECIPIENTS_DAY, TALLY_DAY)      \
	X(STRANGERS, TALLY_DAY)           \
	X(STRANGERS_ELSEWHERE, TALLY_DAY) \
	X(KNOWN_ELSEWHERE, TALLY_DAY)     \
	X(UNKNOWN, TALLY_DAY)             \
	X(SPAM, TALLY_DAY)                \
	X(FILTER_BAD, TALLY_DAY)          \
	X(FILTER_DOUBTFUL, TALLY_DAY)     \
	X(FORGED, TALLY_DAY)              \
	X(LIMIT, TALLY_HOUR)              \
	X(INSISTED, TALLY_DAY)

enum profile_tally {
#define PROFILE_TALLY_ENUM(id, window) PROFILE_##id,
	PROFILE_TALLY_LIST(PROFILE_TALLY_ENUM)
#undef PROFILE_TALLY_ENUM
	PROFILE_TALLY_MAX
};

struct profile_day {
	uint32_t day; /* since 1970; 0: unused */
	uint32_t recipients;
	uint32_t strangers;
	uint32_t hour; /* recipients of its busiest hour */
};

/* A neighbourhood: an IPv4 /16 or an IPv6 /32. Providers move people about within these. */
struct profile_place {
	uint32_t tag;        /* 0: unused */
	uint32_t first_hour; /* since 1970 */
	uint32_t last_hour;
	uint16_t country; /* 0: not known */
};

struct profile_client {
	uint32_t tag; /* 0: unused */
	uint32_t first_hour;
	uint32_t last_hour;
};

struct profile_body {
	uint32_t tag; /* 0: unused */
	uint32_t strangers;
	int64_t first_at;
};

/* All zero: an account of which nothing is known yet. */
struct profile {
	int64_t first_at; /* first try of all; 0: none yet */
	int64_t passed_at;
	int64_t asked_at; /* 0: no answer of the owner is awaited */
	struct tally tallies[PROFILE_TALLY_MAX];
	struct profile_day days[PROFILE_DAYS]; /* of day n in n % PROFILE_DAYS */
	struct profile_place places[PROFILE_PLACES];
	struct profile_client clients[PROFILE_CLIENTS];
	struct profile_body bodies[PROFILE_BODIES];
	uint16_t hours[24]; /* recipients by hour of the day, UTC; halved when one is full */
	uint32_t tried[PROFILE_TRIED];
	uint32_t tried_next;
	uint32_t senders[PROFILE_SENDERS];
	uint32_t senders_next;
	struct known known;
};

/* Of an address, a program's name or a body, under a key that stays as long as the profiles do:
 * ASCII case is ignored. Never 0. */
uint32_t profile_tag(const uint64_t key[2], struct slice text);

/* A recipient asked for. */
struct profile_try {
	uint32_t recipient;  /* profile_tag() */
	uint32_t client;     /* of its name; 0: it said none */
	struct ip source;    /* IP_NONE: nobody knows */
	uint16_t country;    /* two letters of ISO 3166 as a number; 0: nobody knows */
	bool is_known_place; /* known by other means: trusted, or signed in from for long */
};

/* Owner: whoever embeds it. Frees what it holds; all zero again. */
void profile_fini(struct profile *profile);

/* The facts, were this recipient let through now. Changes nothing. */
void profile_look(const struct profile *profile, const struct sending_policy *policy,
	const struct profile_try *try, int64_t now, struct sending_facts *ret_facts);
/* The same of one that was let through already, and is in the counts. */
void profile_look_again(const struct profile *profile, const struct sending_policy *policy,
	const struct profile_try *try, int64_t now, struct sending_facts *ret_facts);
/* Was it written to before? */
bool profile_is_stranger(const struct profile *profile, uint32_t recipient, int64_t now);
/* What came of it. facts: as profile_look() gave them. */
void profile_note(struct profile *profile, const struct profile_try *try,
	const struct sending_facts *facts, enum sending_outcome outcome, int64_t now);

/* The next hop has taken the message for this recipient. */
void profile_delivered(struct profile *profile, const struct profile_try *try, int64_t now);
/* The next hop does not know this recipient; only strangers count, for known addresses die. Does it
 * count? */
bool profile_refused_unknown(struct profile *profile, uint32_t recipient, int64_t now);
/* Of the message as a whole. */
void profile_refused_spam(struct profile *profile, int64_t now);
void profile_filtered(struct profile *profile, bool is_bad, int64_t now);
/* body: profile_tag() of a fingerprint; strangers: how many of its recipients were. */
void profile_sent_body(struct profile *profile, uint32_t body, unsigned strangers, int64_t now);
/* A sender address that is not the account's was tried; each counts once. Does it count? */
bool profile_forged(struct profile *profile, uint32_t sender, int64_t now);
/* A try beyond a limit. */
void profile_limited(struct profile *profile, int64_t now);

/* An answer of the owner is awaited from now on. */
void profile_ask(struct profile *profile, int64_t now);
/* The owner says that it was him: what he sends from is known, suspicions are forgotten. */
void profile_confirm(struct profile *profile, int64_t now);

/* When what is suspected now began, as far as networks tell: the first use, within a day, of one
 * that is not known. now: there is none. */
int64_t profile_began(
	const struct profile *profile, const struct sending_policy *policy, int64_t now);

/* It was not the owner, who has locked the thief out: suspicions are forgotten, and so is what was
 * learned since then: networks and programs that are not known yet, the volume of these days. */
void profile_forgive(
	struct profile *profile, const struct sending_policy *policy, int64_t since, int64_t now);

/* For the store: at most PROFILE_PACKED_MAX bytes.
 * Malformed: GP_ERR_SYNTAX, and *ret_profile is untouched. */
enum gp_err profile_pack(const struct profile *profile, struct buf *out) GP_CHECKED;
enum gp_err profile_unpack(struct slice packed, struct profile *ret_profile) GP_CHECKED;
/* What it takes in memory now. */
size_t profile_bytes(const struct profile *profile);

#endif
