/* SPDX-License-Identifier: ISC */
#include "core/session.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"

void session_init(struct core *core)
{
	map_init(&core->sessions.by_id);
}

void session_fini(struct core *core)
{
	GP_ASSERT(core->sessions.by_id.count == 0);
	map_fini(&core->sessions.by_id);
}

const char *session_state_name(enum session_state state)
{
	static const char *const names[SESSION_STATE_MAX] = { "open", "asking", "signed_in",
		"closing" };

	return state < SESSION_STATE_MAX ? names[state] : "?";
}

struct session *session_find(struct core *core, uint64_t id)
{
	struct map_node *node = map_find(&core->sessions.by_id, slice_of(&id, sizeof id));

	return node != NULL ? MAP_ENTRY(node, struct session, node) : NULL;
}

struct session *session_open(
	struct core *core, struct front *front, const struct ipc_session_open *message)
{
	struct session *session = NULL;

	if (front->session_count >= SESSIONS_PER_FRONT_MAX ||
		session_find(core, message->session) != NULL)
		return NULL;
	session = mem_new(1, sizeof *session);
	session->id = message->session;
	session->front = front;
	session->service = (enum service)message->service;
	session->listener = message->listener;
	session->client = message->client;
	session->client_port = message->client_port;
	session->country = countries_find(core, &message->client);
	session->since = clock_wall();
	session->source = source_hold(core, &message->client);
	map_add(&core->sessions.by_id, &session->node, slice_of(&session->id, sizeof session->id));
	TAILQ_INSERT_TAIL(&front->sessions, session, by_front);
	TAILQ_INSERT_TAIL(&session->source->sessions, session, by_source);
	front->session_count++;
	core->sessions.open[session->service]++;
	core->stats.sessions_total++;
	return session;
}

static void forget_account(struct core *core, struct session *session)
{
	if (session->address == NULL)
		return;
	sending_mail_end(core, session);
	core->sessions.signed_in--;
	session->account = 0;
	session->device = 0;
	session->block = SESSION_BLOCK_NO;
	session->known_since = 0;
	mem_free(session->address);
	mem_free(session->route);
	mem_free(session->client_name);
	mem_free(session->tls);
	session->address = session->route = session->client_name = session->tls = NULL;
}

void session_free(struct core *core, struct session **psession)
{
	struct session *session = *psession;

	*psession = NULL;
	if (session == NULL)
		return;
	forget_account(core, session);
	core->sessions.open[session->service]--;
	session->front->session_count--;
	TAILQ_REMOVE(&session->front->sessions, session, by_front);
	TAILQ_REMOVE(&session->source->sessions, session, by_source);
	map_remove(&core->sessions.by_id, &session->node);
	source_drop(core, session->source);
	mem_free(session);
}

void session_sign_in(
	struct core *core, struct session *session, const struct session_account *account)
{
	GP_ASSERT(session->state == SESSION_ASKING || session->state == SESSION_OPEN);
	session->state = SESSION_SIGNED_IN;
	session->since = clock_wall();
	session->account = account->account;
	session->device = account->device;
	session->dials = 0;
	session->address = slice_dup(account->address);
	session->route = slice_dup(account->route);
	session->client_name = slice_dup(account->client_name);
	session->tls = slice_dup(account->tls);
	core->sessions.signed_in++;
}

void session_sign_out(struct core *core, struct session *session)
{
	GP_ASSERT(session->state != SESSION_CLOSING);
	forget_account(core, session);
	session->state = SESSION_OPEN;
}

void session_close(
	struct core *core, struct session *session, enum close_reason reason, int64_t ban_ms)
{
	struct ipc_message message = { .type = IPC_SESSION_CLOSE,
		.session_close = { session->id, (uint8_t)reason, ban_ms } };

	if (session->state == SESSION_CLOSING)
		return;
	session->state = SESSION_CLOSING;
	core->stats.sessions_closed++;
	log_info("session_close", LOG_ID("session", session->id),
		LOG_STR("reason", close_name(reason)),
		LOG_STR("account", session->address != NULL ? session->address : ""));
	front_send(session->front, &message);
}

void session_close_banned(struct core *core, struct source *source, uint64_t asking, int64_t ban_ms)
{
	struct session *session = NULL;

	TAILQ_FOREACH (session, &source->sessions, by_source) {
		bool is_mail = session->service == SERVICE_SMTP && session->state == SESSION_OPEN;

		if (session->id != asking && !is_mail && !signin_is_waiting(session))
			session_close(core, session, CLOSE_BANNED, ban_ms);
	}
}
