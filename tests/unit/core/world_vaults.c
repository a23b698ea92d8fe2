/* SPDX-License-Identifier: ISC */
/* The vaults of a world: what they know, and what they were told to keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "crypt/device_password.h"
#include "world.h"

static void copy(struct slice from, char *out, size_t size)
{
	assert_true(slice_copy(from, out, size));
}

static void reply(struct world_peer *peer, const struct ipc_message *message)
{
	assert_int_equal(chan_send(peer->chan, message, -1), GP_OK);
}

static enum reason judge(const struct world_held *held)
{
	const char *secret = held->secret;

	if (held->is_portal && device_password_is_form(slice_str(secret)))
		return REASON_DEVICE_SCOPE;
	if (device_password_is_form(slice_str(secret)) || strcmp(secret, "right") == 0 ||
		strcmp(secret, "second") == 0 || strcmp(secret, "blocked") == 0)
		return REASON_OK;
	if (strcmp(secret, "store") == 0)
		return REASON_STORE;
	if (strcmp(secret, "twofactor") == 0)
		return REASON_TWOFACTOR;
	if (strcmp(secret, "device-scope") == 0)
		return REASON_DEVICE_SCOPE;
	return REASON_WRONG_PASSWORD;
}

static uint64_t account_of(struct slice login)
{
	return slice_starts_nocase(login, "user") ? 1000 + map_hash(login) % 1000000
						  : WORLD_RIGHT_ACCOUNT;
}

void world_answer_verify(struct world *world, const struct world_held *held)
{
	struct ipc_message message = { .type = IPC_VERIFY_REPLY };
	enum reason reason = held->is_unchecked ? REASON_UNCHECKED : judge(held);

	message.verify_reply = (struct ipc_verify_reply){
		.request = held->request,
		.reason = (uint8_t)reason,
		.compared = reason != REASON_STORE && !held->is_unchecked,
	};
	if (reason == REASON_OK) {
		message.verify_reply.account = account_of(slice_str(held->login));
		message.verify_reply.device = held->vault == FAST ? 3 : 0;
		message.verify_reply.role = ROLE_USER;
		message.verify_reply.has_twofactor = strcmp(held->secret, "second") == 0;
		message.verify_reply.is_blocked = strcmp(held->secret, "blocked") == 0;
		message.verify_reply.address = slice_str(held->login);
		message.verify_reply.token = SLICE_LIT("token");
	}
	if (reason != REASON_OK && message.verify_reply.compared)
		world->wrong++;
	if (world->vaults[held->vault].chan != NULL)
		reply(&world->vaults[held->vault], &message);
}

static void on_verify(struct world_peer *vault, const struct ipc_verify *verify)
{
	struct world *world = vault->world;
	struct world_held *held = &world->held[world->held_count];
	unsigned at_once = 1;

	assert_true(world->held_count < WORLD_ANSWERS_MAX);
	*held = (struct world_held){ .request = verify->request, .vault = vault->index };
	held->is_unchecked = verify->unchecked;
	held->is_portal = verify->protocol == PROTOCOL_HTTP;
	copy(verify->secret, held->secret, sizeof held->secret);
	copy(verify->login, held->login, sizeof held->login);
	copy(verify->login, world->last_login, sizeof world->last_login);
	world->last_vault = vault->index;
	world->verified++;
	for (unsigned i = 0; i < world->held_count; i++)
		at_once += world->held[i].vault == vault->index;
	if (at_once > world->most_at_once[vault->index])
		world->most_at_once[vault->index] = at_once;
	if (world->is_holding)
		world->held_count++;
	else
		world_answer_verify(world, held);
}

static void on_lookup(struct world_peer *vault, const struct ipc_lookup *lookup)
{
	struct world *world = vault->world;
	struct ipc_message message = { .type = IPC_LOOKUP_REPLY };
	bool is_account = !slice_starts_nocase(lookup->login, "nobody");

	world->lookups++;
	if (world->is_fast_mute && vault == &world->vaults[FAST])
		return;
	world->last_since = lookup->since;
	message.lookup_reply = (struct ipc_lookup_reply){ .request = lookup->request,
		.reason = world->is_lookup_failing ? REASON_STORE : REASON_OK,
		.account = is_account ? account_of(lookup->login) : 0,
		.is_known = is_account && ip_equal(&lookup->source, &world->known_source) };
	reply(vault, &message);
}

static void answer_load(struct world_peer *vault, const struct ipc_load *load)
{
	static const struct {
		const char *domain;
		const char *alias_of;
	} domains[] = { { "example.test", "" }, { "other.test", "" },
		{ "mail.example.test", "example.test" }, { "Not A Domain", "" } };
	struct world *world = vault->world;
	struct ipc_message message;

	world->loads++;
	if (world->is_mute)
		return;
	for (unsigned i = 0; i < world->ban_row_count; i++) {
		message.type = IPC_BAN_ROW;
		message.ban_row =
			(struct ipc_ban_row){ world->ban_rows[i].base, world->ban_rows[i].prefix,
				world->ban_set_at[i], world->ban_until[i], SLICE_LIT("kept"), 77 };
		reply(vault, &message);
	}
	for (unsigned i = 0; i < world->failure_row_count; i++) {
		message.type = IPC_FAILURE_ROW;
		message.failure_row =
			(struct ipc_failure_row){ world->failure_rows[i], world->failure_at[i], 1 };
		reply(vault, &message);
	}
	for (unsigned i = 0; i < world->guess_row_count; i++) {
		message.type = IPC_GUESS_ROW;
		message.guess_row = (struct ipc_guess_row){ WORLD_RIGHT_ACCOUNT, WORLD_WALL - 60 };
		reply(vault, &message);
	}
	for (unsigned i = 0; i < world->lift_row_count; i++) {
		message.type = IPC_LIFT_ROW;
		message.lift_row = (struct ipc_lift_row){ world->lift_rows[i].base,
			world->lift_rows[i].prefix, world->lift_account, WORLD_WALL - 60 };
		reply(vault, &message);
	}
	for (size_t i = 0; i < GP_ARRAY_LEN(domains); i++) {
		message.type = IPC_DOMAIN_ROW;
		message.domain_row = (struct ipc_domain_row){ slice_str(domains[i].domain),
			slice_str(domains[i].alias_of) };
		reply(vault, &message);
	}
	message.type = IPC_SENDING_KEY;
	message.sending_key.key = SLICE_LIT("0123456789abcdef");
	reply(vault, &message);
	message.type = IPC_LOADED;
	message.loaded = (struct ipc_loaded){ load->request, true, SLICE_LIT("") };
	reply(vault, &message);
}

static void on_event(struct world *world, const struct ipc_event *event)
{
	world->events++;
	world->counted += event->counted > 0;
	world->weight += event->counted;
	world->guesses += event->guess;
	world->last_account = event->account;
	world->last_reason = (enum reason)event->reason;
	world->last_verdict = (enum verdict)event->verdict;
	world->last_service = (enum service)event->service;
	copy(event->detail, world->last_detail, sizeof world->last_detail);
	copy(event->login, world->last_event_login, sizeof world->last_event_login);
}

/* "admin", "panel" and "bound" are tokens, "odd" one that no vault would know; others are nobody's.
 */
static const char *judge_token(struct slice arguments, enum gp_err *ret_err)
{
	if (slice_equal(arguments, SLICE_LIT("{\"token\":\"admin\"}")))
		return "{\"id\":1,\"name\":\"all\",\"role\":\"admin\",\"scopes\":\"\",\"domains\":"
		       "\"\"}";
	if (slice_equal(arguments, SLICE_LIT("{\"token\":\"panel\"}")))
		return "{\"id\":2,\"name\":\"pa\\u0007nel\",\"role\":\"domain-admin\","
		       "\"scopes\":\"account ban.list\",\"domains\":\"example.test\"}";
	if (slice_equal(arguments, SLICE_LIT("{\"token\":\"bound\"}")))
		return "{\"id\":4,\"name\":\"bound\",\"role\":\"admin\",\"scopes\":\"\","
		       "\"domains\":\"example.test\"}";
	if (slice_equal(arguments, SLICE_LIT("{\"token\":\"odd\"}")))
		return "{\"id\":3,\"name\":\"odd\",\"role\":\"core\",\"scopes\":\"\",\"domains\":"
		       "\"\"}";
	*ret_err = slice_equal(arguments, SLICE_LIT("{\"token\":\"down\"}")) ? GP_ERR_STORE
									     : GP_ERR_DENIED;
	return "";
}

static enum gp_err judge_code(struct world *world, struct slice arguments, const char **ret_row)
{
	json_t *args = json_loadb(arguments.data, arguments.len, 0, NULL);
	const char *code = json_string_value(json_object_get(args, "code"));
	enum gp_err err = GP_ERR_DENIED;

	assert_int_equal(json_integer_value(json_object_get(args, "account")), WORLD_RIGHT_ACCOUNT);
	world->codes_checked++;
	*ret_row = "{\"kind\":\"totp\",\"left\":10}";
	if (strcmp(code, "recovery") == 0) {
		*ret_row = "{\"kind\":\"recovery\",\"left\":9}";
		err = GP_OK;
	} else if (world->codes_wrong >= 10) {
		err = GP_ERR_LIMIT;
	} else if (strcmp(code, "123456") == 0 && !world->is_code_used) {
		world->is_code_used = true;
		err = GP_OK;
	} else {
		world->codes_wrong++;
	}
	json_decref(args);
	return err;
}

/* One device has failed from world->cause. */
static const char *tell_causes(const struct world *world)
{
	static char row[256];

	(void)snprintf(row, sizeof row,
		"{\"source\":\"%s\",\"client_name\":\"phone\",\"service\":\"imap\","
		"\"reason\":\"wrong_password\",\"why\":\"wrong password\"}",
		world->cause != NULL ? world->cause : "192.0.2.99");
	return row;
}

static enum gp_err note_lift(struct world *world, struct slice arguments)
{
	json_t *args = json_loadb(arguments.data, arguments.len, 0, NULL);
	const char *source = json_string_value(json_object_get(args, "source"));
	bool may = json_is_true(json_object_get(args, "is_here")) ||
		   (world->cause != NULL && strcmp(source, world->cause) == 0);

	json_decref(args);
	if (!may)
		return GP_ERR_NOT_FOUND;
	return world->lifts++ < 3 ? GP_OK : GP_ERR_LIMIT;
}

/* account.show and account.passwd as core needs them; others are echoed in one row. */
static void on_vault_op(struct world_peer *vault, const struct ipc_op *op)
{
	struct world *world = vault->world;
	struct ipc_message message = { .type = IPC_OP_ROW };
	enum ipc_effect effect = IPC_EFFECT_NONE;
	enum gp_err err = GP_OK;
	const char *row = "{\"echo\":true}";

	world->ops++;
	copy(op->name, world->op_name, sizeof world->op_name);
	copy(op->actor, world->op_actor, sizeof world->op_actor);
	copy(op->domains, world->op_domains, sizeof world->op_domains);
	world->op_role = (enum role)op->role;
	world->op_asker = op->asker;
	if (slice_is(op->name, "account.show")) {
		row = world->is_account_blocked ? "{\"blocked_at\":\"2026-01-01T00:00:00Z\"}"
						: "{\"blocked_at\":null}";
		row = world->account_row != NULL ? world->account_row : row;
		err = world->account_err;
	} else if (slice_is(op->name, "token.check")) {
		row = judge_token(op->arguments, &err);
	} else if (slice_is(op->name, "account.passwd")) {
		effect = IPC_EFFECT_PASSWORD;
	} else if (slice_is(op->name, "twofactor.check")) {
		err = judge_code(world, op->arguments, &row);
	} else if (slice_is(op->name, "ban.causes")) {
		row = tell_causes(world);
	} else if (slice_is(op->name, "ban.note_lift")) {
		err = note_lift(world, op->arguments);
	} else if (slice_is(op->name, "self.twofactor_begin")) {
		err = slice_is(op->arguments, "{\"password\":\"right\"}") ? world->account_err
									  : GP_ERR_DENIED;
	} else if (slice_is(op->name, "self.twofactor_confirm")) {
		effect = IPC_EFFECT_TWOFACTOR;
		row = world->is_mended ? "{\"must\":[]}" : "{\"must\":[\"password\"]}";
	} else if (slice_is(op->name, "account.block")) {
		effect = IPC_EFFECT_BLOCKED;
	} else if (slice_is(op->name, "sending.open")) {
		copy(op->arguments, world->case_args, sizeof world->case_args);
		world->cases++;
		err = world->case_err;
	} else if (slice_is(op->name, "account.unblock")) {
		effect = IPC_EFFECT_UNBLOCKED;
	} else if (slice_is(op->name, "alias.add")) {
		effect = IPC_EFFECT_SENDERS;
	} else if (slice_is(op->name, "device.revoke")) {
		effect = IPC_EFFECT_DEVICE;
	} else if (slice_is(op->name, "domain.add")) {
		effect = IPC_EFFECT_DOMAINS;
	}
	message.op_row = (struct ipc_op_row){ op->request, slice_str(row) };
	if (err == GP_OK)
		reply(vault, &message);
	message.type = IPC_OP_DONE;
	message.op_done = (struct ipc_op_done){ .request = op->request,
		.err = (uint8_t)err,
		.effect = (uint8_t)effect,
		.account = effect == IPC_EFFECT_NONE ? 0 : WORLD_RIGHT_ACCOUNT };
	reply(vault, &message);
}

static void say_kept(struct world_peer *vault)
{
	struct world *world = vault->world;
	struct ipc_message message = { .type = IPC_KEPT,
		.kept = { .number = world->journal + world->records } };

	if (!world->is_keeping_mute)
		reply(vault, &message);
}

static void on_journal(struct world *world, const struct ipc_journal *message)
{
	world->journal = message->number;
	world->records = 0;
}

static void on_record(struct world_peer *vault, const struct ipc_message *message)
{
	struct world *world = vault->world;

	world->records++;
	if (message->type == IPC_EVENT) {
		world->last_event_at = world->moved;
		on_event(world, &message->event);
	} else if (message->type == IPC_SENT) {
		world_on_sent(world, &message->sent);
	} else {
		world->bans_kept += message->type == IPC_BAN_KEEP;
		world->bans_dropped += message->type == IPC_BAN_DROP;
		say_kept(vault);
	}
}

static void on_notice_done(struct world *world, const struct ipc_notice_done *done)
{
	world->notices_done++;
	world->notice_done = *done;
	world->notice_done.text = SLICE_LIT("");
}

void world_notice(struct world *world, uint64_t notice, const char *recipient)
{
	struct ipc_message message = { .type = IPC_NOTICE };

	message.notice = (struct ipc_notice){ .notice = notice,
		.recipient = slice_str(recipient),
		.message = SLICE_LIT("Subject: x\r\n\r\n") };
	reply(&world->vaults[DESK], &message);
	world_settle(world);
}

void world_on_vault_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct world_peer *vault = owner;
	struct world *world = vault->world;

	(void)chan;
	(void)fd;
	world->moved++;
	if (message->type == IPC_VERIFY)
		on_verify(vault, &message->verify);
	else if (message->type == IPC_LOOKUP)
		on_lookup(vault, &message->lookup);
	else if (message->type == IPC_LOAD)
		answer_load(vault, &message->load);
	else if (message->type == IPC_JOURNAL)
		on_journal(world, &message->journal);
	else if (message->type == IPC_EVENT || message->type == IPC_SENT ||
		 message->type == IPC_BAN_KEEP || message->type == IPC_BAN_DROP)
		on_record(vault, message);
	else if (message->type == IPC_SENDING_LOAD)
		world_on_sending_load(vault, &message->sending_load);
	else if (message->type == IPC_PROFILE_PART)
		world_on_profile_part(vault, &message->profile_part);
	else if (message->type == IPC_NOTICE_DONE)
		on_notice_done(world, &message->notice_done);
	else if (message->type == IPC_OP)
		on_vault_op(vault, &message->op);
}
