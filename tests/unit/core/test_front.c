/* SPDX-License-Identifier: ISC */
/* What a front may ask, and what becomes of one that asks more. And the answers to MAIL and RCPT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "world.h"

static const char source[] = "198.51.100.7";

enum {
	OPEN = 1, /* sessions of front 0, one in each state, all SMTP but ... */
	ASKING = 2,
	SIGNED_IN = 3,
	CLOSING = 4,
	IMAP_OPEN = 5, /* ... this one, */
	FOREIGN = 6,   /* this one of front 1 */
	UNKNOWN = 7,   /* this one, which nobody opened */
	IMAP_IN = 8,   /* and this one, which is signed in for IMAP */
};

static struct world *states_new(void)
{
	struct world *world = world_new("", true);

	world_open(world, 0, OPEN, SERVICE_SUBMISSION, source);
	world_open(world, 0, IMAP_OPEN, SERVICE_IMAP, source);
	world_open(world, 1, FOREIGN, SERVICE_SUBMISSION, source);
	assert_int_equal(
		world_try(world, SIGNED_IN, SERVICE_SUBMISSION, source, "right"), VERDICT_OK);
	assert_int_equal(world_try(world, IMAP_IN, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(
		world_try(world, CLOSING, SERVICE_SUBMISSION, source, "right"), VERDICT_OK);
	assert_int_equal(
		world_op(world, "session.kill", "{\"session\":\"0000000000000004\"}"), GP_OK);
	world->is_holding = true;
	world_open(world, 0, ASKING, SERVICE_SUBMISSION, source);
	world_signin(world, 0, ASKING, "alice", "wrong");
	world_settle(world);
	assert_int_equal(session_find(world->core, OPEN)->state, SESSION_OPEN);
	assert_int_equal(session_find(world->core, ASKING)->state, SESSION_ASKING);
	assert_int_equal(session_find(world->core, SIGNED_IN)->state, SESSION_SIGNED_IN);
	assert_int_equal(session_find(world->core, CLOSING)->state, SESSION_CLOSING);
	return world;
}

static struct ipc_message message_of(enum ipc_type type, uint64_t session)
{
	struct ipc_message message = { .type = type };

	if (type == IPC_SESSION_OPEN)
		message.session_open =
			(struct ipc_session_open){ .session = session, .client = world_ip(source) };
	else if (type == IPC_SESSION_END)
		message.session_end.session = session;
	else if (type == IPC_SESSION_RESUME)
		message.session_resume = (struct ipc_session_resume){ .session = session };
	else if (type == IPC_SIGNIN)
		message.signin = (struct ipc_signin){ .session = session };
	else if (type == IPC_SIGNIN_UNDONE)
		message.signin_undone = (struct ipc_signin_undone){ session, REASON_BACKEND };
	else if (type == IPC_MAILBOX_HOST)
		message.mailbox_host = (struct ipc_mailbox_host){ .session = session };
	else if (type == IPC_NOTE)
		message.note = (struct ipc_note){ .session = session, .reason = REASON_HTTP };
	else if (type == IPC_MAIL)
		message.mail = (struct ipc_mail){ .session = session };
	else if (type == IPC_RCPT)
		message.rcpt = (struct ipc_rcpt){ .session = session };
	else if (type == IPC_RCPT_DONE)
		message.rcpt_done = (struct ipc_rcpt_done){ .session = session };
	else if (type == IPC_FROM)
		message.from = (struct ipc_from){ .session = session };
	else if (type == IPC_END)
		message.end = (struct ipc_end){ .session = session };
	else
		message.message_done = (struct ipc_message_done){ .session = session };
	return message;
}

static void each_message_has_its_states(void **state)
{
	static const struct {
		enum ipc_type type;
		const char *allowed; /* digits: sessions it may name */
	} cases[] = {
		{ IPC_SESSION_OPEN, "7" },
		{ IPC_SESSION_END, "123458" },
		{ IPC_SESSION_RESUME, "15" },
		{ IPC_SIGNIN, "145" },
		{ IPC_SIGNIN_UNDONE, "348" },
		{ IPC_MAILBOX_HOST, "8" },
		{ IPC_NOTE, "123458" },
		{ IPC_MAIL, "134" },
		{ IPC_RCPT, "134" },
		{ IPC_RCPT_DONE, "134" },
		{ IPC_FROM, "134" },
		{ IPC_END, "134" },
		{ IPC_MESSAGE_DONE, "134" },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		for (uint64_t session = OPEN; session <= IMAP_IN; session++) {
			struct world *world = states_new();
			struct ipc_message message = message_of(cases[i].type, session);
			bool is_allowed = strchr(cases[i].allowed, (char)('0' + session)) != NULL;

			print_message("%s %u\n", ipc_type_name(message.type), (unsigned)session);
			world_send(world, 0, &message);
			world_settle(world);
			assert_int_equal(world->fronts[0].has_ended, !is_allowed);
			assert_int_equal(world->core->stats.peers_cut, !is_allowed);
			assert_int_equal(
				world->core->fronts.front[0]->session_count == 0, !is_allowed);
			/* The other front and its session are untouched. */
			assert_false(world->fronts[1].has_ended);
			assert_non_null(session_find(world->core, FOREIGN));
			/* The guess under way counts whatever its front did. */
			world_answer_held(world);
			assert_int_equal(world->core->stats.guesses_checked,
				cases[i].type == IPC_SIGNIN && is_allowed && session != CLOSING
					? 2
					: 1);
			world_free(&world);
		}
	}
}

static void want_host(struct world *world, unsigned member)
{
	struct ipc_message message = { .type = IPC_MAILBOX_HOST };

	message.mailbox_host = (struct ipc_mailbox_host){
		.session = 1, .dial = 78, .generation = 3, .member = (uint16_t)member
	};
	world_send(world, 0, &message);
	world_settle(world);
}

static void who_is_let_in_gets_a_connection(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->dial = 77;
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(world->dials, 1);
	assert_int_equal(world->last_dial.front, 0);
	assert_int_equal(world->last_dial.pid, 2000);
	assert_int_equal(world->last_dial.session, 1);
	assert_int_equal(world->last_dial.request, 77);
	assert_int_equal(world->last_dial.generation, 0);
	assert_int_equal(world->last_dial.member, 0);
	assert_string_equal(world->dial_backend, "imap");
	/* The others get none: wrong, or nowhere to go. */
	assert_int_equal(world_try(world, 2, SERVICE_IMAP, source, "wrong"), VERDICT_DENY);
	world->dial = 0;
	assert_int_equal(world_try(world, 3, SERVICE_SUBMISSION, source, "right"), VERDICT_OK);
	world->dial = 79;
	world_open(world, 0, 4, SERVICE_IMAP, source);
	world->is_holding = true;
	world_signin(world, 0, 4, "alice", "right");
	world_settle(world);
	world_end(world, 0, 4);
	world_open(world, 0, 5, SERVICE_IMAP, source);
	world_signin(world, 0, 5, "alice", "right");
	world_settle(world);
	assert_int_equal(
		world_op(world, "session.kill", "{\"session\":\"0000000000000005\"}"), GP_OK);
	world_answer_held(world);
	assert_int_equal(world->dials, 1);
	/* Another host: the account's server, whatever its front wants. */
	want_host(world, 5);
	assert_int_equal(world->dials, 2);
	assert_int_equal(world->last_dial.session, 1);
	assert_int_equal(world->last_dial.request, 78);
	assert_int_equal(world->last_dial.generation, 3);
	assert_int_equal(world->last_dial.member, 5);
	assert_string_equal(world->dial_backend, "imap");
	world_free(&world);
}

static void one_sign_in_is_not_good_for_any_number_of_connections(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, source, "right"), VERDICT_OK);
	for (unsigned n = 0; n < SESSION_DIALS_MAX; n++)
		want_host(world, n);
	assert_int_equal(world->dials, SESSION_DIALS_MAX);
	assert_false(world->fronts[0].has_ended);
	want_host(world, 0);
	assert_int_equal(world->dials, SESSION_DIALS_MAX);
	assert_true(world->fronts[0].has_ended);
	world_free(&world);
}

/* Nobody waits longer for a yes because it is recorded, and nobody knows of a no that is not. */
static void a_failure_is_recorded_before_it_is_told_and_a_success_behind(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(world->events, 1);
	assert_true(world->last_answer_at < world->last_event_at);
	assert_int_equal(world_try(world, 2, SERVICE_IMAP, source, "wrong"), VERDICT_DENY);
	assert_int_equal(world->events, 2);
	assert_true(world->last_event_at < world->last_answer_at);
	assert_int_equal(world_try(world, 3, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(world->events, 3);
	assert_true(world->last_answer_at < world->last_event_at);
	world_free(&world);
}

/* ... also where the yes before it is on its way to the same front. */
static void a_failure_overtakes_a_success(void **state)
{
	struct world *world = world_new("", true);
	uint64_t before;

	(void)state;
	world->is_holding = true;
	world_open(world, 0, 1, SERVICE_IMAP, source);
	world_open(world, 0, 2, SERVICE_IMAP, source);
	world_signin(world, 0, 1, "alice", "right");
	world_signin(world, 0, 2, "alice", "wrong");
	world_settle(world);
	assert_int_equal(world->held_count, 2);
	before = world->moved;
	world_answer_held(world);
	assert_int_equal(world->answer_count, 2);
	assert_int_equal(world->events, 2);
	assert_true(world->last_event_at > before);
	assert_true(world->last_event_at < world->first_answer_at);
	world_free(&world);
}

static void garbage_ends_the_front_and_nothing_else(void **state)
{
	struct world *world = states_new();

	(void)state;
	assert_true(write(chan_fd(world->fronts[0].chan), "\xff\xff\xff", 3) == 3);
	world_settle(world);
	assert_true(world->fronts[0].has_ended);
	assert_int_equal(world->core->stats.peers_cut, 1);
	world_connect_front(world, 0);
	world->is_holding = false;
	assert_int_equal(world_try(world, 77, SERVICE_IMAP, source, "right"), VERDICT_OK);
	world_free(&world);
}

static void sessions_are_resumed_after_a_restart_only(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_SESSION_RESUME };

	(void)state;
	message.session_resume = (struct ipc_session_resume){ .session = 1,
		.account = WORLD_RIGHT_ACCOUNT,
		.address = SLICE_LIT("alice@example.test"),
		.since = WORLD_WALL - 50 };
	world_open(world, 0, 1, SERVICE_SUBMISSION, source);
	world_send(world, 0, &message);
	world_settle(world);
	assert_int_equal(world->core->sessions.signed_in, 1);
	/* What an account may send is loaded before its first MAIL is answered. */
	world_mail(world, 0, 1);
	assert_int_equal(world->mail_permit, PERMIT_YES);
	world_rcpt(world, 0, 1, "bob@elsewhere.test");
	assert_int_equal(world->rcpt_permit, PERMIT_YES);

	world->is_account_blocked = true;
	message.session_resume.account++;
	message.session_resume.session = 2;
	world_open(world, 0, 2, SERVICE_SUBMISSION, source);
	world_send(world, 0, &message);
	world_mail(world, 0, 2);
	assert_int_equal(world->mail_permit, PERMIT_BLOCKED);
	assert_string_equal(world->mail_text, "alice@example.test");

	world->account_err = GP_ERR_STORE;
	message.session_resume.account++;
	message.session_resume.session = 3;
	world_open(world, 0, 3, SERVICE_SUBMISSION, source);
	world_send(world, 0, &message);
	world_mail(world, 0, 3);
	assert_int_equal(world->mail_permit, PERMIT_TEMPORARY);

	world->account_err = GP_ERR_NOT_FOUND;
	world_mail(world, 0, 3);
	assert_int_equal(world->mail_permit, PERMIT_TEMPORARY);
	assert_int_equal(world->closed_count, 1);
	assert_int_equal(world->close_reason[0], CLOSE_ACCOUNT_REMOVED);

	clock_fake(WORLD_WALL, WORLD_STEADY + FRONT_RESUME_MS + 1);
	message.session_resume.session = 4;
	world_open(world, 0, 4, SERVICE_SUBMISSION, source);
	world_send(world, 0, &message);
	world_settle(world);
	assert_true(world->fronts[0].has_ended);
	world_free(&world);
}

static void who_may_write_to_whom(void **state)
{
	static const struct {
		enum service service;
		const char *client;
		bool is_signed_in;
		const char *recipient;
		enum permit mail;
		enum permit rcpt;
		const char *backend;
	} cases[] = {
		{ SERVICE_SMTP, "198.51.100.7", false, "bob@example.test", PERMIT_YES, PERMIT_YES,
			"in" },
		{ SERVICE_SMTP, "198.51.100.7", false, "BOB@Example.TEST.", PERMIT_YES, PERMIT_YES,
			"in" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob@mail.example.test", PERMIT_YES,
			PERMIT_YES, "in" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob@other.test", PERMIT_YES, PERMIT_YES,
			"other" },
		{ SERVICE_SMTP, "198.51.100.7", false, "postmaster", PERMIT_YES, PERMIT_YES, "in" },
		{ SERVICE_SMTP, "198.51.100.7", false, "PostMaster", PERMIT_YES, PERMIT_YES, "in" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob", PERMIT_YES, PERMIT_NO, "" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob@elsewhere.test", PERMIT_YES, PERMIT_NO,
			"" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob@sub.example.test", PERMIT_YES,
			PERMIT_NO, "" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob@example.test@elsewhere.test",
			PERMIT_YES, PERMIT_NO, "" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob%elsewhere.test@example.test",
			PERMIT_YES, PERMIT_YES, "in" },
		{ SERVICE_SMTP, "198.51.100.7", false, "bob@", PERMIT_YES, PERMIT_NO, "" },
		{ SERVICE_SMTP, "198.51.100.7", false, "", PERMIT_YES, PERMIT_NO, "" },
		{ SERVICE_SUBMISSION, "198.51.100.7", false, "bob@example.test", PERMIT_NO,
			PERMIT_NO, "" },
		{ SERVICE_SUBMISSION, "203.0.113.9", false, "bob@example.test", PERMIT_YES,
			PERMIT_YES, "in" },
		{ SERVICE_SMTP, "203.0.113.9", false, "bob@elsewhere.test", PERMIT_YES, PERMIT_YES,
			"out" },
		{ SERVICE_SMTP, "203.0.113.10", false, "bob@elsewhere.test", PERMIT_YES, PERMIT_NO,
			"" },
		{ SERVICE_SUBMISSION, "198.51.100.7", true, "bob@elsewhere.test", PERMIT_YES,
			PERMIT_YES, "out" },
		{ SERVICE_SUBMISSION, "198.51.100.7", true, "bob@other.test", PERMIT_YES,
			PERMIT_YES, "out" },
		{ SERVICE_SMTP, "198.51.100.7", true, "anything at all", PERMIT_YES, PERMIT_YES,
			"out" },
	};
	struct world *world = world_new("relay_networks = 203.0.113.9\n", true);

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].recipient);
		if (cases[i].is_signed_in)
			(void)world_try(world, i + 1, cases[i].service, cases[i].client, "right");
		else
			world_open(world, 0, i + 1, cases[i].service, cases[i].client);
		world_mail(world, 0, i + 1);
		assert_int_equal(world->mail_permit, cases[i].mail);
		world_rcpt(world, 0, i + 1, cases[i].recipient);
		assert_int_equal(world->rcpt_permit, cases[i].rcpt);
		assert_string_equal(world->rcpt_backend, cases[i].backend);
	}
	assert_int_equal(world->mail_count, GP_ARRAY_LEN(cases));
	world_free(&world);
}

static void a_blocked_account_sends_nothing(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(world_try(world, 1, SERVICE_SUBMISSION, source, "blocked"), VERDICT_OK);
	world_mail(world, 0, 1);
	assert_int_equal(world->mail_permit, PERMIT_BLOCKED);
	assert_string_equal(world->mail_text, "alice@example.test");
	/* Opened, and blocked again between MAIL and RCPT: at once. */
	assert_int_equal(world_op(world, "account.unblock", "{}"), GP_OK);
	world_mail(world, 0, 1);
	assert_int_equal(world->mail_permit, PERMIT_YES);
	assert_int_equal(world_op(world, "account.block", "{}"), GP_OK);
	world_rcpt(world, 0, 1, "bob@elsewhere.test");
	assert_int_equal(world->rcpt_permit, PERMIT_BLOCKED);
	assert_int_equal(world->core->stats.mail_blocked, 2);
	world_free(&world);
}

static void messages_are_counted(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_MESSAGE_DONE };

	(void)state;
	world_open(world, 0, 1, SERVICE_SMTP, source);
	message.message_done = (struct ipc_message_done){
		.session = 1, .accepted = true, .recipients = 3, .size = 4000
	};
	world_send(world, 0, &message);
	message.message_done =
		(struct ipc_message_done){ .session = 1, .recipients = 9, .size = 4000 };
	world_send(world, 0, &message);
	message.type = IPC_REFUSED;
	message.refused = (struct ipc_refused){ SERVICE_IMAP, 12 };
	world_send(world, 0, &message);
	world_settle(world);
	assert_int_equal(world->core->stats.messages_accepted, 1);
	assert_int_equal(world->core->stats.messages_refused, 1);
	assert_int_equal(world->core->stats.recipients_accepted, 3);
	assert_int_equal(world->core->stats.refused_banned, 12);
	world_free(&world);
}

static void a_mailbox_that_does_not_open_undoes_the_sign_in(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_SIGNIN_UNDONE };

	(void)state;
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, source, "right"), VERDICT_OK);
	message.signin_undone = (struct ipc_signin_undone){ 1, REASON_BACKEND_REFUSED };
	world_send(world, 0, &message);
	world_settle(world);
	assert_int_equal(world->core->sessions.signed_in, 0);
	assert_int_equal(world->last_reason, REASON_BACKEND_REFUSED);
	assert_int_equal(world->last_verdict, VERDICT_TEMPORARY);
	assert_int_equal(world->counted, 0);
	/* It may try again on the same connection. */
	world_signin(world, 0, 1, "alice", "right");
	world_settle(world);
	assert_int_equal(world->core->sessions.signed_in, 1);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_has_its_states),
		cmocka_unit_test(who_is_let_in_gets_a_connection),
		cmocka_unit_test(one_sign_in_is_not_good_for_any_number_of_connections),
		cmocka_unit_test(a_failure_is_recorded_before_it_is_told_and_a_success_behind),
		cmocka_unit_test(a_failure_overtakes_a_success),
		cmocka_unit_test(garbage_ends_the_front_and_nothing_else),
		cmocka_unit_test(sessions_are_resumed_after_a_restart_only),
		cmocka_unit_test(who_may_write_to_whom),
		cmocka_unit_test(a_blocked_account_sends_nothing),
		cmocka_unit_test(messages_are_counted),
		cmocka_unit_test(a_mailbox_that_does_not_open_undoes_the_sign_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
