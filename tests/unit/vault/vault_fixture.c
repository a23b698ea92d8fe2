/* SPDX-License-Identifier: ISC */
#include "vault_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "crypt/seal.h"
#include "crypt/totp.h"
#include "ops/json_setup.h"
#include "vault/twofactor.h"

static void take_reply(struct fixture *fixture, const struct ipc_verify_reply *reply)
{
	fixture->reply = *reply;
	assert_true(slice_copy(reply->address, fixture->address, sizeof fixture->address));
	assert_true(slice_copy(reply->route, fixture->route_name, sizeof fixture->route_name));
	assert_true(slice_copy(reply->token, fixture->token, sizeof fixture->token));
	fixture->is_done = true;
}

static void take_done(struct fixture *fixture, const struct ipc_op_done *done)
{
	fixture->err = (enum gp_err)done->err;
	fixture->effect = (enum ipc_effect)done->effect;
	fixture->account = done->account;
	fixture->device = done->device;
	assert_true(slice_copy(done->why, fixture->why, sizeof fixture->why));
	assert_true(slice_copy(done->fault, fixture->fault, sizeof fixture->fault));
	fixture->is_done = true;
}

static void append(char *text, struct slice line)
{
	size_t len = strlen(text);

	if (line.len + 2 < FIXTURE_TEXT - len)
		(void)snprintf(text + len, FIXTURE_TEXT - len, "%.*s\n", SLICE_ARG(line));
}

static void take_load_row(struct fixture *fixture, const struct ipc_message *message)
{
	char line[1024] = "";
	char ip[IP_TEXT_SIZE];

	if (message->type == IPC_LIFT_ROW)
		(void)snprintf(line, sizeof line, "lift %s %d",
			ip_net_format(&(struct ip_net){ message->lift_row.source,
					      message->lift_row.prefix },
				ip),
			(int)message->lift_row.account);
	else if (message->type == IPC_BAN_ROW)
		(void)snprintf(line, sizeof line, "ban %s %d %d %.*s",
			ip_net_format(&(struct ip_net){ message->ban_row.source,
					      message->ban_row.prefix },
				ip),
			(int)message->ban_row.set_at, (int)message->ban_row.until,
			SLICE_ARG(message->ban_row.reason));
	else if (message->type == IPC_SENDER_ROW)
		(void)snprintf(line, sizeof line, "%s %.*s",
			message->sender_row.is_listed ? "listed" : "alias",
			SLICE_ARG(message->sender_row.sender));
	else if (message->type == IPC_SPENT_ROW)
		(void)snprintf(line, sizeof line, "spent %d %u %u %u", (int)message->spent_row.at,
			(unsigned)message->spent_row.messages,
			(unsigned)message->spent_row.recipients,
			(unsigned)message->spent_row.strangers);
	else if (message->type == IPC_FAILURE_ROW)
		(void)snprintf(line, sizeof line, "failure %s %d",
			ip_format_source(&message->failure_row.source, ip),
			(int)message->failure_row.at);
	else
		(void)snprintf(line, sizeof line, "domain %.*s %.*s",
			SLICE_ARG(message->domain_row.domain),
			SLICE_ARG(message->domain_row.alias_of));
	append(fixture->load, slice_str(line));
}

static void take_notice(struct fixture *fixture, const struct ipc_notice *notice)
{
	fixture->notice_count++;
	fixture->notice = notice->notice;
	assert_true(slice_copy(
		notice->recipient, fixture->notice_recipient, sizeof fixture->notice_recipient));
	assert_true(slice_copy(notice->message, fixture->letter, sizeof fixture->letter));
	if (fixture->reader != NULL && slice_is(notice->recipient, fixture->reader))
		memcpy(fixture->read, fixture->letter, sizeof fixture->read);
}

static void on_core_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct fixture *fixture = owner;

	(void)chan;
	(void)fd;
	if (message->type == IPC_OP_ROW) {
		fixture->row_count++;
		append(fixture->rows, message->op_row.row);
	} else if (message->type == IPC_OP_PROGRESS) {
		fixture->progress_count++;
		fixture->progress_done = message->op_progress.done;
		fixture->progress_total = message->op_progress.total;
	} else if (message->type == IPC_OP_DONE) {
		take_done(fixture, &message->op_done);
	} else if (message->type == IPC_VERIFY_REPLY) {
		take_reply(fixture, &message->verify_reply);
	} else if (message->type == IPC_LOOKUP_REPLY) {
		fixture->lookup = message->lookup_reply;
		fixture->is_done = true;
	} else if (message->type == IPC_KEPT) {
		fixture->kept = message->kept;
		fixture->kept_count++;
	} else if (message->type == IPC_NOTICE) {
		take_notice(fixture, &message->notice);
	} else if (message->type == IPC_LOADED) {
		fixture->err = message->loaded.ok ? GP_OK : GP_ERR_STORE;
		fixture->is_done = true;
	} else if (message->type == IPC_SENDING_KEY) {
		assert_int_equal(message->sending_key.key.len, sizeof fixture->sending_key);
		memcpy(fixture->sending_key, message->sending_key.key.data,
			message->sending_key.key.len);
	} else if (message->type == IPC_PROFILE_PART) {
		assert_int_equal(message->profile_part.is_first, fixture->parts++ == 0);
		append(fixture->load, SLICE_LIT("part"));
		append(fixture->profile, message->profile_part.bytes);
	} else if (message->type == IPC_PROFILE_KEPT) {
		fixture->err = message->profile_kept.ok ? GP_OK : GP_ERR_STORE;
		fixture->found = message->profile_kept.found;
		fixture->is_done = true;
	} else if (message->type == IPC_SENDING_LOADED) {
		fixture->err = message->sending_loaded.ok ? GP_OK : GP_ERR_STORE;
		fixture->found = message->sending_loaded.found;
		fixture->is_blocked = message->sending_loaded.is_blocked;
		fixture->is_done = true;
	} else {
		take_load_row(fixture, message);
	}
}

static void on_vault_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct fixture *fixture = owner;

	(void)chan;
	vault_on_message(&fixture->vault, message, fd);
	fixture->kept_open += store_is_in_transaction(fixture->vault.store);
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	(void)chan;
	(void)owner;
	assert_int_equal(end, CHAN_END_CLOSED);
}

static void fill_config(struct fixture *fixture)
{
	static char hostname[] = "mail.example.test";
	static char domain[] = "example.test";
	static char portal_url[] = "https://mail.example.test/";
	static char notice_from[] = "postmaster@mail.example.test";

	fixture->route.domain = domain;
	fixture->config = (struct config){ .hostname = hostname,
		.default_domain = domain,
		.portal_url = portal_url,
		.notices = true,
		.notice_from = notice_from,
		.token_lifetime = 30,
		.argon2_memory = 64,
		.argon2_passes = 1,
		.event_days = 90,
		.event_rows = 1000,
		.known_source_days = 365,
		.sending_keep = 30,
		.autoban_window = 1200,
		/* A clean-up comes a moment after the start, in the midst of a slow test. */
		.account_guesses_window = 24 * 60 * 60,
		.routes = &fixture->route,
		.route_count = 1 };
}

int fixture_setup(void **state)
{
	static const struct chan_ops vault_ops = { on_vault_message, on_end };
	static const struct chan_ops core_ops = { on_core_message, on_end };
	struct fixture *fixture = mem_new(1, sizeof *fixture);
	struct vault *vault = &fixture->vault;
	struct gp_why why = { "" };
	int fds[2];

	json_setup();
	memcpy(fixture->dir, "/tmp/gp-vault.XXXXXX", 21);
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->path, sizeof fixture->path, "%s/test.db", fixture->dir);
	fill_config(fixture);
	vault->loop = loop_new();
	vault->lane = IPC_LANE_DESK;
	vault->config = &fixture->config;
	vault->pepper = secret_new(SLICE_LIT("0123456789abcdef0123456789abcdef"));
	vault->seal_key = seal_key_new(secret_slice(vault->pepper));
	vault->token_key = secret_new(SLICE_LIT("abcdef0123456789abcdef0123456789"));
	fixture->role = ROLE_ADMIN;
	assert_int_equal(totp_setup(), GP_OK);
	assert_int_equal(pwhash_policy_init(&vault->policy, 64, 1), GP_OK);
	assert_int_equal(store_create(fixture->path, &why), GP_OK);
	if (store_open(fixture->path, &vault->store, &why) != GP_OK)
		fail_msg("%s", why.text);
	assert_int_equal(chan_pair(fds), GP_OK);
	vault->core =
		chan_new(vault->loop, &fds[0], IPC_ROLE_VAULT, IPC_ROLE_CORE, &vault_ops, fixture);
	fixture->core =
		chan_new(vault->loop, &fds[1], IPC_ROLE_CORE, IPC_ROLE_VAULT, &core_ops, fixture);
	record_init(vault);
	sending_state_init(vault);
	hindsight_init(vault);
	outbox_init(vault);
	twofactor_init(vault);
	*state = fixture;
	return 0;
}

int fixture_teardown(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm" };
	struct fixture *fixture = *state;
	struct vault *vault = &fixture->vault;
	char path[128];

	import_cancel(vault);
	twofactor_fini(vault);
	outbox_fini(vault);
	record_fini(vault);
	sending_state_fini(vault);
	hindsight_fini(vault);
	chan_free(&fixture->core);
	chan_free(&vault->core);
	store_close(&vault->store);
	secret_free(&vault->pepper);
	secret_free(&vault->seal_key);
	secret_free(&vault->token_key);
	loop_free(&vault->loop);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof path, "%s%s", fixture->path, endings[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(fixture->dir), 0);
	mem_free(fixture);
	return 0;
}

void fixture_post(struct fixture *fixture, const struct ipc_message *message)
{
	assert_int_equal(chan_send(fixture->core, message, -1), GP_OK);
}

void fixture_run(struct fixture *fixture)
{
	for (int i = 0; i < 20; i++) {
		loop_turn(fixture->vault.loop);
		/* A rest after a batch is over at once. */
		if (fixture->vault.core != NULL)
			chan_resume(fixture->vault.core);
	}
}

void fixture_send(struct fixture *fixture, const struct ipc_message *message, int fd)
{
	fixture->rows[0] = '\0';
	fixture->row_count = 0;
	fixture->progress_count = 0;
	fixture->load[0] = '\0';
	fixture->is_done = false;
	assert_int_equal(chan_send(fixture->core, message, fd), GP_OK);
	for (int i = 0; i < 10 * 1000 * 1000 && !fixture->is_done; i++)
		loop_turn(fixture->vault.loop);
	assert_true(fixture->is_done);
}

enum gp_err fixture_op_fd(struct fixture *fixture, const char *name, const char *arguments, int fd)
{
	struct ipc_message message = { .type = IPC_OP,
		.op = { .request = 1,
			.name = slice_str(name),
			.actor = SLICE_LIT("tester"),
			.role = (uint8_t)fixture->role,
			.asker = fixture->asker,
			.portal = fixture->portal,
			.domains = slice_str(fixture->domains),
			.arguments = slice_str(arguments) } };

	if (fixture->source != NULL)
		assert_int_equal(ip_parse(slice_str(fixture->source), &message.op.source), GP_OK);
	fixture_send(fixture, &message, fd);
	return fixture->err;
}

enum gp_err fixture_op(struct fixture *fixture, const char *name, const char *arguments)
{
	return fixture_op_fd(fixture, name, arguments, -1);
}

enum reason fixture_verify(
	struct fixture *fixture, enum protocol protocol, const char *login, const char *secret)
{
	struct ipc_message message = { .type = IPC_VERIFY,
		.verify = { .request = 1,
			.session = 0x1234,
			.protocol = (uint8_t)protocol,
			.login = slice_str(login),
			.unchecked = fixture->is_unchecked,
			.secret = slice_str(secret) } };

	if (fixture->source != NULL)
		assert_int_equal(
			ip_parse(slice_str(fixture->source), &message.verify.source), GP_OK);
	fixture_send(fixture, &message, -1);
	return (enum reason)fixture->reply.reason;
}

const char *fixture_value(struct fixture *fixture, const char *key, char out[static 512])
{
	char pattern[64];
	const char *at;

	(void)snprintf(pattern, sizeof pattern, "\"%s\":\"", key);
	at = strstr(fixture->rows, pattern);
	assert_non_null(at);
	at += strlen(pattern);
	assert_true(slice_copy(slice_of(at, strcspn(at, "\"")), out, 512));
	return out;
}
