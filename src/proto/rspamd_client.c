/* SPDX-License-Identifier: ISC */
#include "proto/rspamd_client.h"

#include <string.h>

#include "base/check.h"
#include "proto/http_answer.h"
#include "proto/http_server.h"

/* What rspamd would do about the message, and what that says of it. An action of the operator's own
 * is none of these and says nothing; nor does "soft reject", by which rspamd's own limits speak. */
static const struct {
	const char *action;
	enum filter filter;
} actions[] = {
	{ "no action", FILTER_CLEAN },
	{ "greylist", FILTER_CLEAN },
	{ "add header", FILTER_DOUBTFUL },
	{ "rewrite subject", FILTER_DOUBTFUL },
	{ "reject", FILTER_BAD },
	{ "discard", FILTER_BAD },
	{ "quarantine", FILTER_BAD },
};

void rspamd_client_init(struct rspamd_client *client)
{
	*client = (struct rspamd_client){ .is_at_line_start = true };
	client->members[RSPAMD_CLIENT_ACTION] =
		(struct json_pick_member){ .name = "action", .is_string = true };
	client->members[RSPAMD_CLIENT_SCORE] = (struct json_pick_member){ .name = "score" };
	buf_init(&client->head, HTTP_ANSWER_HEAD_MAX);
	json_pick_init(&client->pick, client->members, RSPAMD_CLIENT_MEMBERS);
}

void rspamd_client_fini(struct rspamd_client *client)
{
	buf_fini(&client->head);
}

/* The request. */

static enum gp_err append_field(struct buf *out, const char *name, struct slice value)
{
	enum gp_err err;

	if (value.len == 0 || !http_is_field_value(value))
		return GP_OK;
	err = buf_append_str(out, name);
	if (err == GP_OK)
		err = buf_append(out, SLICE_LIT(": "));
	if (err == GP_OK)
		err = buf_append(out, value);
	return err == GP_OK ? buf_append(out, SLICE_LIT("\r\n")) : err;
}

enum gp_err rspamd_client_begin(const struct rspamd_client_message *message, struct buf *out)
{
	const struct {
		const char *name;
		struct slice value;
	} fields[] = {
		{ "From", message->from },
		{ "IP", message->ip },
		{ "Helo", message->helo },
		{ "User", message->user },
		{ "Queue-Id", message->queue_id },
	};
	enum gp_err err = buf_append_str(out, "POST /checkv2 HTTP/1.1\r\n"
					      "Host: rspamd\r\n"
					      "Connection: close\r\n"
					      "Transfer-Encoding: chunked\r\n");

	for (size_t i = 0; err == GP_OK && i < GP_ARRAY_LEN(fields); i++)
		err = append_field(out, fields[i].name, fields[i].value);
	return err;
}

enum gp_err rspamd_client_recipient(struct slice recipient, struct buf *out)
{
	return append_field(out, "Rcpt", recipient);
}

enum gp_err rspamd_client_start(struct buf *out)
{
	return buf_append(out, SLICE_LIT("\r\n"));
}

/* The bytes of part without the dots that SMTP has doubled. */
static size_t take_dots_out(struct rspamd_client *client, struct slice part, char *out)
{
	size_t len = 0;

	for (size_t at = 0; at < part.len;) {
		struct slice rest = slice_from(part, at);
		ptrdiff_t end = slice_find(rest, '\n');
		struct slice line = slice_head(rest, end < 0 ? rest.len : (size_t)end + 1);
		struct slice shown =
			slice_from(line, client->is_at_line_start && line.data[0] == '.');

		/* A piece that is one dot: nothing is left of it, not even where it was. */
		if (shown.len > 0)
			memcpy(out + len, shown.data, shown.len);
		len += shown.len;
		at += line.len;
		client->is_at_line_start = end >= 0;
	}
	return len;
}

enum gp_err rspamd_client_body(struct rspamd_client *client, struct slice wire, struct buf *out)
{
	enum gp_err err = GP_OK;

	while (wire.len > 0 && err == GP_OK) {
		char plain[RSPAMD_CLIENT_CHUNK_MAX];
		struct slice part = slice_head(wire, sizeof plain);
		size_t len = take_dots_out(client, part, plain);

		wire = slice_from(wire, part.len);
		if (len == 0)
			continue; /* a chunk of nothing would be the end */
		err = buf_printf(out, "%zx\r\n", len);
		if (err == GP_OK)
			err = buf_append(out, slice_of(plain, len));
		if (err == GP_OK)
			err = buf_append(out, SLICE_LIT("\r\n"));
	}
	return err;
}

enum gp_err rspamd_client_end(struct buf *out)
{
	return buf_append(out, SLICE_LIT("0\r\n\r\n"));
}

/* The answer. */

/* *bytes: what came; behind the head, the body's first. */
static enum rspamd_client_step take_head(struct rspamd_client *client, struct slice *bytes)
{
	struct http_answer answer = { .status = 0 };
	struct slice part = slice_head(*bytes, buf_room(&client->head));
	size_t before = client->head.len;
	struct buf copy;
	enum http_answer_step step;

	if (buf_append(&client->head, part) != GP_OK)
		return RSPAMD_CLIENT_BAD;
	buf_init(&copy, 2 * HTTP_ANSWER_HEAD_MAX);
	step = http_answer_read(buf_slice(&client->head), false, true, &copy, &answer);
	buf_fini(&copy);
	if (step == HTTP_ANSWER_MORE)
		return RSPAMD_CLIENT_MORE;
	if (step == HTTP_ANSWER_BAD || answer.status != 200 || answer.body_len == 0 ||
		answer.body_len > RSPAMD_CLIENT_ANSWER_MAX)
		return RSPAMD_CLIENT_BAD;
	client->has_head = true;
	client->body_left = answer.body_len;
	*bytes = slice_from(*bytes, answer.head_len - before);
	buf_fini(&client->head);
	return RSPAMD_CLIENT_MORE;
}

static bool is_verdict(const struct rspamd_client *client)
{
	return client->members[RSPAMD_CLIENT_ACTION].value[0] != '\0' &&
	       client->members[RSPAMD_CLIENT_SCORE].value[0] != '\0';
}

enum rspamd_client_step rspamd_client_input(struct rspamd_client *client, struct slice bytes)
{
	enum json_pick_step step;

	if (!client->has_head && take_head(client, &bytes) == RSPAMD_CLIENT_BAD)
		return RSPAMD_CLIENT_BAD;
	if (!client->has_head)
		return RSPAMD_CLIENT_MORE;
	bytes = slice_head(bytes, client->body_left);
	client->body_left -= bytes.len;
	step = json_pick_input(&client->pick, bytes);
	if (step == JSON_PICK_BAD)
		return RSPAMD_CLIENT_BAD;
	if (client->body_left > 0)
		return RSPAMD_CLIENT_MORE;
	return step == JSON_PICK_DONE && is_verdict(client) ? RSPAMD_CLIENT_VERDICT
							    : RSPAMD_CLIENT_BAD;
}

enum filter rspamd_client_filter(const struct rspamd_client *client)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(actions); i++) {
		if (strcmp(client->members[RSPAMD_CLIENT_ACTION].value, actions[i].action) == 0)
			return actions[i].filter;
	}
	return FILTER_NONE;
}

const char *rspamd_client_action(const struct rspamd_client *client)
{
	return client->members[RSPAMD_CLIENT_ACTION].value;
}

const char *rspamd_client_score(const struct rspamd_client *client)
{
	return client->members[RSPAMD_CLIENT_SCORE].value;
}
