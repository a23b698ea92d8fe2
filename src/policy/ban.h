/* SPDX-License-Identifier: ISC */
/*
 * Auto-ban, the decisions: who may be banned at all, when a ban is set and for how long, and what
 * is left of one that was kept in the store. Pure: facts in, answer out. Process: core.
 */
#ifndef GP_POLICY_BAN_H
#define GP_POLICY_BAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/terms.h"
#include "config/config.h"
#include "counter/counter.h"

enum {
	BAN_MINUTES_MAX = 5256000, /* ten years: longest ban by hand */
	/* One secret that fails on so many names within the span is being tried through all of
	 * them: from then on each failure with it weighs more. */
	BAN_SPRAY_NAMES = 20,
	BAN_SPRAY_WINDOW_MS = 60 * 60 * 1000,
	BAN_SPRAY_WEIGHT = 5,
};

/* Why a ban was set, as the store keeps it and people read it; any other words are somebody's own.
 */
#define BAN_REASON_LIST(X)                                  \
	X(FAILURES, "failures", "too many failed sign-ins") \
	X(HAND, "hand", "banned by hand")                   \
	X(AGAIN, "again", "failed on another account after the ban was lifted")

enum ban_reason {
#define BAN_REASON_ENUM(id, code, words) BAN_REASON_##id,
	BAN_REASON_LIST(BAN_REASON_ENUM)
#undef BAN_REASON_ENUM
	BAN_REASONS
};
const char *ban_reason_words(enum ban_reason reason);
/* For programs; "" for somebody's own words. */
const char *ban_reason_code(struct slice words);

/* The part of the configuration that concerns bans, made ready. Owner: whoever made it. */
struct ban_policy;

/* Copies what it needs. A backend that is configured by host name gives no exempt address: core
 * resolves no names; such an address can stand in autoban_exempt. */
struct ban_policy *ban_policy_new(const struct config *config);
void ban_policy_free(struct ban_policy **ppolicy);

/*
 * Is this source never counted and never banned? In this order:
 *  - a network of autoban_exempt: yes;
 *  - loopback: yes, unless autoban_loopback;
 *  - a network of a listener's proxy_from, a backend's address: yes, because to ban it would be to
 *    ban everybody;
 *  - no address at all (a UNIX socket): yes.
 * An IPv6 source is exempt if an exempt network and its /64 have an address in common; and so is a
 * /56 or /48, which would take the exempt addresses with it.
 */
bool ban_is_exempt(const struct ban_policy *policy, const struct ip *source);
/* The same for the network of any level (base/ip.h). */
bool ban_is_exempt_net(const struct ban_policy *policy, const struct ip_net *net);

/* Limits of the window of a source, a /56 or a /48; a wider one has never fewer places. */
struct counter_limits ban_limits(
	const struct ban_policy *policy, enum ip_level level, size_t max_keys);
/* Limits of an account's window: the second axis, for guesses that come from many sources. */
struct counter_limits ban_account_limits(const struct ban_policy *policy, size_t max_keys);
/* Limits of what a banned network may still try at the portal. */
struct counter_limits ban_portal_limits(const struct ban_policy *policy, size_t max_keys);
/* What a failure weighs in its source's windows. names: on how many the secret had failed. */
unsigned ban_weight(unsigned names);

/* What becomes of an attempt when its place was asked for. Everything unexpected refuses. */
enum ban_place {
	BAN_PLACE_REFUSED,   /* no: the failures of the window have used every place */
	BAN_PLACE_TEMPORARY, /* no, and it is our own fault */
	BAN_PLACE_WAIT,      /* not yet: other checks of the source are under way */
	BAN_PLACE_FREE,
};

enum ban_place ban_place(const struct counter_result *result);

/* What a counted failure leads to. */
struct ban_step {
	enum verdict verdict; /* VERDICT_DENY or VERDICT_DENY_BANNED */
	int64_t ban_ms;       /* 0: none */
};

/* result: of the commit. is_banned: somebody banned the source in the meantime. */
struct ban_step ban_after_failure(
	const struct ban_policy *policy, const struct counter_result *result, bool is_banned);

/*
 * Times from the store are of the wall clock, which may have been moved since. What is left of a
 * ban in ms, at most its whole length (clock set back), 0 when it is over. map_left: what the
 * shared ban map, which outlives core and runs on the steady clock, says of it; it wins where it
 * knows the source.
 */
int64_t ban_left(int64_t set_at, int64_t until, int64_t now, int64_t map_left);
/* Age in ms of a failure, 0 if it lies in the future. */
int64_t ban_failure_age(int64_t at, int64_t now);

#endif
