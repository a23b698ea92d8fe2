/* SPDX-License-Identifier: ISC */
#include "alice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/encode.h"
#include "store/store_recovery.h"

enum {
	TURNS = 16 /* of the outbox, until it is empty for sure */
};

struct alice alice;

/* ---- doing things ---- */

enum gp_err alice_as(struct fixture *fixture, uint64_t portal, const char *source, const char *name,
	const char *arguments)
{
	enum gp_err err;

	fixture->role = ROLE_USER;
	fixture->asker = 1;
	fixture->portal = portal;
	fixture->source = source;
	err = fixture_op(fixture, name, arguments);
	fixture->role = ROLE_ADMIN;
	fixture->asker = 0;
	fixture->portal = 0;
	fixture->source = NULL;
	return err;
}

enum gp_err alice_as_guest(struct fixture *fixture, const char *name, const char *arguments)
{
	enum gp_err err;

	fixture->role = ROLE_GUEST;
	err = fixture_op(fixture, name, arguments);
	fixture->role = ROLE_ADMIN;
	return err;
}

void alice_stop(struct fixture *fixture, const char *kind)
{
	char arguments[256];

	(void)snprintf(arguments, sizeof arguments,
		"{\"account\":1,\"kind\":\"%s\",\"reason\":\"104 points\",\"began\":%d,"
		"\"session\":\"00000000000000aa\",\"device\":1,\"sources\":[\"" THIEF "\"]}",
		kind, (int)clock_wall() - 3600);
	fixture->role = ROLE_CORE;
	assert_int_equal(fixture_op(fixture, "sending.open", arguments), GP_OK);
	fixture->role = ROLE_ADMIN;
}

enum gp_err alice_answer(struct fixture *fixture, uint64_t portal, const char *source, bool is_me)
{
	return alice_as(fixture, portal, source, "self.sending_answer",
		is_me ? "{\"is_me\":true}" : "{\"is_me\":false}");
}

enum gp_err alice_prove(struct fixture *fixture, uint64_t portal, const char *source,
	const char *kind, const char *code)
{
	char arguments[640];

	(void)snprintf(
		arguments, sizeof arguments, "{\"kind\":\"%s\",\"code\":\"%s\"}", kind, code);
	return alice_as(fixture, portal, source, "self.sending_prove", arguments);
}

enum gp_err alice_set_password(
	struct fixture *fixture, uint64_t portal, const char *source, const char *new)
{
	char arguments[128];
	enum gp_err err;

	(void)snprintf(arguments, sizeof arguments, "{\"old\":\"%s\",\"new\":\"%s\"}",
		alice.password, new);
	err = alice_as(fixture, portal, source, "self.password", arguments);
	if (err == GP_OK)
		alice.password = new;
	return err;
}

enum gp_err alice_begin_twofactor(struct fixture *fixture, uint64_t portal, const char *source)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"password\":\"%s\"}", alice.password);
	return alice_as(fixture, portal, source, "self.twofactor_begin", arguments);
}

/* The key that self.twofactor_begin showed. */
static void take_key(struct fixture *fixture)
{
	char text[512];
	size_t count = 0;

	(void)fixture_value(fixture, "secret", text);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at != ' ')
			alice.key[count++] = *at;
	}
	alice.key[count] = '\0';
}

void alice_make_code(char out[static TOTP_CODE_SIZE])
{
	struct buf key;

	buf_init_secret(&key, 64);
	assert_int_equal(decode_base32(slice_str(alice.key), &key), GP_OK);
	assert_int_equal(
		totp_code((const uint8_t *)buf_slice(&key).data, totp_step(clock_wall()), out),
		GP_OK);
	buf_fini(&key);
}

enum gp_err alice_set_twofactor(struct fixture *fixture, uint64_t portal, const char *source)
{
	char arguments[64];
	char code[TOTP_CODE_SIZE];
	enum gp_err err = alice_begin_twofactor(fixture, portal, source);

	if (err != GP_OK)
		return err;
	take_key(fixture);
	alice_make_code(code);
	(void)snprintf(arguments, sizeof arguments, "{\"code\":\"%s\"}", code);
	return alice_as(fixture, portal, source, "self.twofactor_confirm", arguments);
}

void alice_take_codes(struct fixture *fixture)
{
	const char *at = strstr(fixture->rows, "\"recovery_codes\":[\"");

	assert_non_null(at);
	at += strlen("\"recovery_codes\":[\"");
	assert_true(slice_copy(slice_of(at, 14), alice.recovery[0], ONCE_CODE_SIZE));
	assert_true(slice_copy(slice_of(at + 17, 14), alice.recovery[1], ONCE_CODE_SIZE));
}

/* ---- looking ---- */

void alice_check_row(struct fixture *fixture, const char *part)
{
	if (strstr(fixture->rows, part) == NULL)
		fail_msg("%s is not in %s", part, fixture->rows);
}

void alice_check_next(
	struct fixture *fixture, uint64_t portal, const char *source, const char *next)
{
	char part[64];

	(void)snprintf(part, sizeof part, "\"next\":\"%s\"", next);
	assert_int_equal(alice_as(fixture, portal, source, "self.sending_show", ""), GP_OK);
	alice_check_row(fixture, part);
}

bool alice_is_blocked(struct fixture *fixture)
{
	struct store_account account;

	assert_int_equal(store_account_get(fixture->vault.store, 1, &account), GP_OK);
	return account.blocked_at != 0;
}

uint64_t alice_posted(struct fixture *fixture, const char *kind)
{
	uint64_t count = 99;

	assert_int_equal(
		store_outbox_count(fixture->vault.store, 1, slice_str(kind), 0, &count), GP_OK);
	return count;
}

/* The last letter to helper@else.test, as it is read. */
const char *alice_read_letter(struct fixture *fixture)
{
	static char text[IPC_NOTICE_MAX + 1];
	const char *letter = fixture->read;
	size_t len = 0;

	outbox_wake(&fixture->vault);
	for (int i = 0; i < TURNS; i++) {
		struct ipc_message done = { .type = IPC_NOTICE_DONE,
			.notice_done = { .outcome = NOTICE_SENT } };

		fixture_run(fixture);
		for (uint64_t n = 1; n <= fixture->notice; n++) {
			done.notice_done.notice = n;
			fixture_post(fixture, &done);
		}
		fixture_run(fixture);
		outbox_wake(&fixture->vault);
	}
	for (const char *at = letter; *at != '\0'; at++) {
		if (strncmp(at, "=\r\n", 3) == 0)
			at += 2;
		else if (strncmp(at, "=3D", 3) == 0)
			text[len++] = '=', at += 2;
		else
			text[len++] = *at;
	}
	text[len] = '\0';
	return text;
}

void alice_take_token(struct fixture *fixture, char out[static ONCE_TOKEN_SIZE])
{
	const char *at = strstr(alice_read_letter(fixture), "#sending=");

	assert_non_null(at);
	assert_true(slice_copy(
		slice_of(at + strlen("#sending="), ONCE_TOKEN_SIZE - 1), out, ONCE_TOKEN_SIZE));
	assert_true(once_is_token(slice_str(out)));
}

void alice_take_code(struct fixture *fixture, char out[static ONCE_CODE_SIZE])
{
	const char *at = strstr(alice_read_letter(fixture), "Subject: Your code: ");

	assert_non_null(at);
	assert_true(slice_copy(slice_of(at + strlen("Subject: Your code: "), ONCE_CODE_SIZE - 1),
		out, ONCE_CODE_SIZE));
	assert_true(once_is_code(slice_str(out)));
}

/* ---- the world: alice, 60 days old, at home at HOME, with 2FA, a recovery address and codes ----
 */

void alice_change_address(struct fixture *fixture, const char *address, int64_t at)
{
	const uint8_t tag[STORE_TAG_SIZE] = { 1 };
	struct store *store = fixture->vault.store;

	assert_int_equal(
		store_recovery_address_begin(store, 1, slice_str(address), tag, at), GP_OK);
	assert_int_equal(store_recovery_address_confirm(store, 1, tag, at, at), GP_OK);
}

void alice_set_address(struct fixture *fixture, int64_t at)
{
	assert_int_equal(
		store_recovery_address_remove(fixture->vault.store, 1, at - STORE_RECOVERY_HOLD),
		GP_OK);
	alice_change_address(fixture, "helper@else.test", at);
}

int alice_setup(void **state)
{
	struct ip home = { 0 };
	struct fixture *fixture;

	clock_fake(LONG_AGO, 1000);
	alice.password = "correct horse";
	assert_int_equal(fixture_setup(state), 0);
	fixture = *state;
	fixture->reader = "helper@else.test";
	assert_int_equal(
		fixture_op(fixture, "account.add",
			"{\"address\":\"alice@example.test\",\"password\":\"correct horse\","
			"\"create_domain\":true}"),
		GP_OK);
	assert_int_equal(fixture_op(fixture, "device.add",
				 "{\"address\":\"alice@example.test\",\"name\":\"phone\"}"),
		GP_OK);
	assert_int_equal(ip_parse(SLICE_LIT(HOME), &home), GP_OK);
	assert_int_equal(store_known_note(fixture->vault.store, 1, &home, LONG_AGO, NULL), GP_OK);
	alice_set_address(fixture, LONG_AGO);
	assert_int_equal(alice_set_twofactor(fixture, OWNER, HOME), GP_OK);
	alice_take_codes(fixture);
	(void)alice_read_letter(fixture);
	clock_fake(NOW, 1000);
	return 0;
}

void alice_go_through(struct fixture *fixture, const char *source)
{
	assert_int_equal(alice_answer(fixture, OWNER, source, false), GP_OK);
	alice_check_row(fixture, "\"next\":\"password\"");
	assert_int_equal(alice_begin_twofactor(fixture, OWNER, source), GP_ERR_ROLE);
	assert_int_equal(alice_set_password(fixture, OWNER, source, "walrus and tea"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_PASSWORD);
	assert_int_equal(
		fixture_op(fixture, "device.list", "{\"address\":\"alice@example.test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	assert_true(alice_is_blocked(fixture));
	alice_check_next(fixture, OWNER, source, "twofactor");
	assert_int_equal(alice_set_twofactor(fixture, OWNER, source), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_RELEASED);
	assert_false(alice_is_blocked(fixture));
	alice_check_next(fixture, OWNER, source, "none");
	assert_true(alice_posted(fixture, "sending_released") > 0);
}
