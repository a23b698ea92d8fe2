/* SPDX-License-Identifier: ISC */
/*
 * The limits of a plan: messages and recipients an hour and a day, first-time recipients a day. An
 * account, a domain and a source each have a meter of their own; all three must have room. Reserved
 * at RCPT, committed at the next hop's 250, given back on failure (counter/quota.h), so that a
 * hundred sessions side by side get exactly the limit. Pure.
 */
#ifndef GP_POLICY_SENDING_LIMIT_H
#define GP_POLICY_SENDING_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "counter/quota.h"

#define SENDING_LIMIT_LIST(X)                                                             \
	X(MESSAGES_HOUR, messages_hour, messages, TALLY_HOUR, "messages an hour")         \
	X(MESSAGES_DAY, messages_day, messages, TALLY_DAY, "messages a day")              \
	X(RECIPIENTS_HOUR, recipients_hour, recipients, TALLY_HOUR, "recipients an hour") \
	X(RECIPIENTS_DAY, recipients_day, recipients, TALLY_DAY, "recipients a day")      \
	X(STRANGERS_DAY, new_recipients_day, strangers, TALLY_DAY, "new recipients a day")

enum sending_limit {
#define SENDING_LIMIT_ENUM(id, option, unit, window, words) SENDING_LIMIT_##id,
	SENDING_LIMIT_LIST(SENDING_LIMIT_ENUM)
#undef SENDING_LIMIT_ENUM
	SENDING_LIMIT_MAX
};
/* "recipients an hour". */
const char *sending_limit_words(enum sending_limit limit);

enum sending_scope_kind {
	SENDING_SCOPE_ACCOUNT,
	SENDING_SCOPE_DOMAIN,
	SENDING_SCOPE_SOURCE,
	SENDING_SCOPES
};

/* All zero: nothing sent. 320 bytes. */
struct sending_meter {
	struct quota quotas[SENDING_LIMIT_MAX];
};

/* Whose limits, and what is spent of them. plan NULL: none. Both are borrowed. */
struct sending_scope {
	const struct config_plan *plan;
	struct sending_meter *meter;
};

/* What one recipient takes: messages is 1 for the first of its message, else 0. */
struct sending_amount {
	uint32_t messages;
	uint32_t recipients;
	uint32_t strangers;
};

/* Which limit was reached, for the words of the 450. */
struct sending_shortage {
	enum sending_scope_kind scope;
	enum sending_limit limit;
	unsigned most;   /* the limit itself */
	int64_t free_in; /* seconds; 0: as soon as a transaction under way fails; -1: never */
};

/* All scopes or none. false: *ret_shortage says of the limit that lasts longest. */
bool sending_limit_reserve(const struct sending_scope scopes[static SENDING_SCOPES],
	const struct sending_amount *amount, int64_t now, struct sending_shortage *ret_shortage);
/* Of what was reserved, once each. */
void sending_limit_commit(const struct sending_scope scopes[static SENDING_SCOPES],
	const struct sending_amount *amount, int64_t now);
/* It was sent before, at that time: what a process that starts has to know. Oldest first. */
void sending_limit_restore(
	struct sending_meter *meter, const struct sending_amount *amount, int64_t at);
/* What is left of a limit of the plan, for people. */
struct sending_left {
	unsigned most; /* 0: no limit */
	unsigned spent;
	unsigned reserved;
	unsigned free;
};
struct sending_left sending_limit_left(
	const struct sending_scope *scope, enum sending_limit limit, int64_t now);
void sending_limit_release(const struct sending_scope scopes[static SENDING_SCOPES],
	const struct sending_amount *amount);

#endif
