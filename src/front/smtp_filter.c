/* SPDX-License-Identifier: ISC */
/*
 *	GATHER --open()--> DIAL --[connected]--> SHOW --[verdict]--> OVER
 *	any --[fault, time is up]--> OVER
 */
#include "front/smtp_filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/core_link.h"
#include "front/dialer.h"
#include "front/session_core.h"
#include "proto/rspamd_client.h"

enum state {
	GATHER,
	DIAL,
	SHOW,
	OVER,
};

enum {
	INPUT_MAX = 16 * 1024,
	SLACK = 256 * 1024, /* in the caps: the chunks' frames, and what is on its way already */
};

struct smtp_filter {
	struct session *session;
	struct front *front;
	struct settings *settings;
	uint64_t generation; /* of settings */
	enum state state;
	struct rspamd_client client;
	struct buf output;  /* until rspamd is connected */
	uint64_t body_left; /* how much of the message is shown yet */
	size_t held;        /* of front->filter.held */
	struct dial dial;
	unsigned host; /* the one being tried */
	struct conn *conn;
	struct loop_timer timer;
	int64_t began; /* clock_steady() */
	bool is_whole; /* rspamd has all it will get */
	enum filter verdict;
	smtp_filter_verdict_fn *on_verdict; /* NULL: nobody waits */
	void *owner;
};

/* What waits for rspamd, in the sum of the front. */
static void count_held(struct smtp_filter *filter)
{
	size_t held = filter->output.len;

	if (filter->conn != NULL)
		held += conn_output_len(filter->conn);
	filter->front->filter.held += held - filter->held;
	filter->held = held;
}

/* The end. */

static void let_go(struct smtp_filter *filter)
{
	loop_timer_clear(&filter->timer);
	dialer_fini_dial(&filter->dial);
	conn_free(&filter->conn);
	buf_fini(&filter->output);
	count_held(filter);
	filter->state = OVER;
}

static void tell(const struct smtp_filter *filter, enum filter_result result)
{
	struct ipc_message message = { .type = IPC_FILTERED,
		.filtered = { .result = (uint8_t)result } };

	(void)core_link_tell(filter->front->core, &message);
}

static void say(const struct smtp_filter *filter, enum filter_result result, const char *why)
{
	struct front_filter *state = &filter->front->filter;
	int64_t now = clock_steady();

	state->unsaid++;
	if (state->said_at != 0 && now - state->said_at < SMTP_FILTER_SAY_MS)
		return;
	log_warn("rspamd_failed", LOG_ID("session", filter->session->id),
		LOG_STR("result", filter_result_name(result)), LOG_STR("why", why),
		LOG_UINT("times", state->unsaid));
	state->said_at = now;
	state->unsaid = 0;
}

static void call_back(struct smtp_filter *filter)
{
	smtp_filter_verdict_fn *on_verdict = filter->on_verdict;

	filter->on_verdict = NULL;
	if (on_verdict != NULL)
		on_verdict(filter->owner);
}

static void give_up(struct smtp_filter *filter, enum filter_result result, const char *why)
{
	if (filter->state == OVER)
		return;
	let_go(filter);
	say(filter, result, why);
	tell(filter, result);
	call_back(filter);
}

static void on_timeout(struct loop_timer *timer)
{
	give_up(timer->owner, FILTER_RESULT_TIMEOUT, "no verdict in time");
}

static void take_verdict(struct smtp_filter *filter)
{
	filter->verdict = rspamd_client_filter(&filter->client);
	log_info("rspamd", LOG_ID("session", filter->session->id),
		LOG_STR("action", rspamd_client_action(&filter->client)),
		LOG_STR("score", rspamd_client_score(&filter->client)),
		LOG_INT("ms", clock_steady() - filter->began));
	let_go(filter);
	tell(filter, FILTER_RESULT_OK);
	call_back(filter);
}

/* The connection. */

static void on_input(struct conn *conn, void *owner)
{
	struct smtp_filter *filter = owner;
	struct slice bytes = conn_input(conn);
	enum rspamd_client_step step = rspamd_client_input(&filter->client, bytes);

	conn_consume(conn, bytes.len);
	if (step == RSPAMD_CLIENT_BAD)
		give_up(filter, FILTER_RESULT_FAILED, "an answer that is none");
	else if (step == RSPAMD_CLIENT_VERDICT && !filter->is_whole)
		give_up(filter, FILTER_RESULT_FAILED, "an answer before the end");
	else if (step == RSPAMD_CLIENT_VERDICT)
		take_verdict(filter);
}

static void on_drained(struct conn *conn, void *owner)
{
	(void)conn;
	count_held(owner);
}

static void on_tls(struct conn *conn, void *owner)
{
	(void)conn;
	(void)owner;
}

static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	(void)conn;
	(void)end;
	give_up(owner, FILTER_RESULT_FAILED, "closed the connection");
}

static const struct conn_ops filter_conn_ops = {
	.on_input = on_input,
	.on_drained = on_drained,
	.on_tls = on_tls,
	.on_closed = on_closed,
};

static size_t output_max(const struct smtp_filter *filter)
{
	return filter->settings->config->rspamd_max_size + SMTP_FILTER_HEAD_MAX + SLACK;
}

static void dial_host(struct smtp_filter *filter)
{
	dialer_start(&filter->dial, filter->generation, IPC_DIAL_RSPAMD, filter->host,
		filter->settings->config->rspamd_timeout);
}

static void on_dialed(struct dial *dial, int *fd, int errno_value)
{
	struct smtp_filter *filter = dial->owner;

	if (*fd < 0 && filter->host + 1 < filter->settings->config->rspamd.count) {
		filter->host++;
		dial_host(filter);
		return;
	}
	if (*fd < 0) {
		give_up(filter, FILTER_RESULT_FAILED, strerror(errno_value));
		return;
	}
	filter->state = SHOW;
	filter->conn = conn_new(
		filter->front->loop, fd, &filter_conn_ops, filter, INPUT_MAX, output_max(filter));
	if (conn_write(filter->conn, buf_slice(&filter->output)) != GP_OK) {
		give_up(filter, FILTER_RESULT_FAILED, "does not read");
		return;
	}
	buf_fini(&filter->output);
	count_held(filter);
}

/* Sends what stands in output; before the connection is there it waits in it. */
static void flush(struct smtp_filter *filter, enum gp_err err)
{
	if (err == GP_OK && filter->state == SHOW) {
		err = conn_write(filter->conn, buf_slice(&filter->output));
		buf_clear(&filter->output);
	}
	count_held(filter);
	if (err != GP_OK || filter->front->filter.held > SMTP_FILTER_HELD_MAX)
		give_up(filter, FILTER_RESULT_FAILED, "does not read");
}

/* The message. */

struct smtp_filter *smtp_filter_new(struct session *session, struct slice sender, const char *helo)
{
	struct settings *settings = session->front->settings;
	char queue_id[2 * sizeof session->id + 1];
	struct rspamd_client_message message = {
		.from = sender, .ip = slice_str(session->client_text), .helo = slice_str(helo)
	};
	struct smtp_filter *filter;

	if (session->person == NULL || settings->config->rspamd.count == 0)
		return NULL;
	filter = mem_new(1, sizeof *filter);
	filter->session = session;
	filter->front = session->front;
	filter->settings = settings_hold(settings);
	filter->generation = session->front->child->generation;
	filter->body_left = settings->config->rspamd_max_size;
	rspamd_client_init(&filter->client);
	buf_init(&filter->output, output_max(filter));
	dialer_init_dial(filter->front->dialer, &filter->dial, on_dialed, filter);
	loop_timer_init(filter->front->loop, &filter->timer, on_timeout, filter);
	message.user = slice_str(session->person->address);
	(void)snprintf(queue_id, sizeof queue_id, "%016" PRIx64, session->id);
	message.queue_id = slice_str(queue_id);
	flush(filter, rspamd_client_begin(&message, &filter->output));
	return filter;
}

void smtp_filter_free(struct smtp_filter **pfilter)
{
	struct smtp_filter *filter = *pfilter;

	*pfilter = NULL;
	if (filter == NULL)
		return;
	let_go(filter);
	loop_timer_fini(&filter->timer);
	rspamd_client_fini(&filter->client);
	settings_release(&filter->settings);
	mem_free(filter);
}

/* One recipient more or less makes no other verdict: what is too much is left out. */
void smtp_filter_recipient(struct smtp_filter *filter, struct slice recipient)
{
	if (filter == NULL || filter->state != GATHER ||
		filter->output.len + recipient.len > SMTP_FILTER_HEAD_MAX)
		return;
	flush(filter, rspamd_client_recipient(recipient, &filter->output));
}

void smtp_filter_open(struct smtp_filter *filter)
{
	if (filter == NULL || filter->state != GATHER)
		return;
	filter->state = DIAL;
	filter->began = clock_steady();
	flush(filter, rspamd_client_start(&filter->output));
	if (filter->state == DIAL)
		dial_host(filter);
}

static bool is_showing(const struct smtp_filter *filter)
{
	return filter != NULL && (filter->state == DIAL || filter->state == SHOW);
}

static void end_showing(struct smtp_filter *filter)
{
	if (filter->is_whole)
		return;
	filter->is_whole = true;
	flush(filter, rspamd_client_end(&filter->output));
}

/* Of one that is too long rspamd judges the beginning, while the rest passes. */
void smtp_filter_body(struct smtp_filter *filter, struct slice wire)
{
	if (!is_showing(filter) || filter->is_whole)
		return;
	wire = slice_head(wire, filter->body_left);
	filter->body_left -= wire.len;
	flush(filter, rspamd_client_body(&filter->client, wire, &filter->output));
	if (is_showing(filter) && filter->body_left == 0)
		end_showing(filter);
}

bool smtp_filter_end(struct smtp_filter *filter, smtp_filter_verdict_fn *on_verdict, void *owner)
{
	if (!is_showing(filter))
		return false;
	end_showing(filter);
	if (!is_showing(filter))
		return false;
	filter->on_verdict = on_verdict;
	filter->owner = owner;
	loop_timer_set(&filter->timer, filter->settings->config->rspamd_timeout);
	return true;
}

enum filter smtp_filter_verdict(const struct smtp_filter *filter)
{
	return filter != NULL ? filter->verdict : FILTER_NONE;
}
