/* SPDX-License-Identifier: ISC */
/*
 * Is what an account sends its owner's, or a thief's? Facts in, verdict out: points for each reason
 * of one table, their sum against thresholds of the configuration. Every verdict carries its
 * reasons, so that the owner, staff and the log see the same sum. Pure; nothing here allocates.
 *
 * Two kinds of reason. What is merely unusual (a new network, much mail, a night) can ask the owner
 * and slow him down, but never block: a block needs sending_proof points of weighty reasons, which
 * honest use hardly gives (strangers written to from a network never seen, recipients that do not
 * exist, forged senders, ...). So a newsletter ten times its size is asked about, not blocked.
 *
 * Process: core, through policy/sending_gate.h, which is one call for each recipient; and
 * `gatepost sending replay`.
 */
#ifndef GP_POLICY_SENDING_H
#define GP_POLICY_SENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum {
	SENDING_TEXT_SIZE = 1024, /* longest text of sending_explain(), with its NUL */
};

/* Name (in the store, JSON and points_NAME of the configuration); is it weighty; the most it gives;
 * words. */
#define SENDING_REASON_LIST(X)                                                        \
	X(STRANGERS, strangers, false, 70, "many first-time recipients")              \
	X(HOUR, hour, false, 20, "many recipients within an hour")                    \
	X(DAY, day, false, 15, "many recipients within a day")                        \
	X(SHARE, share, false, 10, "mostly first-time recipients")                    \
	X(ELSEWHERE, elsewhere, true, 90, "first-time recipients from a new network") \
	X(CONTACTS, contacts, false, 30, "known recipients from a new network")       \
	X(NETWORKS, networks, true, 60, "many new networks")                          \
	X(COUNTRIES, countries, false, 30, "several countries")                       \
	X(NETWORK, network, false, 1000, "a new network")                             \
	X(CLIENT, client, false, 1000, "a new device or program")                     \
	X(NIGHT, night, false, 1000, "an unusual hour")                               \
	X(UNKNOWN, unknown, true, 60, "recipients that do not exist")                 \
	X(SPAM, spam, true, 75, "refused as spam")                                    \
	X(FILTER, filter, true, 60, "condemned by the spam filter")                   \
	X(FORGED, forged, true, 60, "forged sender addresses")                        \
	X(BODY, body, false, 30, "one message to many first-time recipients")         \
	X(LIMIT, limit, false, 20, "went on beyond a limit")                          \
	X(INSIST, insist, true, 60, "went on with first-time recipients while the owner was asked")

enum sending_reason {
#define SENDING_ENUM(id, name, is_weighty, cap, words) SENDING_##id,
	SENDING_REASON_LIST(SENDING_ENUM)
#undef SENDING_ENUM
	SENDING_REASON_MAX
};

const char *sending_reason_name(enum sending_reason reason);
const char *sending_reason_words(enum sending_reason reason);
bool sending_reason_is_weighty(enum sending_reason reason);

/* What becomes of a recipient. The zero value is the safe one. */
enum sending_outcome {
	SENDING_BLOCK, /* 554, and so for all that follows until the account is released */
	SENDING_ASK,   /* 450 until the owner has said that it is him */
	SENDING_SLOW,  /* 450: not so fast */
	SENDING_PASS,
	SENDING_OUTCOME_MAX
};
const char *sending_outcome_name(enum sending_outcome outcome);

/* The configuration's part, made ready; networks are borrowed from the configuration. */
struct sending_policy {
	enum config_sending mode;
	unsigned slow;
	unsigned ask;
	unsigned block;
	unsigned proof;
	unsigned pace; /* seconds */
	unsigned free_strangers;
	unsigned free_hour;
	unsigned free_day;
	unsigned known_days;
	unsigned learn_days;
	const struct config_nets *trusted;
	unsigned each[SENDING_REASON_MAX]; /* points_NAME */
};
void sending_policy_init(struct sending_policy *policy, const struct config *config);

/*
 * What is known when a recipient is asked for, this one included. "Day" and "hour" are the last 24
 * hours and 60 minutes; a habit is what the account's last 30 days show (policy/profile.h). All
 * zero: an account that has done nothing.
 */
struct sending_facts {
	bool is_stranger; /* never written to before */
	bool is_counted;  /* a stranger that was tried of late and is in the counts already */
	unsigned recipients_hour;
	unsigned recipients_day;
	unsigned strangers_day; /* tried, let through or not; each once */
	unsigned habit_hour;    /* busiest hours, busiest days */
	unsigned habit_day;
	unsigned habit_strangers;
	unsigned habit_share;         /* strangers of all recipients, in percent */
	unsigned strangers_elsewhere; /* of the day, from networks that are not known */
	unsigned known_elsewhere;
	unsigned new_networks; /* within a day */
	unsigned countries;    /* within a day; 0: nobody knows */
	bool is_new_network;
	bool is_new_client;
	bool is_unusual_hour;
	unsigned refused_unknown; /* strangers that the next hop does not know, of the day */
	unsigned refused_spam;    /* messages of the day that the next hop refused as spam */
	unsigned filter_bad;      /* messages of the day that the filter condemned */
	unsigned filter_doubtful;
	unsigned forged; /* different sender addresses that are not the account's, of the day */
	unsigned body_strangers; /* of the day who got one and the same message */
	unsigned limit_tries;    /* beyond a limit, within the hour */
	unsigned insisted;       /* strangers tried while asked, of the day */
	bool is_asked;           /* an answer of the owner is awaited */
	int64_t since_last;      /* seconds since the last recipient that passed */
};

struct sending_verdict {
	enum sending_outcome outcome;
	unsigned sum;
	unsigned weighty; /* the part of it that weighty reasons gave */
	uint16_t points[SENDING_REASON_MAX];
};

/* The verdict whatever the mode is; see sending_effective(). */
void sending_judge(const struct sending_policy *policy, const struct sending_facts *facts,
	struct sending_verdict *ret_verdict);
/* What is done about it: with observe and off everything passes. */
enum sending_outcome sending_effective(
	const struct sending_policy *policy, enum sending_outcome outcome);

/* "104 points: first-time recipients from a new network 84, a new network 10, ..."; most first;
 * returns out. */
const char *sending_explain(
	const struct sending_verdict *verdict, char out[static SENDING_TEXT_SIZE]);
/* Sum and points of such a text. False: somebody else's words; nothing was set. */
bool sending_read(struct slice text, struct sending_verdict *ret_verdict);

#endif
