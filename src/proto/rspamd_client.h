/* SPDX-License-Identifier: ISC */
/*
 * One message shown to rspamd, by its HTTP interface: POST /checkv2 with the message as it passes
 * (chunked, RFC 9112 section 7.1, for its length is not known before its end), then the verdict as
 * JSON. Sans-I/O. What rspamd says is bounded and read strictly: whatever is odd is no verdict.
 *
 *	rspamd_client_begin() -> _body() ... -> _end() -> _input() until VERDICT or BAD
 *
 * A verdict may come before the end; what is sent then is of no use any more.
 */
#ifndef GP_PROTO_RSPAMD_CLIENT_H
#define GP_PROTO_RSPAMD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/terms.h"
#include "proto/json_pick.h"

enum {
	RSPAMD_CLIENT_ANSWER_MAX = 1024 * 1024, /* bytes of its body */
	RSPAMD_CLIENT_CHUNK_MAX = 32 * 1024,
	RSPAMD_CLIENT_HEAD_MAX = 8 * 1024, /* of a request, without its recipients */
};

enum rspamd_client_step {
	RSPAMD_CLIENT_MORE,
	RSPAMD_CLIENT_VERDICT,
	RSPAMD_CLIENT_BAD,
};

/* All borrowed. Fields that are empty, or cannot stand in a header, are left out. */
struct rspamd_client_message {
	struct slice from; /* envelope sender */
	struct slice ip;   /* numeric; of the client */
	struct slice helo;
	struct slice user;     /* who signed in */
	struct slice queue_id; /* under which both logs name it */
};

enum rspamd_client_member {
	RSPAMD_CLIENT_ACTION,
	RSPAMD_CLIENT_SCORE,
	RSPAMD_CLIENT_MEMBERS
};

struct rspamd_client {
	bool is_at_line_start; /* of the message: a doubled dot may follow */
	struct buf head;       /* of the answer */
	bool has_head;
	uint64_t body_left;
	struct json_pick pick;
	struct json_pick_member members[RSPAMD_CLIENT_MEMBERS];
};

/* Owner: whoever embeds it; it must not move. */
void rspamd_client_init(struct rspamd_client *client);
void rspamd_client_fini(struct rspamd_client *client);

/* What is to be sent is appended to out; GP_ERR_LIMIT: it is full, and the message cannot be shown.
 * begin: all but the recipients; then each of them; then the message begins with start. */
enum gp_err rspamd_client_begin(
	const struct rspamd_client_message *message, struct buf *out) GP_CHECKED;
enum gp_err rspamd_client_recipient(struct slice recipient, struct buf *out) GP_CHECKED;
enum gp_err rspamd_client_start(struct buf *out) GP_CHECKED;
/* wire: a part as it came in SMTP, dots doubled; cut anywhere. */
enum gp_err rspamd_client_body(
	struct rspamd_client *client, struct slice wire, struct buf *out) GP_CHECKED;
enum gp_err rspamd_client_end(struct buf *out) GP_CHECKED;

/* Bytes of the answer, all of which are used. */
enum rspamd_client_step rspamd_client_input(struct rspamd_client *client, struct slice bytes);
/* After VERDICT. FILTER_NONE: an action that says nothing of the message. */
enum filter rspamd_client_filter(const struct rspamd_client *client);
/* As rspamd wrote them, escapes and all. */
const char *rspamd_client_action(const struct rspamd_client *client);
const char *rspamd_client_score(const struct rspamd_client *client);

#endif
