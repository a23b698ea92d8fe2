/* SPDX-License-Identifier: ISC */
/*
 * One line of past traffic: of a Postfix log (syslog's old form of time, or RFC 3339), or a JSON
 * object. What stands there was partly chosen by strangers and is taken as bytes: no line can do
 * more than be wrong about itself. Slices point into the line, or into struct replay_json.
 */
#ifndef GP_CLI_REPLAY_LINE_H
#define GP_CLI_REPLAY_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/slice.h"

enum {
	REPLAY_RECIPIENTS_MAX = 10000 /* of one JSON line */
};

/* What the next hop said to a recipient. */
enum replay_result {
	REPLAY_SENT,
	REPLAY_UNKNOWN, /* there is no such mailbox or domain */
	REPLAY_SPAM,
	REPLAY_REFUSED,
	REPLAY_DEFERRED, /* not the last word */
};

/* ---- Postfix ---- */

enum replay_kind {
	REPLAY_NOTHING,   /* of no interest, or not understood */
	REPLAY_SUBMITTED, /* queue_id, account, source: a signed-in client begins a message */
	REPLAY_QUEUED,    /* queue_id, sender, size */
	REPLAY_DELIVERY,  /* queue_id, recipient, result */
	REPLAY_REMOVED,   /* queue_id: the message is done with */
	REPLAY_FORGED,    /* account, sender, source: refused, the address is not the account's */
};

struct replay_line {
	enum replay_kind kind;
	int64_t at; /* seconds; times without zone are taken as UTC */
	struct slice queue_id;
	struct slice account;
	struct slice sender;
	struct slice recipient;
	struct ip source;
	uint64_t size;
	enum replay_result result;
};

/* Old syslog lines name no year. */
struct replay_year {
	int year;  /* of the line before */
	int month; /* 1..12; not above 0: none yet, see replay_year_init() */
};

/* newest: when the log's last line was written, as far as known. */
void replay_year_init(struct replay_year *year, int64_t newest);
void replay_line_parse(struct slice line, struct replay_year *year, struct replay_line *ret_line);

/* ---- JSON lines ---- */

/* {"t", "account", "source", "sender", "recipients": [...], "size", "result", "client"}, and if it
 * is known "body", a fingerprint. t and account must be there. */
struct replay_json {
	json_t *root; /* owns what the slices point to */
	int64_t at;
	struct slice account;
	struct slice sender;
	struct slice client;
	struct slice body;
	struct ip source;
	uint64_t size;
	enum replay_result result;
	size_t count;
};

/* false: not such an object; nothing to be freed then. */
bool replay_json_parse(struct slice line, struct replay_json *ret_json);
/* i < count; the empty slice if it is no text. */
struct slice replay_json_recipient(const struct replay_json *json, size_t i);
void replay_json_fini(struct replay_json *json);

/* "sent", "unknown", ..., or a reply: "250 2.0.0 Ok", "550 5.1.1 No such user". */
enum replay_result replay_result_parse(struct slice text);

#endif
