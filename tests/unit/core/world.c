/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define CONFIG                                                            \
	"hostname = mail.example.test\n"                                  \
	"default_domain = example.test\n"                                 \
	"slow_vaults = 2\n"                                               \
	"listener smtp { }\nlistener submission { }\nlistener imap { }\n" \
	"listener pop3 { default_domain = other.test }\n"                 \
	"certificate main { chain_file = /c.pem key_file = /k.pem }\n"    \
	"backend imap { hosts = 192.0.2.250:143 }\n"                      \
	"backend pop3 { hosts = 192.0.2.250:110 }\n"                      \
	"backend out { protocol = smtp hosts = 192.0.2.250:25 }\n"        \
	"backend in { protocol = lmtp hosts = 192.0.2.250:24 }\n"         \
	"backend other { protocol = smtp hosts = 192.0.2.251:25 }\n"      \
	"route * { imap = imap pop3 = pop3 smtp = out incoming = in }\n"  \
	"route other.test { smtp = other incoming = other }\n"

enum {
	QUIET_TURNS = 4
};

struct ip world_ip(const char *text)
{
	struct ip ip = { 0 };

	assert_int_equal(ip_parse(slice_str(text), &ip), GP_OK);
	return ip;
}

static void copy(struct slice from, char *out, size_t size)
{
	assert_true(slice_copy(from, out, size));
}

/* The fronts. */

static void on_signin_reply(struct world *world, const struct ipc_signin_reply *from)
{
	struct world_answer *answer = &world->answers[world->answer_count++];

	assert_true(world->answer_count < WORLD_ANSWERS_MAX);
	world->last_answer_at = world->moved;
	if (world->answer_count == 1)
		world->first_answer_at = world->moved;
	answer->session = from->session;
	answer->verdict = (enum verdict)from->verdict;
	answer->ban_ms = from->ban_ms;
	copy(from->address, answer->address, sizeof answer->address);
	copy(from->backend, answer->backend, sizeof answer->backend);
	copy(from->token, answer->token, sizeof answer->token);
}

static void on_front_message_here(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct world_peer *front = owner;
	struct world *world = front->world;

	(void)chan;
	(void)fd;
	world->moved++;
	if (message->type == IPC_SIGNIN_REPLY) {
		on_signin_reply(world, &message->signin_reply);
	} else if (message->type == IPC_SESSION_CLOSE) {
		world->close_reason[world->closed_count] =
			(enum close_reason)message->session_close.reason;
		world->closed[world->closed_count++] = message->session_close.session;
	} else if (message->type == IPC_MAIL_REPLY) {
		world->mail_count++;
		world->mail_permit = (enum permit)message->mail_reply.permit;
		copy(message->mail_reply.text, world->mail_text, sizeof world->mail_text);
		if (message->mail_reply.session < WORLD_LEASES)
			world->has_lease[message->mail_reply.session] =
				message->mail_reply.is_lease;
	} else if (message->type == IPC_LEASE_END) {
		assert_true(message->lease_end.session < WORLD_LEASES);
		assert_true(world->has_lease[message->lease_end.session]);
		world->has_lease[message->lease_end.session] = false;
		world->leases_ended++;
	} else if (message->type == IPC_RCPT_REPLY) {
		world->rcpt_count++;
		world->rcpt_permit = (enum permit)message->rcpt_reply.permit;
		world->rcpt_wants_body = message->rcpt_reply.wants_body;
		copy(message->rcpt_reply.backend, world->rcpt_backend, sizeof world->rcpt_backend);
		copy(message->rcpt_reply.text, world->rcpt_text, sizeof world->rcpt_text);
	} else if (message->type == IPC_END_REPLY) {
		world->end_permit = (enum permit)message->end_reply.permit;
	} else if (message->type == IPC_FROM_REPLY) {
		world->from_permit = (enum permit)message->from_reply.permit;
	} else if (message->type == IPC_NOTICE) {
		world->notices++;
		world->last_notice_front = front->index;
		copy(message->notice.backend, world->notice_backend, sizeof world->notice_backend);
	}
}

/* The CLI and the portal. */

static void on_row(struct world *world, struct slice text)
{
	json_t *row = json_loadb(text.data, text.len, 0, NULL);
	const char *cookie = json_string_value(json_object_get(row, "cookie"));

	assert_non_null(row);
	if (cookie != NULL) {
		copy(slice_str(cookie), world->cookie, sizeof world->cookie);
		world->cookies++;
		assert_int_equal(json_object_del(row, "cookie"), 0);
	}
	if (cookie == NULL || json_object_size(row) > 0)
		assert_int_equal(json_array_append(world->rows, row), 0);
	json_decref(row);
}

static void on_asker_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct world_peer *peer = owner;
	struct world *world = peer->world;

	(void)chan;
	(void)fd;
	world->moved++;
	if (message->type == IPC_OP_ROW) {
		on_row(world, message->op_row.row);
	} else if (message->type == IPC_OP_DONE) {
		struct world_done *done = &world->done[world->done_count++ % WORLD_ANSWERS_MAX];

		done->request = message->op_done.request;
		done->err = (enum gp_err)message->op_done.err;
		world->is_done = true;
		world->done_err = done->err;
		world->done_request = done->request;
		copy(message->op_done.why, world->done_why, sizeof world->done_why);
	}
}

static void on_peer_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct world_peer *peer = owner;

	(void)chan;
	(void)end;
	peer->world->moved++;
	peer->has_ended = true;
	chan_free(&peer->chan);
}

/* What gatepostd says comes by tell_core(). */
static void on_nothing(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	(void)chan;
	(void)message;
	(void)fd;
	(void)owner;
}

static void on_nothing_more(struct chan *chan, enum chan_end end, void *owner)
{
	(void)chan;
	(void)end;
	(void)owner;
}

static int connect_peer(struct world_peer *peer, enum ipc_role role, const struct chan_ops *ops)
{
	int fds[2];

	chan_free(&peer->chan);
	peer->has_ended = false;
	assert_int_equal(chan_pair(fds), GP_OK);
	peer->chan = chan_new(peer->world->loop, &fds[0], role, IPC_ROLE_CORE, ops, peer);
	return fds[1];
}

static void tell_core(struct world *world, const struct ipc_message *message, int fd)
{
	core_on_parent(world->core, message, &fd);
	if (fd >= 0)
		(void)close(fd);
}

/* gatepostd. */

static void on_gatepostd_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct world *world = ((struct world_peer *)owner)->world;
	struct ipc_message answer = { .type = IPC_RELOADED, .reloaded = { .ok = true } };

	(void)chan;
	(void)fd;
	world->moved++;
	if (message->type == IPC_DIAL_MAILBOX) {
		world->dials++;
		world->last_dial = message->dial_mailbox;
		copy(message->dial_mailbox.backend, world->dial_backend,
			sizeof world->dial_backend);
	} else if (message->type == IPC_RELOAD) {
		answer.reloaded.request = message->reload.request;
		tell_core(world, &answer, -1);
	}
}

void world_connect_vault(struct world *world, unsigned vault)
{
	static const enum ipc_lane lanes[WORLD_VAULTS] = { IPC_LANE_DESK, IPC_LANE_FAST,
		IPC_LANE_SLOW, IPC_LANE_SLOW };
	static const struct chan_ops ops = { world_on_vault_message, on_peer_end };
	struct ipc_message message = { .type = IPC_PEER };

	message.peer = (struct ipc_peer){ IPC_ROLE_VAULT, (uint16_t)vault, (uint8_t)lanes[vault],
		1000 + vault };
	world->vaults[vault].world = world;
	world->vaults[vault].index = vault;
	tell_core(world, &message, connect_peer(&world->vaults[vault], IPC_ROLE_VAULT, &ops));
}

void world_connect_front(struct world *world, unsigned front)
{
	static const struct chan_ops ops = { on_front_message_here, on_peer_end };
	struct ipc_message message = { .type = IPC_PEER };

	message.peer =
		(struct ipc_peer){ IPC_ROLE_FRONT, (uint16_t)front, IPC_LANE_NONE, 2000 + front };
	world->fronts[front].world = world;
	world->fronts[front].index = front;
	tell_core(world, &message, connect_peer(&world->fronts[front], IPC_ROLE_FRONT, &ops));
}

static void gone(struct world *world, enum ipc_role role, unsigned index, bool crashed)
{
	struct ipc_message message = { .type = IPC_PEER_GONE };

	message.peer_gone = (struct ipc_peer_gone){ (uint8_t)role, (uint16_t)index, crashed };
	tell_core(world, &message, -1);
}

void world_cut_vault(struct world *world, unsigned vault)
{
	chan_free(&world->vaults[vault].chan);
	world_settle(world);
	gone(world, IPC_ROLE_VAULT, vault, true);
}

void world_cut_front(struct world *world, unsigned front, bool crashed)
{
	chan_free(&world->fronts[front].chan);
	world_settle(world);
	gone(world, IPC_ROLE_FRONT, front, crashed);
	world_settle(world);
}

void world_connect_web(struct world *world)
{
	static const struct chan_ops ops = { on_asker_message, on_peer_end };
	struct ipc_message message = { .type = IPC_PEER };

	message.peer = (struct ipc_peer){ IPC_ROLE_WEB, 0, IPC_LANE_NONE, 3000 };
	world->web.world = world;
	tell_core(world, &message, connect_peer(&world->web, IPC_ROLE_WEB, &ops));
}

/* A core, with gatepostd at its end. */
static void start_core(struct world *world)
{
	static const struct chan_ops ops = { on_gatepostd_message, on_peer_end };
	static const struct chan_ops core_ops = { on_nothing, on_nothing_more };
	int fds[2];

	assert_int_equal(chan_pair(fds), GP_OK);
	world->gatepostd.world = world;
	chan_free(&world->gatepostd.chan);
	chan_free(&world->core_parent);
	world->gatepostd.chan = chan_new(
		world->loop, &fds[0], IPC_ROLE_PARENT, IPC_ROLE_CORE, &ops, &world->gatepostd);
	world->core_parent =
		chan_new(world->loop, &fds[1], IPC_ROLE_CORE, IPC_ROLE_PARENT, &core_ops, world);
	world->core = core_new(world->loop, world->core_parent, world->config);
}

static void connect_all(struct world *world)
{
	static const struct chan_ops cli_ops = { on_asker_message, on_peer_end };
	struct ipc_message message = { .type = IPC_BAN_MAP };
	int fd = -1;

	assert_int_equal(ban_map_create(&fd), GP_OK);
	tell_core(world, &message, fd);
	for (unsigned i = 0; i < WORLD_FRONTS; i++)
		world_connect_front(world, i);
	for (unsigned i = 0; i < WORLD_VAULTS; i++)
		world_connect_vault(world, i);
	world->cli.world = world;
	fd = connect_peer(&world->cli, IPC_ROLE_CLI, &cli_ops);
	assert_non_null(cli_open(world->core, &fd, 0));
	world_connect_web(world);
}

struct world *world_new(const char *extra, bool is_faked)
{
	struct world *world = mem_new(1, sizeof *world);
	struct config_error error = { "" };
	char *text = mem_printf("%s%s", extra, CONFIG);

	log_set_level(LOG_LEVEL_FATAL);
	if (is_faked)
		clock_fake(WORLD_WALL, WORLD_STEADY);
	if (config_parse(slice_str(text), "test", &world->config, &error) != GP_OK)
		fail_msg("%s", error.text);
	mem_free(text);
	world->rows = json_array();
	world->loop = loop_new();
	start_core(world);
	connect_all(world);
	world_settle(world);
	return world;
}

void world_restart_core(struct world *world)
{
	core_free(&world->core);
	start_core(world);
	connect_all(world);
}

void world_free(struct world **pworld)
{
	struct world *world = *pworld;

	core_free(&world->core);
	for (unsigned i = 0; i < WORLD_FRONTS; i++)
		chan_free(&world->fronts[i].chan);
	for (unsigned i = 0; i < WORLD_VAULTS; i++)
		chan_free(&world->vaults[i].chan);
	chan_free(&world->cli.chan);
	chan_free(&world->web.chan);
	chan_free(&world->gatepostd.chan);
	chan_free(&world->core_parent);
	loop_turn(world->loop);
	loop_free(&world->loop);
	config_free(&world->config);
	json_decref(world->rows);
	world_free_profiles(world);
	mem_free(world);
	*pworld = NULL;
}

void world_settle(struct world *world)
{
	unsigned quiet = 0;

	while (quiet < QUIET_TURNS) {
		uint64_t before = world->moved;

		loop_turn(world->loop);
		quiet = world->moved == before ? quiet + 1 : 0;
	}
}

static void on_deadline(struct loop_timer *timer)
{
	bool *is_over = timer->owner;

	*is_over = true;
}

void world_await_answers(struct world *world, unsigned count)
{
	struct loop_timer deadline = { 0 };
	bool is_over = false;

	loop_timer_init(world->loop, &deadline, on_deadline, &is_over);
	loop_timer_set(&deadline, 20000);
	while (world->answer_count < count && !is_over)
		loop_turn(world->loop);
	loop_timer_fini(&deadline);
	assert_false(is_over);
}

/* What the fronts do. */

void world_send(struct world *world, unsigned front, const struct ipc_message *message)
{
	assert_int_equal(chan_send(world->fronts[front].chan, message, -1), GP_OK);
}

void world_open(struct world *world, unsigned front, uint64_t session, enum service service,
	const char *client)
{
	static const uint16_t listeners[SERVICE_MAX] = {
		[SERVICE_SMTP] = 0, [SERVICE_SUBMISSION] = 1, [SERVICE_IMAP] = 2, [SERVICE_POP3] = 3
	};
	struct ipc_message message = { .type = IPC_SESSION_OPEN };

	message.session_open = (struct ipc_session_open){ .session = session,
		.service = (uint8_t)service,
		.listener = listeners[service],
		.client = world_ip(client),
		.client_port = 40000 };
	world_send(world, front, &message);
}

void world_end(struct world *world, unsigned front, uint64_t session)
{
	struct ipc_message message = { .type = IPC_SESSION_END };

	message.session_end.session = session;
	world_send(world, front, &message);
}

void world_signin(struct world *world, unsigned front, uint64_t session, const char *login,
	const char *secret)
{
	struct ipc_message message = { .type = IPC_SIGNIN };

	message.signin = (struct ipc_signin){ .session = session,
		.dial = world->dial,
		.mechanism = MECHANISM_PLAIN,
		.login = slice_str(login),
		.secret = slice_str(secret),
		.client_name = SLICE_LIT("program"),
		.tls = SLICE_LIT("TLSv1.3") };
	world_send(world, front, &message);
}

void world_mail(struct world *world, unsigned front, uint64_t session)
{
	struct ipc_message message = { .type = IPC_MAIL };

	message.mail = (struct ipc_mail){ session, SLICE_LIT("alice@example.test"), 1000, false };
	world_send(world, front, &message);
	world_settle(world);
}

void world_rcpt(struct world *world, unsigned front, uint64_t session, const char *recipient)
{
	struct ipc_message message = { .type = IPC_RCPT };

	message.rcpt = (struct ipc_rcpt){ session, slice_str(recipient) };
	world_send(world, front, &message);
	world_settle(world);
}

enum verdict world_try(struct world *world, uint64_t session, enum service service,
	const char *client, const char *secret)
{
	world_open(world, 0, session, service, client);
	world_signin(world, 0, session, "alice@example.test", secret);
	world_settle(world);
	return world_answer_of(world, session)->verdict;
}

void world_answer_held(struct world *world)
{
	world->is_holding = false;
	for (unsigned i = 0; i < world->held_count; i++)
		world_answer_verify(world, &world->held[i]);
	world->held_count = 0;
	world_settle(world);
}

const struct world_answer *world_answer_of(const struct world *world, uint64_t session)
{
	static const struct world_answer none = { .verdict = VERDICT_MAX };

	for (unsigned i = world->answer_count; i-- > 0;) {
		if (world->answers[i].session == session)
			return &world->answers[i];
	}
	return &none;
}

unsigned world_count(const struct world *world, enum verdict verdict)
{
	unsigned count = 0;

	for (unsigned i = 0; i < world->answer_count; i++)
		count += world->answers[i].verdict == verdict;
	return count;
}

bool world_was_closed(const struct world *world, uint64_t session, enum close_reason *ret_reason)
{
	for (unsigned i = 0; i < world->closed_count; i++) {
		if (world->closed[i] != session)
			continue;
		*ret_reason = world->close_reason[i];
		return true;
	}
	return false;
}

static uint64_t next_request(struct world *world)
{
	static uint64_t request = 100;

	json_array_clear(world->rows);
	world->is_done = false;
	return ++request;
}

static enum gp_err await(struct world *world, uint64_t request)
{
	for (unsigned i = 0; i < 100 && !world->is_done; i++)
		world_settle(world);
	assert_true(world->is_done);
	assert_int_equal(world->done_request, request);
	return world->done_err;
}

uint64_t world_ask(struct world *world, const char *name, const char *arguments)
{
	uint64_t request = next_request(world);
	struct ipc_message message = { .type = IPC_OP };

	message.op = (struct ipc_op){ .request = request,
		.name = slice_str(name),
		.arguments = slice_str(arguments),
		.idempotency = slice_str(world->idempotency != NULL ? world->idempotency : "") };
	assert_int_equal(chan_send(world->cli.chan, &message, -1), GP_OK);
	return request;
}

enum gp_err world_op(struct world *world, const char *name, const char *arguments)
{
	return await(world, world_ask(world, name, arguments));
}

uint64_t world_send_call(struct world *world, const char *name, const char *arguments,
	const char *cookie, const char *client)
{
	uint64_t request = next_request(world);
	struct ipc_message message = { .type = IPC_CALL };

	message.call = (struct ipc_call){ .request = request,
		.name = slice_str(name),
		.arguments = slice_str(arguments),
		.credential = slice_str(cookie),
		.is_token = world->is_token,
		.client = world_ip(client),
		.client_name = SLICE_LIT("browser"),
		.language = SLICE_LIT("de"),
		.idempotency = slice_str(world->idempotency != NULL ? world->idempotency : "") };
	assert_int_equal(chan_send(world->web.chan, &message, -1), GP_OK);
	return request;
}

enum gp_err world_call(struct world *world, const char *name, const char *arguments,
	const char *cookie, const char *client)
{
	return await(world, world_send_call(world, name, arguments, cookie, client));
}

unsigned world_count_done(const struct world *world, enum gp_err err)
{
	unsigned count = 0;

	assert_true(world->done_count <= WORLD_ANSWERS_MAX);
	for (unsigned i = 0; i < world->done_count; i++)
		count += world->done[i].err == err;
	return count;
}

const json_t *world_row(const struct world *world, size_t n)
{
	assert_true(n < json_array_size(world->rows));
	return json_array_get(world->rows, n);
}
