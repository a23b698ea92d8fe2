/* SPDX-License-Identifier: ISC */
/* What core is told of accounts that send, and what it has kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crypt/seal.h"
#include "vault_fixture.h"

enum {
	PROFILE_BYTES = 2 * IPC_PROFILE_PART_MAX + 100
};

static const char alice[] = "{\"address\":\"alice@example.test\",\"create_domain\":true}";

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	assert_int_equal(ip_parse(slice_str(text), &ip), GP_OK);
	return ip;
}

static uint64_t add_alice(struct fixture *fixture)
{
	assert_int_equal(fixture_op(fixture, "account.add", alice), GP_OK);
	return fixture->account;
}

static const char *load(struct fixture *fixture, const struct ipc_sending_load *what)
{
	struct ipc_message message = { .type = IPC_SENDING_LOAD, .sending_load = *what };

	fixture->load[0] = fixture->profile[0] = '\0';
	fixture->parts = 0;
	fixture_send(fixture, &message, -1);
	assert_int_equal(fixture->err, GP_OK);
	return fixture->load;
}

static const char *load_account(struct fixture *fixture, uint64_t account, enum ipc_sending what)
{
	return load(
		fixture, &(struct ipc_sending_load){ .what = (uint8_t)what, .account = account });
}

static struct ipc_message sent(uint64_t account, uint32_t recipients)
{
	return (struct ipc_message){ .type = IPC_SENT,
		.sent = { .at = 1000,
			.session = 7,
			.account = account,
			.client = ip_of("192.0.2.1"),
			.sender = SLICE_LIT("alice@example.test"),
			.subject = SLICE_LIT("a secret of two"),
			.recipients = recipients,
			.strangers = 1,
			.outcome = SENT_ACCEPTED } };
}

static void names_and_block(void **state)
{
	struct fixture *fixture = *state;
	uint64_t account = add_alice(fixture);

	assert_int_equal(
		fixture_op(fixture, "alias.add",
			"{\"address\":\"alice@example.test\",\"alias\":\"a@example.test\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_SENDERS);
	assert_int_equal(fixture->account, account);
	assert_int_equal(
		fixture_op(fixture, "sender.add",
			"{\"address\":\"alice@example.test\",\"sender\":\"B@Other.test\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_SENDERS);
	assert_int_equal(fixture->account, account);
	assert_int_equal(fixture_op(fixture, "sender.add",
				 "{\"domain\":\"Example.test\",\"sender\":\"@ALL.test\"}"),
		GP_OK);
	assert_int_equal(fixture->account, 0);
	assert_string_equal(load_account(fixture, account, IPC_SENDING_NAMES),
		"alias a@example.test\nlisted b@other.test\nlisted @all.test\n");
	assert_true(fixture->found);
	assert_false(fixture->is_blocked);
	assert_int_equal(fixture_op(fixture, "account.block",
				 "{\"address\":\"alice@example.test\",\"reason\":\"x\"}"),
		GP_OK);
	(void)load_account(fixture, account, IPC_SENDING_NAMES);
	assert_true(fixture->is_blocked);
	(void)load_account(fixture, account + 1, IPC_SENDING_ACCOUNT);
	assert_false(fixture->found);
}

static void who_may_list_what(void **state)
{
	static const struct {
		const char *arguments;
		enum gp_err err;
	} cases[] = {
		{ "{\"sender\":\"b@example.test\"}", GP_ERR_SYNTAX },
		{ "{\"address\":\"alice@example.test\",\"domain\":\"example.test\","
		  "\"sender\":\"b@example.test\"}",
			GP_ERR_SYNTAX },
		{ "{\"address\":\"alice@example.test\",\"sender\":\"example.test\"}",
			GP_ERR_SYNTAX },
		{ "{\"address\":\"alice@example.test\",\"sender\":\"@\"}", GP_ERR_SYNTAX },
		{ "{\"address\":\"nobody@example.test\",\"sender\":\"b@example.test\"}",
			GP_ERR_NOT_FOUND },
		{ "{\"domain\":\"none.test\",\"sender\":\"b@example.test\"}", GP_ERR_NOT_FOUND },
		/* Bound to example.test: */
		{ "{\"address\":\"alice@example.test\",\"sender\":\"b@foreign.test\"}",
			GP_ERR_ROLE },
		{ "{\"address\":\"alice@example.test\",\"sender\":\"@foreign.test\"}",
			GP_ERR_ROLE },
		{ "{\"domain\":\"other.test\",\"sender\":\"b@example.test\"}", GP_ERR_NOT_FOUND },
		{ "{\"address\":\"carol@other.test\",\"sender\":\"b@example.test\"}",
			GP_ERR_NOT_FOUND },
		{ "{\"address\":\"alice@example.test\",\"sender\":\"b@example.test\"}", GP_OK },
		{ "{\"address\":\"alice@example.test\",\"sender\":\"b@example.test\"}",
			GP_ERR_EXISTS },
		{ "{\"domain\":\"example.test\",\"sender\":\"@example.test\"}", GP_OK },
	};
	struct fixture *fixture = *state;

	(void)add_alice(fixture);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"carol@other.test\",\"create_domain\":true}"),
		GP_OK);
	fixture->domains = "example.test";
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		print_message("%s\n", cases[i].arguments);
		assert_int_equal(
			fixture_op(fixture, "sender.add", cases[i].arguments), cases[i].err);
	}
	assert_int_equal(fixture_op(fixture, "sender.remove",
				 "{\"domain\":\"example.test\",\"sender\":\"@example.test\"}"),
		GP_OK);
	assert_int_equal(
		fixture_op(fixture, "sender.list", "{\"domain\":\"example.test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
}

/* Larger than a packet, and the last part lost: that one is not kept. */
static void profiles_come_in_parts(void **state)
{
	struct fixture *fixture = *state;
	uint64_t account = add_alice(fixture);
	char *bytes = mem_new(PROFILE_BYTES, 1);
	struct ipc_message message = { .type = IPC_PROFILE_PART };
	struct ipc_profile_part *part = &message.profile_part;

	memset(bytes, 'p', PROFILE_BYTES);
	*part = (struct ipc_profile_part){ account, true, false,
		slice_of(bytes, IPC_PROFILE_PART_MAX) };
	fixture_post(fixture, &message);
	part->is_first = false;
	fixture_post(fixture, &message);
	part->bytes.len = 100;
	part->is_last = true;
	fixture_send(fixture, &message, -1);
	assert_int_equal(fixture->err, GP_OK);
	assert_true(fixture->found);
	assert_string_equal(
		load_account(fixture, account, IPC_SENDING_ACCOUNT), "part\npart\npart\n");
	assert_int_equal(strlen(fixture->profile), PROFILE_BYTES + 3);
	memset(bytes, 'q', PROFILE_BYTES);
	*part = (struct ipc_profile_part){ account, true, false, slice_of(bytes, 10) };
	fixture_post(fixture, &message);
	*part = (struct ipc_profile_part){ account + 1, false, true, slice_of(bytes, 10) };
	fixture_post(fixture, &message);
	fixture_run(fixture);
	*part = (struct ipc_profile_part){ account + 1, true, true, slice_of(bytes, 10) };
	fixture_send(fixture, &message, -1);
	assert_false(fixture->found);
	(void)load_account(fixture, account, IPC_SENDING_ACCOUNT);
	assert_null(strchr(fixture->profile, 'q'));
	mem_free(bytes);
}

static void what_was_sent_is_kept_once(void **state)
{
	struct fixture *fixture = *state;
	uint64_t account = add_alice(fixture);
	struct ipc_message journal = { .type = IPC_JOURNAL, .journal = { .number = 100 } };
	struct ipc_message message = sent(account, 3);

	/* In the same turn as the question: it is in the answer. */
	fixture_post(fixture, &journal);
	fixture_post(fixture, &message);
	assert_string_equal(
		load_account(fixture, account, IPC_SENDING_ACCOUNT), "spent 1000 1 3 1\n");
	/* Sent again, and one more. */
	fixture_post(fixture, &journal);
	fixture_post(fixture, &message);
	message.sent.at = 2000;
	fixture_post(fixture, &message);
	assert_string_equal(load_account(fixture, account, IPC_SENDING_ACCOUNT),
		"spent 1000 1 3 1\nspent 2000 1 3 1\n");
	assert_string_equal(load(fixture, &(struct ipc_sending_load){ .what = IPC_SENDING_DOMAIN,
						  .domain = SLICE_LIT("example.test"),
						  .since = 1500 }),
		"spent 2000 1 3 1\n");
	assert_string_equal(load(fixture, &(struct ipc_sending_load){ .what = IPC_SENDING_SOURCE,
						  .source = ip_of("192.0.2.1"),
						  .since = 1500 }),
		"spent 2000 1 3 1\n");
}

static void subjects_are_sealed_for_their_account(void **state)
{
	struct fixture *fixture = *state;
	struct buf sealed, opened;

	buf_init(&sealed, 1000);
	buf_init(&opened, 1000);
	assert_int_equal(
		sending_state_seal(&fixture->vault, 7, SLICE_LIT("hello"), &sealed), GP_OK);
	assert_int_equal(sealed.len, 5 + SEAL_OVERHEAD);
	assert_int_equal(
		sending_state_open(&fixture->vault, 8, buf_slice(&sealed), &opened), GP_ERR_DENIED);
	assert_int_equal(
		sending_state_open(&fixture->vault, 7, buf_slice(&sealed), &opened), GP_OK);
	assert_true(slice_is(buf_slice(&opened), "hello"));
	buf_fini(&sealed);
	buf_fini(&opened);
}

static void the_key_stays(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = { .type = IPC_LOAD, .load = { .request = 9 } };
	unsigned char first[sizeof fixture->sending_key];
	const unsigned char none[sizeof fixture->sending_key] = { 0 };

	fixture_send(fixture, &message, -1);
	memcpy(first, fixture->sending_key, sizeof first);
	assert_memory_not_equal(first, none, sizeof first);
	memset(fixture->sending_key, 0, sizeof fixture->sending_key);
	fixture_send(fixture, &message, -1);
	assert_memory_equal(first, fixture->sending_key, sizeof first);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(names_and_block),
		CASE(who_may_list_what),
		CASE(profiles_come_in_parts),
		CASE(what_was_sent_is_kept_once),
		CASE(subjects_are_sealed_for_their_account),
		CASE(the_key_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
