/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "crypt/totp.h"
#include "vault/twofactor.h"
#include "vault_fixture.h"

#define PASSWORD "\"password\":\"correct horse\""

enum {
	NOW = 1800000000,
	RACERS = 5,
	RACES = 10, /* of each */
};

static struct {
	uint8_t key[TOTP_SECRET_SIZE];
	char recovery[TWOFACTOR_CODES][16];
} alice;

static enum gp_err as_alice(
	struct fixture *fixture, enum role role, const char *name, const char *arguments)
{
	enum gp_err err;

	fixture->role = role;
	fixture->asker = 1;
	err = fixture_op(fixture, name, arguments);
	fixture->role = ROLE_ADMIN;
	fixture->asker = 0;
	return err;
}

static const char *code_at(int64_t at)
{
	static char code[TOTP_CODE_SIZE];

	assert_int_equal(totp_code(alice.key, totp_step(at), code), GP_OK);
	return code;
}

static enum gp_err as_core(struct fixture *fixture, const char *arguments)
{
	enum gp_err err;

	fixture->role = ROLE_CORE;
	err = fixture_op(fixture, "twofactor.check", arguments);
	fixture->role = ROLE_ADMIN;
	return err;
}

static enum gp_err check_code(struct fixture *fixture, const char *code)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"account\":1,\"code\":\"%s\"}", code);
	return as_core(fixture, arguments);
}

static enum gp_err with_code(
	struct fixture *fixture, enum role role, const char *name, const char *code)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{" PASSWORD ",\"code\":\"%s\"}", code);
	return as_alice(fixture, role, name, arguments);
}

static enum gp_err confirm(struct fixture *fixture, enum role role, const char *code)
{
	char arguments[64];

	(void)snprintf(arguments, sizeof arguments, "{\"code\":\"%s\"}", code);
	return as_alice(fixture, role, "self.twofactor_confirm", arguments);
}

/* The key from the row of self.twofactor_begin. */
static void take_key(struct fixture *fixture)
{
	char text[512];
	char letters[64];
	struct buf key;
	size_t count = 0;

	(void)fixture_value(fixture, "secret", text);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at != ' ')
			letters[count++] = *at;
	}
	buf_init_secret(&key, 64);
	assert_int_equal(decode_base32(slice_of(letters, count), &key), GP_OK);
	assert_int_equal(key.len, TOTP_SECRET_SIZE);
	memcpy(alice.key, buf_slice(&key).data, key.len);
	buf_fini(&key);
}

static void take_codes(struct fixture *fixture)
{
	const char *at = strstr(fixture->rows, "\"recovery_codes\":[\"");

	assert_non_null(at);
	at += strlen("\"recovery_codes\":[\"");
	for (size_t i = 0; i < TWOFACTOR_CODES; i++) {
		assert_true(slice_copy(slice_of(at, 14), alice.recovery[i], 16));
		at += 14;
		assert_memory_equal(at, i + 1 < TWOFACTOR_CODES ? "\",\"" : "\"],", 3);
		at += 3;
	}
}

static void enrol(struct fixture *fixture, enum role role)
{
	assert_int_equal(as_alice(fixture, role, "self.twofactor_begin", "{" PASSWORD "}"), GP_OK);
	take_key(fixture);
	assert_int_equal(confirm(fixture, role, code_at(clock_wall())), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_TWOFACTOR);
	assert_int_equal(fixture->account, 1);
	take_codes(fixture);
}

static int setup(void **state)
{
	struct fixture *fixture;

	clock_fake(NOW, 1000);
	assert_int_equal(fixture_setup(state), 0);
	fixture = *state;
	assert_int_equal(
		fixture_op(fixture, "account.add",
			"{\"address\":\"alice@example.test\"," PASSWORD ",\"create_domain\":true}"),
		GP_OK);
	return 0;
}

static void check_row(struct fixture *fixture, const char *part)
{
	if (strstr(fixture->rows, part) == NULL)
		fail_msg("%s is not in %s", part, fixture->rows);
}

static void test_enrol(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(as_alice(fixture, ROLE_USER, "self.show", ""), GP_OK);
	check_row(
		fixture, "\"address\":\"alice@example.test\",\"role\":\"user\",\"language\":\"\"");
	check_row(fixture, "\"twofactor_at\":null");
	check_row(fixture, "\"must\":[]");
	assert_int_equal(as_alice(fixture, ROLE_USER, "self.twofactor_begin",
				 "{\"password\":\"wrong horse\"}"),
		GP_ERR_DENIED);
	assert_int_equal(fixture->row_count, 0);
	assert_int_equal(
		as_alice(fixture, ROLE_USER, "self.twofactor_begin", "{" PASSWORD "}"), GP_OK);
	take_key(fixture);
	check_row(fixture, "otpauth://totp/mail.example.test:alice%40example.test?secret=");
	check_row(fixture, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ");
	/* Not on before the first code, and a wrong one is none. */
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", "correct horse"),
		REASON_OK);
	assert_int_equal(confirm(fixture, ROLE_USER, "000000"), GP_ERR_DENIED);
	assert_int_equal(check_code(fixture, code_at(NOW)), GP_ERR_DENIED);
	assert_int_equal(confirm(fixture, ROLE_USER, code_at(NOW)), GP_OK);
	take_codes(fixture);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", "correct horse"),
		REASON_TWOFACTOR);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_HTTP, "alice@example.test", "correct horse"),
		REASON_OK);
	assert_true(fixture->reply.has_twofactor);
	assert_int_equal(fixture->reply.role, ROLE_USER);
	assert_string_equal(fixture->token, "");
	assert_int_equal(as_alice(fixture, ROLE_USER, "self.show", ""), GP_OK);
	check_row(fixture, "\"recovery_codes_left\":10");
	check_row(fixture, "\"twofactor_at\":\"2027-01-15T08:00:00Z\"");
	/* The code that switched it on is used. */
	assert_int_equal(check_code(fixture, code_at(NOW)), GP_ERR_DENIED);
	/* No second key beside the first one. */
	assert_int_equal(as_alice(fixture, ROLE_USER, "self.twofactor_begin", "{" PASSWORD "}"),
		GP_ERR_EXISTS);
	assert_int_equal(confirm(fixture, ROLE_USER, code_at(NOW)), GP_ERR_NOT_FOUND);
}

static void test_pending(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		as_alice(fixture, ROLE_USER, "self.twofactor_begin", "{" PASSWORD "}"), GP_OK);
	take_key(fixture);
	clock_fake(NOW + TWOFACTOR_PENDING + 1, 1000);
	assert_int_equal(confirm(fixture, ROLE_USER, code_at(clock_wall())), GP_ERR_NOT_FOUND);
	clock_fake(NOW - 1, 1000);
	assert_int_equal(confirm(fixture, ROLE_USER, code_at(clock_wall())), GP_ERR_NOT_FOUND);
	clock_fake(NOW + TWOFACTOR_PENDING, 1000);
	for (int i = 0; i < STORE_WRONG_MAX; i++)
		assert_int_equal(confirm(fixture, ROLE_USER, "12345"), GP_ERR_DENIED);
	assert_int_equal(confirm(fixture, ROLE_USER, code_at(clock_wall())), GP_ERR_LIMIT);
	enrol(fixture, ROLE_USER);
}

static uint64_t posted(struct fixture *fixture, const char *kind)
{
	uint64_t count = 99;

	assert_int_equal(
		store_outbox_count(fixture->vault.store, 1, slice_str(kind), 0, &count), GP_OK);
	return count;
}

static void test_check(void **state)
{
	struct fixture *fixture = *state;
	char used[TOTP_CODE_SIZE];

	enrol(fixture, ROLE_USER);
	clock_fake(NOW + 300, 1000);
	memcpy(used, code_at(NOW + 300), sizeof used);
	assert_int_equal(check_code(fixture, used), GP_OK);
	check_row(fixture, "\"kind\":\"totp\",\"left\":10");
	assert_int_equal(check_code(fixture, used), GP_ERR_DENIED);
	/* Nor after the clock was set back, nor anything older. */
	clock_fake(NOW + 270, 1000);
	assert_int_equal(check_code(fixture, used), GP_ERR_DENIED);
	assert_int_equal(check_code(fixture, code_at(NOW + 270)), GP_ERR_DENIED);
	assert_int_equal(check_code(fixture, code_at(NOW + 330)), GP_ERR_DENIED);
	clock_fake(NOW + 300, 1000);
	assert_int_equal(check_code(fixture, code_at(NOW + 330)), GP_OK);
	/* It is core's own, whoever else asks. */
	assert_int_equal(
		fixture_op(fixture, "twofactor.check", "{\"account\":1,\"code\":\"123456\"}"),
		GP_ERR_UNSUPPORTED);
	/* Somebody else's code, or nobody's. */
	assert_int_equal(as_core(fixture, "{\"account\":2,\"code\":\"123456\"}"), GP_ERR_DENIED);
	assert_int_equal(check_code(fixture, ""), GP_ERR_DENIED);
	/* It leaves no line in the audit: sign-ins are recorded as such. */
	assert_int_equal(fixture_op(fixture, "audit.list", ""), GP_OK);
	assert_null(strstr(fixture->rows, "twofactor.check"));
	assert_non_null(strstr(fixture->rows, "self.twofactor_confirm"));
	assert_null(strstr(fixture->rows, "correct horse"));
	/* A recovery code is worth one. */
	assert_int_equal(check_code(fixture, alice.recovery[0]), GP_OK);
	assert_int_equal(fixture_op(fixture, "audit.list", ""), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"twofactor.check\""));
	assert_null(strstr(fixture->rows, alice.recovery[0]));
	assert_int_equal(posted(fixture, "recovery_code"), 1);
	assert_int_equal(posted(fixture, "twofactor_on"), 1);
}

static void test_stop(void **state)
{
	struct fixture *fixture = *state;
	char wrong[TOTP_CODE_SIZE];

	enrol(fixture, ROLE_USER);
	clock_fake(NOW + 300, 1000);
	assert_int_equal(check_code(fixture, code_at(NOW + 300)), GP_OK);
	memcpy(wrong, code_at(NOW + 3000), sizeof wrong);
	for (int i = 0; i < STORE_WRONG_MAX - 1; i++)
		assert_int_equal(check_code(fixture, wrong), GP_ERR_DENIED);
	/* What was right once counts neither way. */
	for (int i = 0; i < STORE_WRONG_MAX; i++)
		assert_int_equal(check_code(fixture, code_at(NOW + 300)), GP_ERR_DENIED);
	for (int i = 0; i < STORE_WRONG_MAX; i++)
		assert_int_equal(check_code(fixture, "aaaa-bbbb-cccc"), GP_ERR_DENIED);
	assert_int_equal(check_code(fixture, code_at(NOW + 330)), GP_OK);
	for (int i = 0; i < STORE_WRONG_MAX; i++)
		assert_int_equal(check_code(fixture, wrong), GP_ERR_DENIED);
	clock_fake(NOW + 600, 1000);
	assert_int_equal(check_code(fixture, code_at(NOW + 600)), GP_ERR_LIMIT);
	assert_int_equal(check_code(fixture, wrong), GP_ERR_LIMIT);
	assert_int_equal(with_code(fixture, ROLE_USER, "self.twofactor_off", code_at(NOW + 600)),
		GP_ERR_LIMIT);
	/* The owner acts. */
	assert_int_equal(check_code(fixture, alice.recovery[4]), GP_OK);
	assert_int_equal(check_code(fixture, code_at(NOW + 600)), GP_OK);
}

static void test_recovery(void **state)
{
	struct fixture *fixture = *state;
	char old[16];

	enrol(fixture, ROLE_USER);
	assert_int_equal(check_code(fixture, alice.recovery[3]), GP_OK);
	check_row(fixture, "\"kind\":\"recovery\",\"left\":9");
	assert_int_equal(check_code(fixture, alice.recovery[3]), GP_ERR_DENIED);
	assert_int_equal(as_alice(fixture, ROLE_RECOVERY, "self.show", ""), GP_OK);
	check_row(fixture, "\"must\":[\"twofactor\",\"password\"]");
	/* Only what its state allows. */
	assert_int_equal(
		with_code(fixture, ROLE_RECOVERY, "self.twofactor_off", code_at(NOW + 300)),
		GP_ERR_ROLE);
	assert_int_equal(
		with_code(fixture, ROLE_RECOVERY, "self.recovery_codes", code_at(NOW + 300)),
		GP_ERR_ROLE);
	/* The old key is good until the new one has shown itself. */
	memcpy(old, alice.recovery[0], sizeof old);
	clock_fake(NOW + 300, 1000);
	enrol(fixture, ROLE_RECOVERY);
	check_row(fixture, "\"must\":[\"password\"]");
	assert_int_equal(check_code(fixture, old), GP_ERR_DENIED);
	assert_int_equal(check_code(fixture, alice.recovery[9]), GP_OK);
}

static void test_off(void **state)
{
	struct fixture *fixture = *state;
	char old[16];

	enrol(fixture, ROLE_USER);
	memcpy(old, alice.recovery[0], sizeof old);
	clock_fake(NOW + 300, 1000);
	assert_int_equal(as_alice(fixture, ROLE_USER, "self.recovery_codes",
				 "{\"password\":\"wrong horse\",\"code\":\"123456\"}"),
		GP_ERR_DENIED);
	assert_int_equal(with_code(fixture, ROLE_USER, "self.recovery_codes", old), GP_ERR_DENIED);
	assert_int_equal(
		with_code(fixture, ROLE_USER, "self.recovery_codes", code_at(NOW + 300)), GP_OK);
	take_codes(fixture);
	assert_int_equal(check_code(fixture, old), GP_ERR_DENIED);
	/* One code does one thing. */
	assert_int_equal(with_code(fixture, ROLE_USER, "self.twofactor_off", code_at(NOW + 300)),
		GP_ERR_DENIED);
	assert_int_equal(
		with_code(fixture, ROLE_USER, "self.twofactor_off", code_at(NOW + 330)), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_TWOFACTOR);
	assert_int_equal(check_code(fixture, alice.recovery[0]), GP_ERR_DENIED);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", "correct horse"),
		REASON_OK);
	assert_int_equal(with_code(fixture, ROLE_USER, "self.twofactor_off", code_at(NOW + 360)),
		GP_ERR_NOT_FOUND);
	enrol(fixture, ROLE_USER);
	assert_int_equal(
		fixture_op(fixture, "twofactor.reset", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
	assert_int_equal(check_code(fixture, alice.recovery[0]), GP_ERR_DENIED);
}

static enum gp_err of_alice(struct fixture *fixture, const char *name)
{
	return fixture_op(fixture, name, "{\"address\":\"alice@example.test\"}");
}

/* Staff asks for it, and a day later it is done, unless the owner says no. */
static void test_removal(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message clock = { .type = IPC_CLOCK };

	assert_int_equal(of_alice(fixture, "twofactor.remove"), GP_ERR_NOT_FOUND);
	enrol(fixture, ROLE_USER);
	fixture->role = ROLE_STAFF;
	assert_int_equal(of_alice(fixture, "twofactor.reset"), GP_ERR_ROLE);
	assert_int_equal(of_alice(fixture, "twofactor.remove"), GP_OK);
	check_row(fixture, "\"due_at\":\"2027-01-16T08:00:00Z\"");
	assert_int_equal(of_alice(fixture, "twofactor.remove"), GP_ERR_EXISTS);
	assert_int_equal(posted(fixture, "twofactor_removal"), 1);
	assert_int_equal(as_alice(fixture, ROLE_USER, "self.show", ""), GP_OK);
	check_row(fixture, "\"removal_due_at\":\"2027-01-16T08:00:00Z\"");
	assert_int_equal(as_alice(fixture, ROLE_USER, "self.twofactor_keep", ""), GP_OK);
	clock_fake(NOW + TWOFACTOR_REMOVAL, 1000);
	twofactor_run_due(&fixture->vault);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", "correct horse"),
		REASON_TWOFACTOR);
	fixture->role = ROLE_STAFF;
	assert_int_equal(of_alice(fixture, "twofactor.remove"), GP_OK);
	assert_int_equal(of_alice(fixture, "twofactor.remove_cancel"), GP_OK);
	assert_int_equal(of_alice(fixture, "twofactor.remove"), GP_OK);
	clock_fake(NOW + 2 * TWOFACTOR_REMOVAL - 1, 1000);
	twofactor_run_due(&fixture->vault);
	assert_int_equal(of_alice(fixture, "twofactor.status"), GP_OK);
	check_row(fixture, "\"on\":true");
	/* Whoever moves the clock sees at once what became due. */
	clock_fake(NOW + 2 * TWOFACTOR_REMOVAL, 1000);
	fixture_send(fixture, &clock, -1);
	assert_int_equal(fixture->effect, IPC_EFFECT_TWOFACTOR);
	assert_int_equal(fixture->account, 1);
	assert_int_equal(posted(fixture, "twofactor_off"), 1);
	fixture->role = ROLE_ADMIN;
	assert_int_equal(of_alice(fixture, "twofactor.status"), GP_OK);
	check_row(fixture, "\"on\":false");
	assert_int_equal(fixture_op(fixture, "audit.list", "{\"limit\":1}"), GP_OK);
	check_row(fixture, "\"actor\":\"vault\",\"operation\":\"twofactor.remove\"");
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", "correct horse"),
		REASON_OK);
}

/* Nobody's own account, and none that is gone. */
static void test_nobody(void **state)
{
	static const char *const names[] = { "self.show", "self.twofactor_begin",
		"self.twofactor_confirm", "self.twofactor_off", "self.recovery_codes" };
	static const char *const arguments[] = { "", "{" PASSWORD "}", "{\"code\":\"123456\"}",
		"{" PASSWORD ",\"code\":\"123456\"}", "{" PASSWORD ",\"code\":\"123456\"}" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < GP_ARRAY_LEN(names); i++) {
		assert_int_equal(fixture_op(fixture, names[i], arguments[i]), GP_ERR_SIGNIN);
		fixture->asker = 99;
		assert_int_equal(fixture_op(fixture, names[i], arguments[i]), GP_ERR_NOT_FOUND);
		fixture->asker = 1;
		fixture->role = ROLE_PENDING;
		assert_int_equal(fixture_op(fixture, names[i], arguments[i]), GP_ERR_SIGNIN);
		fixture->asker = 0;
		fixture->role = ROLE_ADMIN;
	}
}

/* A key that was sealed for somebody else, or under another pepper, is our fault and no wrong code.
 */
static void test_moved(void **state)
{
	struct fixture *fixture = *state;
	struct store_twofactor facts;

	enrol(fixture, ROLE_USER);
	assert_int_equal(
		fixture_op(fixture, "account.add", "{\"address\":\"bob\"," PASSWORD "}"), GP_OK);
	assert_int_equal(store_twofactor_get(fixture->vault.store, 1, &facts), GP_OK);
	assert_int_equal(store_twofactor_begin(fixture->vault.store, 2,
				 slice_of(facts.secret.data, facts.secret.len), NOW),
		GP_OK);
	assert_int_equal(store_twofactor_confirm(fixture->vault.store, 2,
				 slice_of(facts.secret.data, facts.secret.len), 1, NOW),
		GP_OK);
	clock_fake(NOW + 300, 1000);
	assert_int_equal(as_core(fixture, "{\"account\":2,\"code\":\"123456\"}"), GP_ERR_STORE);
	assert_int_equal(store_twofactor_get(fixture->vault.store, 2, &facts), GP_OK);
	assert_int_equal(facts.wrong, 0);
}

/* A vault of its own in a process of its own; how many of its checks were good. */
static int race(const struct fixture *fixture, const char *code)
{
	struct vault vault = fixture->vault;
	struct gp_why why = { "" };
	int good = 0;

	if (store_open(fixture->path, &vault.store, &why) != GP_OK)
		return 99;
	for (int i = 0; i < RACES; i++) {
		struct twofactor_answer answer;
		enum gp_err err = twofactor_check(&vault, 1, slice_str(code), true, &answer, &why);

		if (err != GP_OK && err != GP_ERR_DENIED)
			return 99;
		good += err == GP_OK;
	}
	store_close(&vault.store);
	return good;
}

/* Fifty checks of one code over five connections at once. */
static void run_race(const struct fixture *fixture, const char *code)
{
	pid_t pids[RACERS];
	int good = 0;

	for (size_t i = 0; i < RACERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(race(fixture, code));
	}
	for (size_t i = 0; i < RACERS; i++) {
		int status = 0;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		good += WEXITSTATUS(status);
	}
	assert_int_equal(good, 1);
}

static void test_race(void **state)
{
	struct fixture *fixture = *state;
	struct store_twofactor facts;

	enrol(fixture, ROLE_USER);
	clock_fake(NOW + 300, 1000);
	fixture_run(fixture);
	run_race(fixture, code_at(NOW + 300));
	run_race(fixture, alice.recovery[7]);
	assert_int_equal(store_twofactor_get(fixture->vault.store, 1, &facts), GP_OK);
	assert_int_equal(facts.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enrol, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_pending, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_recovery, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_off, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_removal, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_moved, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
