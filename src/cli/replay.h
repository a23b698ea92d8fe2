/* SPDX-License-Identifier: ISC */
/*
 * Past traffic, line by line, through the policy of sending: what would have happened to whom, and
 * why. Nothing is asked or kept outside of this process.
 *
 * Each account has a profile as core would have it. While the log's first days last, everything
 * passes and is only learned, and so are the sender addresses in use; after that a sender that is
 * neither the account's own, nor a sub-address of it, nor learned counts as forged. An account that
 * is blocked sends nothing any more. What a delay would have changed is not played: a recipient
 * that hears 450 is not tried again.
 */
#ifndef GP_CLI_REPLAY_H
#define GP_CLI_REPLAY_H

#include <stdint.h>
#include <stdio.h>

#include "base/map.h"
#include "base/slice.h"
#include "config/config.h"
#include "policy/sending_gate.h"

enum {
	REPLAY_ACCOUNTS_MAX = 200000, /* lines of further ones are left out */
	REPLAY_PENDING_MAX = 200000,  /* messages under way in a Postfix log */
	REPLAY_SENDERS = 32,          /* sender addresses that are learned of an account */
};

struct replay_options {
	int64_t learn_days; /* from the first line on */
	int64_t answer_s;   /* an owner says "it was me" so long after he was asked; 0: never */
	FILE *each;         /* a JSON line for each recipient that would not have passed; or NULL */
};

struct replay_counts {
	uint64_t messages;
	uint64_t recipients; /* after the days of learning, these in all: */
	uint64_t passed;
	uint64_t slowed;
	uint64_t limited;
	uint64_t asked;
	uint64_t blocked;
	uint64_t forged;
	uint64_t strangers; /* of those that passed */
};

struct replay_account {
	struct map_node node;
	char *name;
	struct profile profile;
	struct sending_meter meter;
	const struct config_plan *plan;
	uint32_t senders[REPLAY_SENDERS];
	uint32_t senders_next;
	struct replay_counts counts;
	enum sending_outcome gravest; /* of all recipients */
	struct sending_verdict why;   /* when it first was so grave */
	int64_t why_at;
	int64_t asked_at; /* first time; 0: never */
	int64_t blocked_at;
};

struct replay_totals {
	uint64_t lines;
	uint64_t not_understood; /* of JSON; in a log most lines are of no interest */
	uint64_t left_out;       /* of accounts beyond REPLAY_ACCOUNTS_MAX */
	int64_t first_at;
	int64_t last_at;
};

struct replay;

/* config: borrowed. newest: time of the log's last line, as far as known. */
struct replay *replay_new(const struct config *config, const struct replay_options *options);
void replay_free(struct replay **preplay);
/* Before the lines of the next file. newest: when it was last written to. */
void replay_begin_file(struct replay *replay, int64_t newest);
/* Without its line end. Lines of accounts come in the order of time. */
void replay_take(struct replay *replay, struct slice line);

struct replay_totals replay_totals(const struct replay *replay);
/* All accounts, sorted: the gravest first, then by name. The array is the caller's (mem_free()),
 * the accounts are not. */
const struct replay_account **replay_accounts(const struct replay *replay, size_t *ret_count);

#endif
