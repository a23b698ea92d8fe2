/* SPDX-License-Identifier: ISC */
#include "front/session.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/reference.h"
#include "front/front_https.h"
#include "front/front_mailbox.h"
#include "front/front_smtp.h"
#include "front/rush.h"
#include "front/session_core.h"
#include "front/session_id.h"

enum {
	REARM_MIN_MS = 100,  /* the clock was moved: no spinning */
	WAITING_MS = 1000,   /* a deadline that waits for us is looked at again after */
	EVICT_LOOK_MAX = 64, /* sessions looked at for one that may go */
	LAST_LINE_MAX = 1024,
};

TAILQ_HEAD(session_list, session);

struct session_table {
	struct map by_id;
	struct session_list unsettled; /* oldest first */
	struct rush rush;
	struct session_ids ids;
};

static const struct session_protocol *protocol_of(enum service service)
{
	switch (service_protocol(service)) {
	case PROTOCOL_SMTP:
		return &front_smtp_protocol;
	case PROTOCOL_IMAP:
		return &front_mailbox_imap;
	case PROTOCOL_POP3:
		return &front_mailbox_pop3;
	case PROTOCOL_HTTP:
		return &front_https_protocol;
	case PROTOCOL_MAX:
		break;
	}
	GP_ASSERT(!"a protocol");
	return NULL;
}

/* The table. */

struct session_table *session_table_new(struct loop *loop)
{
	struct session_table *table = mem_new(1, sizeof *table);

	map_init(&table->by_id);
	TAILQ_INIT(&table->unsettled);
	rush_init(loop, &table->rush);
	return table;
}

void session_table_free(struct session_table **ptable)
{
	struct session_table *table = *ptable;

	*ptable = NULL;
	if (table == NULL)
		return;
	GP_ASSERT(table->by_id.count == 0);
	map_fini(&table->by_id);
	rush_fini(&table->rush);
	mem_free(table);
}

size_t session_count(const struct front *front)
{
	return front->sessions->by_id.count;
}

struct session *session_find(const struct front *front, uint64_t id)
{
	struct map_node *node = map_find(&front->sessions->by_id, slice_of(&id, sizeof id));

	return node == NULL ? NULL : MAP_ENTRY(node, struct session, node);
}

void session_each(struct front *front, void (*visit)(struct map_node *node, void *arg), void *arg)
{
	map_each(&front->sessions->by_id, visit, arg);
}

uint64_t session_take_id(struct front *front)
{
	return session_id_take(&front->sessions->ids);
}

static void leave_unsettled(struct session *session)
{
	if (session->is_settled)
		return;
	session->is_settled = true;
	TAILQ_REMOVE(&session->front->sessions->unsettled, session, unsettled);
}

static struct session *find_evictable(const struct front *front)
{
	struct session *session;
	unsigned looked = 0;

	TAILQ_FOREACH (session, &front->sessions->unsettled, unsettled) {
		if (++looked > EVICT_LOOK_MAX)
			return NULL;
		if (session->shell == NULL || !session->protocol->is_waiting(session))
			return session;
	}
	return NULL;
}

void session_yield(struct session *session)
{
	struct session_list *list = &session->front->sessions->unsettled;

	TAILQ_REMOVE(list, session, unsettled);
	TAILQ_INSERT_TAIL(list, session, unsettled);
}

bool session_can_evict(const struct front *front)
{
	return find_evictable(front) != NULL;
}

void session_evict(struct front *front)
{
	struct session *session = find_evictable(front);

	if (session != NULL)
		session_end(session, "gave way to a newer connection");
}

/* The end. */

static void free_person(struct session *session)
{
	if (session->person == NULL)
		return;
	mem_free(session->person->address);
	mem_free(session->person->client_name);
	mem_free(session->person);
	session->person = NULL;
}

static void reap(struct loop_task *task)
{
	struct session *session = task->owner;

	if (session->shell != NULL)
		session->protocol->destroy(session);
	conn_free(&session->conn);
	loop_timer_fini(&session->timer);
	free_person(session);
	settings_release(&session->settings);
	mem_free(session);
}

void session_end(struct session *session, const char *why)
{
	if (session->is_over)
		return;
	session->is_over = true;
	log_info("session_end", LOG_ID("session", session->id),
		LOG_STR("service", service_name(session->listener->service)),
		LOG_IP("client", &session->peer.client), LOG_STR("why", why),
		LOG_INT("seconds", (clock_steady() - session->started) / 1000),
		LOG_UINT("from_client", session->from_client),
		LOG_UINT("from_backend", session->from_backend));
	session_core_tell_end(session);
	leave_unsettled(session);
	map_remove(&session->front->sessions->by_id, &session->node);
	loop_timer_clear(&session->timer);
	loop_defer(session->front->loop, &session->reap, reap, session);
}

void session_finish(struct session *session)
{
	if (session->is_over || session->is_finishing)
		return;
	if (session->conn == NULL) {
		session_end(session, "closed");
		return;
	}
	session->is_finishing = true;
	if (!session->protocol->is_waiting(session))
		session_core_tell_end(session);
	loop_timer_clear(&session->timer);
	conn_finish(session->conn);
}

void session_say_last(
	struct session *session, enum last_words words, enum close_reason why, int64_t ban_ms)
{
	struct reply_facts facts;
	struct buf line;
	bool is_relayed = session->conn == NULL;

	if (session->is_over || session->is_finishing)
		return;
	if (session->shell == NULL || session->is_in_handshake) {
		session_end(session, "closed before it began");
		return;
	}
	session_fill_facts(session, ban_ms, &facts);
	buf_init(&line, LAST_LINE_MAX);
	if (!last_words_append(&line, session->protocol->protocol, words, why, is_relayed, &facts))
		buf_clear(&line);
	session->protocol->say_last(session, buf_slice(&line));
	buf_fini(&line);
}

/* Deadlines. */

static int64_t idle_ms(const struct session *session)
{
	const struct config *config = session->settings->config;

	switch (session->protocol->protocol) {
	case PROTOCOL_SMTP:
		return (int64_t)config->smtp_timeout * 1000;
	case PROTOCOL_IMAP:
		return (int64_t)config->imap_timeout * 1000;
	case PROTOCOL_POP3:
	case PROTOCOL_HTTP:
	case PROTOCOL_MAX:
		break;
	}
	return (int64_t)config->pop3_timeout * 1000;
}

static int64_t deadline_of(const struct session *session)
{
	if (session->shell != NULL && session->protocol->deadline != NULL)
		return session->protocol->deadline(session);
	if (session->is_settled)
		return session->last_active + idle_ms(session);
	return session->started + (int64_t)session->settings->config->login_timeout * 1000;
}

/* The deadline moves without the timer being moved each time; when it fires, it is looked at. */
static void on_timer(struct loop_timer *timer)
{
	struct session *session = timer->owner;
	int64_t left = deadline_of(session) - clock_steady();
	enum last_words words = session->is_settled ? LAST_WORDS_IDLE : LAST_WORDS_TOO_SLOW;

	if (session->shell != NULL && session->protocol->is_waiting(session))
		loop_timer_set(timer, left < WAITING_MS ? WAITING_MS : left);
	else if (left > 0)
		loop_timer_set(timer, left < REARM_MIN_MS ? REARM_MIN_MS : left);
	else
		session_say_last(session, words, CLOSE_MAX, 0);
}

void session_settle(struct session *session)
{
	leave_unsettled(session);
	session->last_active = clock_steady();
	/* In a relay the relay watches over idleness. */
	if (session->conn == NULL)
		loop_timer_clear(&session->timer);
	else
		loop_timer_set(&session->timer, idle_ms(session));
}

/* The connection. */

static void begin(struct session *session)
{
	session->protocol->begin(session);
}

static void on_input(struct conn *conn, void *owner)
{
	struct session *session = owner;

	if (session->is_over || session->is_finishing || session->shell == NULL) {
		conn_consume(conn, conn_input(conn).len);
		return;
	}
	session->last_active = clock_steady();
	session->has_spoken = true;
	session->protocol->on_input(session);
}

static void on_drained(struct conn *conn, void *owner)
{
	struct session *session = owner;

	(void)conn;
	if (!session->is_over && !session->is_finishing && session->shell != NULL)
		session->protocol->on_drained(session);
}

static void on_tls(struct conn *conn, void *owner)
{
	struct session *session = owner;

	if (session->is_over)
		return;
	session->is_in_handshake = false;
	session->has_spoken = true;
	session->tls_text = conn_tls_version(conn);
	if (session->shell == NULL)
		begin(session);
	else if (!service_is_tls(session->listener->service))
		session->protocol->on_tls(session);
}

static void note_end(struct session *session, enum conn_end end)
{
	struct engine_note note = { .reason = REASON_NONE };

	switch (end) {
	case CONN_END_TLS:
		note.reason = REASON_TLS_FAILED;
		note.detail = slice_str(conn_tls_error(session->conn));
		break;
	case CONN_END_PLAIN_ON_TLS:
		note.reason = REASON_PLAIN_ON_TLS_PORT;
		break;
	case CONN_END_HTTP_ON_TLS:
		note.reason = REASON_HTTP;
		break;
	case CONN_END_EOF:
	case CONN_END_RESET:
	case CONN_END_TIMEOUT:
		return;
	}
	if (session->is_in_handshake)
		session_core_note(session, &note, "");
}

static const char *end_text(enum conn_end end)
{
	switch (end) {
	case CONN_END_EOF:
		return "client closed";
	case CONN_END_RESET:
		return "connection lost";
	case CONN_END_TIMEOUT:
		return "timed out";
	case CONN_END_TLS:
		return "TLS failed";
	case CONN_END_PLAIN_ON_TLS:
		return "plain text on a TLS port";
	case CONN_END_HTTP_ON_TLS:
		return "HTTP on a mail port";
	}
	return "closed";
}

static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	struct session *session = owner;
	bool lives_on;

	(void)conn;
	if (session->is_over)
		return;
	note_end(session, end);
	conn_free(&session->conn);
	lives_on = session->shell != NULL && session->protocol->on_gone(session);
	if (!lives_on)
		session_end(session, session->is_finishing ? "closed" : end_text(end));
}

static const struct conn_ops conn_ops = {
	.on_input = on_input,
	.on_drained = on_drained,
	.on_tls = on_tls,
	.on_closed = on_closed,
};

void session_take_input(struct session *session, size_t max)
{
	conn_set_owner(session->conn, &conn_ops, session, max, SESSION_OUTPUT_MAX);
}

void session_take_large_input(struct session *session)
{
	session_take_input(session, SESSION_INPUT_SETTLED_MAX);
}

static bool start_tls(struct session *session)
{
	struct tls_ctx *ctx = settings_listener_tls(session->settings, session->listener);

	if (ctx == NULL || conn_starttls_server(session->conn, ctx) != GP_OK) {
		session_end(session, ctx == NULL ? "no certificate" : "bytes after STARTTLS");
		return false;
	}
	session->is_in_handshake = true;
	return true;
}

bool session_start_tls(struct session *session)
{
	session_resume(session);
	return start_tls(session);
}

bool session_send(struct session *session, struct buf *output)
{
	struct slice bytes = buf_slice(output);
	enum gp_err err;

	if (session->is_over || session->conn == NULL)
		return false;
	if (bytes.len == 0)
		return true;
	err = conn_write(session->conn, bytes);
	if (err != GP_OK) {
		session_end(session, err == GP_ERR_LIMIT ? "does not read" : "connection lost");
		return false;
	}
	buf_consume(output, bytes.len);
	buf_trim(output);
	return true;
}

void session_pause(struct session *session)
{
	if (session->is_paused || session->conn == NULL)
		return;
	session->is_paused = true;
	conn_pause(session->conn);
}

void session_resume(struct session *session)
{
	if (!session->is_paused || session->conn == NULL)
		return;
	session->is_paused = false;
	conn_resume(session->conn);
}

/* The beginning. */

static void begin_tls(struct session *session)
{
	if (!start_tls(session) || !session->protocol->speaks_first)
		return;
	begin(session);
	if (!session->is_over)
		conn_allow_early(session->conn);
}

void session_new(struct front *front, struct settings *settings, unsigned listener, int *fd,
	const struct haproxy_header *peer)
{
	struct session *session = mem_new(1, sizeof *session);

	session->front = front;
	session->id = session_take_id(front);
	session->settings = settings_hold(settings);
	session->listener = &settings->config->listeners[listener];
	session->listener_index = listener;
	session->peer = *peer;
	ip_format(&peer->client, session->client_text);
	session->tls_text = "";
	session->protocol = protocol_of(session->listener->service);
	session->started = clock_steady();
	session->last_active = session->started;
	map_add(&front->sessions->by_id, &session->node,
		slice_of(&session->id, sizeof session->id));
	TAILQ_INSERT_TAIL(&front->sessions->unsettled, session, unsettled);
	rush_arrive(&front->sessions->rush);
	session->conn = conn_new(
		front->loop, fd, &conn_ops, session, SESSION_INPUT_MAX, SESSION_OUTPUT_MAX);
	loop_timer_init(front->loop, &session->timer, on_timer, session);
	loop_timer_set(&session->timer, (int64_t)settings->config->login_timeout * 1000);
	log_debug("session_open", LOG_ID("session", session->id),
		LOG_STR("service", service_name(session->listener->service)),
		LOG_IP("client", &peer->client), LOG_UINT("port", peer->client_port));
	session_core_tell_open(session);
	if (service_is_tls(session->listener->service))
		begin_tls(session);
	else
		begin(session);
}

void session_fill_conf(const struct session *session, struct engine_server_conf *ret_conf)
{
	const struct config *config = session->settings->config;
	const struct config_listener *listener = session->listener;
	bool is_tls = service_is_tls(listener->service);
	struct ip source = ip_source(&session->peer.client);
	int64_t ban_ms = 0;

	/* Where a banned source is refused outright, it does not come this far. */
	if (listener->service == SERVICE_SMTP && session->front->bans != NULL)
		ban_ms = ban_map_left(session->front->bans, &source);
	*ret_conf = (struct engine_server_conf){ .hostname = config->hostname,
		.portal_url = config->portal_url,
		.service = listener->service,
		.client_address = slice_str(session->client_text),
		.ban_failures = config->autoban_failures,
		.can_starttls =
			!is_tls && settings_listener_tls(session->settings, listener) != NULL,
		.is_tls = is_tls,
		.plaintext_signin = ip_nets_contain(listener->plaintext_networks.nets,
			listener->plaintext_networks.count, &session->peer.client),
		.old_clients = listener->old_clients,
		.is_banned = ban_ms > 0,
		.ban_minutes = session_ban_minutes(ban_ms),
		.ban_reference = session_ban_reference(session),
		.reference = reference_of(session->id),
		.max_commands = config->login_commands,
		.max_attempts = config->login_attempts };
}

void session_fill_facts(
	const struct session *session, int64_t ban_ms, struct reply_facts *ret_facts)
{
	const struct config *config = session->settings->config;

	*ret_facts = (struct reply_facts){ .portal_url = config->portal_url,
		.client_address = slice_str(session->client_text),
		.ban_minutes = session_ban_minutes(ban_ms),
		.ban_failures = config->autoban_failures,
		.signin_required_code = config->signin_required_code,
		.reference =
			ban_ms > 0 ? session_ban_reference(session) : reference_of(session->id) };
}

uint64_t session_ban_reference(const struct session *session)
{
	const struct ban_map *bans = session->front->bans;
	uint64_t origin = bans != NULL ? ban_map_origin(bans, &session->peer.client) : 0;

	return reference_of(origin != 0 ? origin : session->id);
}

unsigned session_ban_minutes(int64_t ban_ms)
{
	const int64_t minute = 60 * 1000;

	return ban_ms <= 0 ? 0 : (unsigned)((ban_ms + minute - 1) / minute);
}

void session_set_person(
	struct session *session, const struct ipc_signin_reply *reply, const char *client_name)
{
	struct session_person *person = mem_new(1, sizeof *person);

	free_person(session);
	person->account = reply->account;
	person->device = reply->device;
	person->address = mem_strndup(reply->address.data, reply->address.len);
	person->client_name = mem_strdup(client_name);
	person->since = clock_wall();
	session->person = person;
}

void session_drop_person(struct session *session)
{
	free_person(session);
}

/* Shutdown. */

struct drain {
	bool is_all;
};

static void drain_one(struct map_node *node, void *arg)
{
	struct session *session = MAP_ENTRY(node, struct session, node);
	const struct drain *drain = arg;

	if (session->is_finishing && drain->is_all)
		session_end(session, "shutdown");
	else if (drain->is_all || session->shell == NULL || session->protocol->is_idle(session))
		session_say_last(session, LAST_WORDS_SHUTDOWN, CLOSE_MAX, 0);
}

void session_drain(struct front *front, bool is_all)
{
	struct drain drain = { .is_all = is_all };

	session_each(front, drain_one, &drain);
}
