/* SPDX-License-Identifier: ISC */
/*
 * What core knows of one source (base/ip.h) while it has a session or a sign-in under way: its
 * sessions and the attempts that wait for a place, in order of arrival. What must be remembered
 * longer stands elsewhere: failures in the windows, bans in bans.h. Also the windows themselves.
 */
#ifndef GP_CORE_SOURCE_H
#define GP_CORE_SOURCE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/map.h"
#include "counter/counter.h"
#include "counter/repeats.h"
#include "policy/signin.h"

enum {
	WINDOW_KEYS_MAX = 65536,     /* sources with failures, in each of IPv4 and IPv6 */
	WINDOW_NAMES_MAX = 16384,    /* names that are no account's */
	REPEATS_TAGS_MAX = 65536,    /* wrong guesses that are known again */
	NOTES_PER_SOURCE = 10,       /* events that count nothing, per source ... */
	NOTES_WINDOW_MS = 60 * 1000, /* ... and this span */
};

struct core;
struct session;
struct attempt;

TAILQ_HEAD(session_list, session);
TAILQ_HEAD(attempt_list, attempt);

struct source {
	struct map_node node;
	struct ip ip; /* the key too */
	struct session_list sessions;
	struct attempt_list waiting; /* for a place, oldest first */
	unsigned waiting_count;
	unsigned holds;   /* sessions, attempts and callers that need it to stay */
	bool is_waking;   /* signin_wake() is at work on it */
	uint64_t penalty; /* the crash it was penalised for last */
};

struct sources {
	struct map by_ip;
};

/* IPv4 and each level of IPv6 have tables of their own: a flood of fresh IPv6 networks pushes no
 * IPv4 source out; and so have accounts and names that are nobody's, which are treated like
 * accounts so that nobody can tell them apart. */
struct windows {
	struct counter *v4;
	struct counter *v6[IP_LEVELS];
	struct counter *accounts;
	struct counter *names;
	struct counter *portal; /* of banned networks, at the portal */
	struct counter *notes;
	struct repeats *repeats; /* of one source */
	struct repeats *guesses; /* at one account */
	unsigned char tag_key[SIGNIN_TAG_KEY_SIZE];
};

void source_init(struct core *core);
void source_fini(struct core *core);
/* New limits after the configuration changed. */
void source_configure(struct core *core);

struct source *source_find(struct core *core, const struct ip *ip);
/* Finds or makes it, and holds it; each hold ends with source_drop(). ip: any address of it. */
struct source *source_hold(struct core *core, const struct ip *ip);
void source_drop(struct core *core, struct source *source);

struct slice source_key(const struct ip *source);
/* The window of a level; its keys are source_key() of the level's network. */
struct counter *source_window(struct core *core, const struct ip *ip, enum ip_level level);
/* Empties all windows, before they are loaded. */
void source_clear_windows(struct core *core);
void source_sweep(struct core *core);
/* May one more event that counts nothing be kept for this source? Uses it up. */
bool source_may_note(struct core *core, const struct ip *source);

#endif
