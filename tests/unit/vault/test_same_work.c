/* SPDX-License-Identifier: ISC */
/*
 * Who is not let in learns nothing from the time it took, because the same was done: the same
 * number of statements, rows, values, hashes and bytes, counted where the vault calls SQLite,
 * libsodium and the kernel. What time itself says is measured by tests/bench/timing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "vault_fixture.h"

struct work {
	unsigned prepared, steps, rows, texts, numbers, hashes, tags, packets;
	size_t bytes;
};

static struct work work;

#define REAL(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

REAL(int, sqlite3_prepare_v3,
	(sqlite3 * db, const char *sql, int len, unsigned flags, sqlite3_stmt **statement,
		const char **tail))
{
	work.prepared++;
	return __real_sqlite3_prepare_v3(db, sql, len, flags, statement, tail);
}

REAL(int, sqlite3_step, (sqlite3_stmt * statement))
{
	int rc = __real_sqlite3_step(statement);

	work.steps++;
	work.rows += rc == SQLITE_ROW;
	return rc;
}

REAL(const void *, sqlite3_column_blob, (sqlite3_stmt * statement, int column))
{
	work.texts++;
	return __real_sqlite3_column_blob(statement, column);
}

REAL(sqlite3_int64, sqlite3_column_int64, (sqlite3_stmt * statement, int column))
{
	work.numbers++;
	return __real_sqlite3_column_int64(statement, column);
}

REAL(int, crypto_pwhash_str_verify,
	(const char *stored, const char *const secret, unsigned long long len))
{
	work.hashes++;
	return __real_crypto_pwhash_str_verify(stored, secret, len);
}

REAL(int, crypto_auth_hmacsha256_final, (crypto_auth_hmacsha256_state * state, unsigned char *out))
{
	work.tags++;
	return __real_crypto_auth_hmacsha256_final(state, out);
}

REAL(ssize_t, send, (int fd, const void *data, size_t len, int flags))
{
	work.packets++;
	work.bytes += len;
	return __real_send(fd, data, len, flags);
}

/* Names and secrets are of one length: the bytes of the questions are counted with the answers'. */
struct kind {
	const char *login;
	const char *secret;
	enum reason reason;
};

/* All that one sign-in has the vaults do, and what they do about it afterwards. */
static struct work measure(struct fixture *fixture, const struct kind *kind, bool is_main)
{
	struct ipc_message lookup = { .type = IPC_LOOKUP,
		.lookup = { .request = 1,
			.login = slice_str(kind->login),
			.source = { IP_V4, { 192, 0, 2, 1 } },
			.since = 1 } };

	work = (struct work){ 0 };
	if (is_main)
		fixture_send(fixture, &lookup, -1);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, kind->login, kind->secret), kind->reason);
	fixture_run(fixture);
	return work;
}

static void print(const char *what, const struct work *done)
{
	print_error("%s: %u prepared, %u steps, %u rows, %u texts, %u numbers, %u hashes, %u tags, "
		    "%u packets of %zu bytes\n",
		what, done->prepared, done->steps, done->rows, done->texts, done->numbers,
		done->hashes, done->tags, done->packets, done->bytes);
}

static void compare(struct fixture *fixture, const struct kind *kinds, size_t count, bool is_main)
{
	struct work first;

	/* The first of each kind finds nothing prepared and nothing known. */
	for (size_t i = 0; i < count; i++)
		(void)measure(fixture, &kinds[i], is_main);
	first = measure(fixture, &kinds[0], is_main);
	assert_true(first.steps > 0 && first.packets > 0);
	assert_int_equal(first.hashes, is_main);
	assert_true((first.tags > 0) != is_main);
	for (size_t i = 1; i < count; i++) {
		struct work other = measure(fixture, &kinds[i], is_main);

		if (memcmp(&other, &first, sizeof first) == 0)
			continue;
		print(kinds[0].login, &first);
		print(kinds[i].login, &other);
		fail_msg("kind %zu is other work than the first", i);
	}
}

static void add(struct fixture *fixture, const char *name, const char *alias)
{
	char arguments[256];

	(void)snprintf(arguments, sizeof arguments,
		"{\"address\":\"%s@example.test\",\"password\":\"correct horse\","
		"\"aliases\":[\"%s\"],\"create_domain\":true}",
		name, alias);
	assert_int_equal(fixture_op(fixture, "account.add", arguments), GP_OK);
}

static void add_device(struct fixture *fixture, const char *name, char password[static 512])
{
	char arguments[256];

	(void)snprintf(arguments, sizeof arguments,
		"{\"address\":\"%s@example.test\",\"name\":\"phone\",\"scopes\":[]}", name);
	assert_int_equal(fixture_op(fixture, "device.add", arguments), GP_OK);
	(void)fixture_value(fixture, "password", password);
}

static void test_main_passwords(void **state)
{
	struct fixture *fixture = *state;
	static const struct kind kinds[] = {
		{ "ghost@example.test", "wronged horse", REASON_UNKNOWN_ACCOUNT },
		{ "alice@example.test", "wronged horse", REASON_WRONG_PASSWORD },
		{ "carol@example.test", "correct horse", REASON_TWOFACTOR },
		{ "carol@example.test", "wronged horse", REASON_WRONG_PASSWORD },
		{ "other@example.test", "wronged horse", REASON_WRONG_PASSWORD },
	};

	add(fixture, "alice", "other@example.test");
	add(fixture, "carol", "more@example.test");
	assert_int_equal(store_account_set_twofactor(fixture->vault.store, 2, 1), GP_OK);
	compare(fixture, kinds, sizeof kinds / sizeof kinds[0], true);
}

static void test_device_passwords(void **state)
{
	struct fixture *fixture = *state;
	char alices[512];
	char carols[512];
	struct kind kinds[] = {
		{ "ghost@example.test", alices, REASON_UNKNOWN_ACCOUNT },
		{ "alice@example.test", "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa", REASON_WRONG_DEVICE },
		{ "alice@example.test", carols, REASON_WRONG_DEVICE },
		/* One that has no device at all. */
		{ "david@example.test", alices, REASON_WRONG_DEVICE },
	};

	add(fixture, "alice", "alice2@example.test");
	add(fixture, "carol", "carol2@example.test");
	add(fixture, "david", "david2@example.test");
	add_device(fixture, "alice", alices);
	add_device(fixture, "carol", carols);
	compare(fixture, kinds, sizeof kinds / sizeof kinds[0], false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_main_passwords),
		TEST(test_device_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
