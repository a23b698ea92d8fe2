/* SPDX-License-Identifier: ISC */
/* What is done to one case is done to no other, and to none that is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/store_case.h"
#include "store_fixture.h"

enum {
	AT = 1000000, /* when cases are opened */
	MAX = 3,
};

static const uint8_t tags[][STORE_TAG_SIZE] = { { 1 }, { 2 }, { 3 }, { 4 }, { 5 }, { 6 } };

static uint64_t open_case(struct store *store, uint64_t account, const char *kind, int64_t at)
{
	struct store_case begun = { .account = account,
		.opened_at = at,
		.began_at = at - 100,
		.reason = "9 points",
		.session = "00000000000000ab",
		.device = 5,
		.opened_by = "core" };
	uint64_t id = 0;

	(void)snprintf(begun.kind, sizeof begun.kind, "%s", kind);
	assert_int_equal(store_case_open(store, &begun, &id), GP_OK);
	return id;
}

static struct store_case get(struct store *store, uint64_t id)
{
	struct store_case found;

	memset(&found, 0, sizeof found);
	assert_int_equal(store_case_get(store, id, &found), GP_OK);
	return found;
}

static void check_alike(const struct store_case *a, const struct store_case *b)
{
	assert_true(a->id == b->id && a->account == b->account && a->opened_at == b->opened_at &&
		    a->began_at == b->began_at && a->device == b->device &&
		    a->is_repeat == b->is_repeat && a->is_for_staff == b->is_for_staff &&
		    a->answered_at == b->answered_at && a->proof_at == b->proof_at &&
		    a->proof_portal == b->proof_portal && a->wrong == b->wrong &&
		    a->password_at == b->password_at && a->closed_at == b->closed_at);
	assert_string_equal(a->kind, b->kind);
	assert_string_equal(a->reason, b->reason);
	assert_string_equal(a->session, b->session);
	assert_string_equal(a->opened_by, b->opened_by);
	assert_string_equal(a->answer, b->answer);
	assert_string_equal(a->proof, b->proof);
	assert_string_equal(a->closed_by, b->closed_by);
	assert_string_equal(a->outcome, b->outcome);
	assert_string_equal(a->address, b->address);
}

/* ---- one after the other ---- */

static enum gp_err do_answer(struct store *store, uint64_t id)
{
	return store_case_answer(store, id, "yes", true, AT + 1);
}

static enum gp_err do_prove(struct store *store, uint64_t id)
{
	return store_case_prove(store, id, "panel", 77, AT + 2);
}

static enum gp_err do_wrong(struct store *store, uint64_t id)
{
	return store_case_note_wrong(store, id);
}

static enum gp_err do_password(struct store *store, uint64_t id)
{
	return store_case_note_password(store, id, AT + 3);
}

static enum gp_err do_keep(struct store *store, uint64_t id)
{
	return store_case_keep(store, id, SLICE_LIT("staff@example.test"));
}

static enum gp_err do_raise(struct store *store, uint64_t id)
{
	const struct store_case raised = { .id = id,
		.kind = "ask",
		.reason = "99 points",
		.session = "00000000000000cd",
		.device = 6,
		.opened_by = "admin@example.test",
		.is_repeat = true,
		.began_at = AT - 200 };

	return store_case_raise(store, &raised);
}

static enum gp_err do_close(struct store *store, uint64_t id)
{
	return store_case_close(store, id, "released", SLICE_LIT("owner"), AT + 4);
}

static const struct step {
	const char *name;
	enum gp_err (*act)(struct store *store, uint64_t id);
} steps[] = {
	{ "answer", do_answer },
	{ "prove", do_prove },
	{ "wrong", do_wrong },
	{ "password", do_password },
	{ "keep", do_keep },
	{ "raise", do_raise },
	{ "close", do_close },
};

static void check_step(
	const char *name, const struct store_case *before, const struct store_case *after)
{
	struct store_case wanted = *before;

	if (strcmp(name, "answer") == 0) {
		(void)snprintf(wanted.answer, sizeof wanted.answer, "yes");
		wanted.answered_at = AT + 1;
		wanted.is_for_staff = true;
	} else if (strcmp(name, "prove") == 0) {
		(void)snprintf(wanted.proof, sizeof wanted.proof, "panel");
		wanted.proof_portal = 77;
		wanted.proof_at = AT + 2;
	} else if (strcmp(name, "wrong") == 0) {
		wanted.wrong++;
	} else if (strcmp(name, "password") == 0) {
		wanted.password_at = AT + 3;
	} else if (strcmp(name, "keep") == 0) {
		(void)snprintf(wanted.outcome, sizeof wanted.outcome, "kept");
		(void)snprintf(wanted.closed_by, sizeof wanted.closed_by, "staff@example.test");
		wanted.is_for_staff = true;
	} else if (strcmp(name, "raise") == 0) {
		(void)snprintf(wanted.kind, sizeof wanted.kind, "block");
		(void)snprintf(wanted.reason, sizeof wanted.reason, "99 points");
		(void)snprintf(wanted.session, sizeof wanted.session, "00000000000000cd");
		(void)snprintf(wanted.opened_by, sizeof wanted.opened_by, "admin@example.test");
		wanted.device = 6;
		wanted.is_repeat = true;
		wanted.began_at = AT - 200;
		wanted.answer[0] = '\0';
		wanted.answered_at = 0;
		wanted.is_for_staff = false;
	} else {
		(void)snprintf(wanted.outcome, sizeof wanted.outcome, "released");
		(void)snprintf(wanted.closed_by, sizeof wanted.closed_by, "owner");
		wanted.closed_at = AT + 4;
	}
	check_alike(&wanted, after);
}

static void test_steps(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	uint64_t hers = open_case(store, alice, STORE_CASE_ASK, AT);
	uint64_t his = open_case(store, bob, STORE_CASE_ASK, AT);
	struct store_case bobs = get(store, his);
	struct store_case closed;

	assert_string_equal(bobs.address, "bob@example.test");
	assert_int_equal(bobs.device, 5);
	assert_int_equal(bobs.opened_at, AT);
	assert_int_equal(bobs.began_at, AT - 100);
	assert_false(bobs.is_repeat);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct store_case before = get(store, hers);
		struct store_case after;

		print_message("%s\n", steps[i].name);
		assert_int_equal(steps[i].act(store, hers), GP_OK);
		after = get(store, hers);
		check_step(steps[i].name, &before, &after);
		after = get(store, his);
		check_alike(&bobs, &after);
	}
	closed = get(store, hers);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct store_case after;

		assert_int_equal(steps[i].act(store, hers), GP_ERR_NOT_FOUND);
		after = get(store, hers);
		check_alike(&closed, &after);
	}
}

/* A block began no later than the question it comes from. */
static void test_raised_keeps_the_earlier_beginning(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	struct store_case raised = { .id = open_case(store, alice, STORE_CASE_ASK, AT),
		.began_at = AT };

	assert_int_equal(store_case_raise(store, &raised), GP_OK);
	assert_int_equal(get(store, raised.id).began_at, AT - 100);
}

/* ---- whose ---- */

static void test_find_and_last(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	uint64_t first = open_case(store, alice, STORE_CASE_BLOCK, AT);
	uint64_t second;
	uint64_t ignored = 0;
	struct store_case found;

	assert_int_equal(store_case_find(store, bob, &found), GP_ERR_NOT_FOUND);
	assert_int_equal(store_case_last(store, bob, &found), GP_ERR_NOT_FOUND);
	found = get(store, first);
	assert_int_equal(store_case_open(store, &found, &ignored), GP_ERR_EXISTS);
	assert_int_equal(do_close(store, first), GP_OK);
	assert_int_equal(store_case_find(store, alice, &found), GP_ERR_NOT_FOUND);
	assert_int_equal(store_case_last(store, alice, &found), GP_OK);
	assert_int_equal(found.id, first);
	second = open_case(store, alice, STORE_CASE_BLOCK, AT + 1);
	(void)open_case(store, bob, STORE_CASE_BLOCK, AT + 2);
	assert_int_equal(store_case_find(store, alice, &found), GP_OK);
	assert_int_equal(found.id, second);
	assert_int_equal(store_case_last(store, alice, &found), GP_OK);
	assert_int_equal(found.id, second);
	assert_int_equal(store_case_get(store, 99, &found), GP_ERR_NOT_FOUND);
}

struct listed {
	uint64_t ids[8];
	size_t count;
};

static enum gp_err on_case(const struct store_case *found, void *arg)
{
	struct listed *listed = arg;

	listed->ids[listed->count++] = found->id;
	return GP_OK;
}

static struct listed each(struct store *store, bool with_closed, uint64_t before, uint64_t limit)
{
	struct listed listed = { .count = 0 };

	assert_int_equal(
		store_case_each(store, with_closed, SLICE_LIT(""), before, limit, on_case, &listed),
		GP_OK);
	return listed;
}

static void test_each(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	uint64_t first = open_case(store, alice, STORE_CASE_BLOCK, AT);
	uint64_t second = open_case(store, bob, STORE_CASE_BLOCK, AT);
	uint64_t third;

	assert_int_equal(do_close(store, first), GP_OK);
	third = open_case(store, alice, STORE_CASE_ASK, AT);
	assert_int_equal(each(store, true, 0, 9).count, 3);
	assert_int_equal(each(store, true, 0, 9).ids[0], third);
	assert_int_equal(each(store, true, 0, 9).ids[2], first);
	assert_int_equal(each(store, true, 0, 2).count, 2);
	assert_int_equal(each(store, true, third, 9).count, 2);
	assert_int_equal(each(store, true, third, 9).ids[0], second);
	assert_int_equal(each(store, false, 0, 9).count, 2);
}

static bool was_blocked(struct store *store, uint64_t account, int64_t since)
{
	bool was = false;

	assert_int_equal(store_case_was_blocked(store, account, since, &was), GP_OK);
	return was;
}

static void test_was_blocked(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	uint64_t id = open_case(store, alice, STORE_CASE_BLOCK, AT);

	assert_false(was_blocked(store, alice, 0)); /* it still is */
	assert_int_equal(do_close(store, id), GP_OK);
	assert_true(was_blocked(store, alice, AT));
	assert_false(was_blocked(store, alice, AT + 1));
	assert_false(was_blocked(store, bob, 0));
	id = open_case(store, bob, STORE_CASE_ASK, AT);
	assert_int_equal(do_close(store, id), GP_OK);
	assert_false(was_blocked(store, bob, 0)); /* was asked */
	id = open_case(store, bob, STORE_CASE_BLOCK, AT);
	assert_int_equal(store_case_close(store, id, "confirmed", SLICE_LIT("owner"), AT), GP_OK);
	assert_false(was_blocked(store, bob, 0)); /* was himself */
}

/* ---- sources ---- */

static bool has_source(struct store *store, uint64_t id, uint8_t last)
{
	struct ip ip = { IP_V4, { 192, 0, 2, last } };
	bool has = false;

	assert_int_equal(store_case_has_source(store, id, &ip, &has), GP_OK);
	return has;
}

static void add_source(struct store *store, uint64_t id, uint8_t last)
{
	struct ip ip = { IP_V4, { 192, 0, 2, last } };

	assert_int_equal(store_case_add_source(store, id, &ip), GP_OK);
}

static void test_sources(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	uint64_t hers = open_case(store, alice, STORE_CASE_BLOCK, AT);
	uint64_t his = open_case(store, bob, STORE_CASE_BLOCK, AT);

	for (uint8_t i = 0; i < STORE_CASE_SOURCES_MAX + 1; i++)
		add_source(store, hers, i);
	assert_true(has_source(store, hers, STORE_CASE_SOURCES_MAX - 1));
	assert_false(has_source(store, hers, STORE_CASE_SOURCES_MAX));
	assert_false(has_source(store, his, 0));
	add_source(store, his, 200);
	add_source(store, his, 200);
	assert_true(has_source(store, his, 200));
	assert_false(has_source(store, hers, 200));
}

/* ---- secrets ---- */

static enum gp_err add(struct store *store, uint64_t id, const char *kind, uint64_t portal,
	int64_t at, const uint8_t *tag)
{
	const struct store_case_secret secret = {
		.id = id, .kind = kind, .portal = portal, .created_at = at, .expires_at = at + 100
	};

	return store_case_add_secret(store, &secret, tag, at - 1000, MAX);
}

static bool has(struct store *store, uint64_t id, const char *kind, int64_t now)
{
	bool found = false;

	assert_int_equal(store_case_has_secret(store, id, kind, now, &found), GP_OK);
	return found;
}

static void test_secrets_are_of_one_case(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t hers = open_case(
		store, fixture_account(store, "alice@example.test"), STORE_CASE_BLOCK, AT);
	uint64_t his =
		open_case(store, fixture_account(store, "bob@example.test"), STORE_CASE_BLOCK, AT);
	uint64_t id = 0;
	int64_t expires_at = 0;
	bool is_used = false;

	assert_int_equal(store_case_note_wrong(store, his), GP_OK);
	assert_int_equal(add(store, hers, "address", 7, AT, tags[0]), GP_OK);
	assert_int_equal(get(store, his).wrong, 1);
	assert_false(has(store, his, "address", AT));
	assert_false(has(store, hers, "panel", AT));
	assert_true(has(store, hers, "address", AT + 99));
	assert_false(has(store, hers, "address", AT + 100));
	assert_int_equal(
		store_case_find_secret(store, "panel", tags[0], &id, &expires_at, &is_used),
		GP_ERR_NOT_FOUND);
	assert_int_equal(
		store_case_find_secret(store, "address", tags[0], &id, &expires_at, &is_used),
		GP_OK);
	assert_true(id == hers && expires_at == AT + 100 && !is_used);
	/* Another case, kind, session, and too late. */
	assert_int_equal(
		store_case_use_secret(store, his, "address", 7, tags[0], AT), GP_ERR_NOT_FOUND);
	assert_int_equal(
		store_case_use_secret(store, hers, "panel", 7, tags[0], AT), GP_ERR_NOT_FOUND);
	assert_int_equal(
		store_case_use_secret(store, hers, "address", 8, tags[0], AT), GP_ERR_NOT_FOUND);
	assert_int_equal(
		store_case_use_secret(store, hers, "address", 7, tags[1], AT), GP_ERR_NOT_FOUND);
	assert_int_equal(store_case_use_secret(store, hers, "address", 7, tags[0], AT + 100),
		GP_ERR_NOT_FOUND);
	assert_int_equal(store_case_use_secret(store, hers, "address", 7, tags[0], AT + 99), GP_OK);
	assert_int_equal(store_case_use_secret(store, hers, "address", 7, tags[0], AT + 99),
		GP_ERR_NOT_FOUND);
	assert_false(has(store, hers, "address", AT));
	assert_int_equal(
		store_case_find_secret(store, "address", tags[0], &id, &expires_at, &is_used),
		GP_OK);
	assert_true(is_used);
}

static void test_secrets_replace_and_are_counted(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t hers = open_case(
		store, fixture_account(store, "alice@example.test"), STORE_CASE_BLOCK, AT);
	uint64_t his =
		open_case(store, fixture_account(store, "bob@example.test"), STORE_CASE_BLOCK, AT);

	assert_int_equal(add(store, his, "address", 7, AT, tags[0]), GP_OK);
	assert_int_equal(add(store, hers, "panel", 7, AT, tags[1]), GP_OK);
	assert_int_equal(add(store, hers, "address", 8, AT, tags[2]), GP_OK);
	assert_int_equal(add(store, hers, "address", 7, AT, tags[3]), GP_OK);
	assert_int_equal(store_case_note_wrong(store, hers), GP_OK);
	assert_int_equal(add(store, hers, "address", 7, AT + 1, tags[4]), GP_OK);
	assert_int_equal(get(store, hers).wrong, 0);
	/* Three of the kind within the time are all; each of its own session. */
	assert_int_equal(add(store, hers, "address", 9, AT + 1000, tags[5]), GP_ERR_LIMIT);
	assert_int_equal(store_case_use_secret(store, hers, "address", 7, tags[3], AT + 2),
		GP_ERR_NOT_FOUND);
	assert_int_equal(store_case_use_secret(store, hers, "address", 7, tags[4], AT + 2), GP_OK);
	assert_int_equal(store_case_use_secret(store, hers, "address", 8, tags[2], AT + 2), GP_OK);
	assert_int_equal(store_case_use_secret(store, hers, "panel", 7, tags[1], AT + 2), GP_OK);
	assert_int_equal(store_case_use_secret(store, his, "address", 7, tags[0], AT + 2), GP_OK);
	assert_int_equal(add(store, hers, "address", 9, AT + 1001, tags[5]), GP_OK);
	/* Of another kind: the wrong codes stay. */
	assert_int_equal(store_case_note_wrong(store, hers), GP_OK);
	assert_int_equal(
		add(store, hers, "link", 0, AT, (const uint8_t[STORE_TAG_SIZE]){ 9 }), GP_OK);
	assert_int_equal(get(store, hers).wrong, 1);
	/* Whoever has one of no session may use it in any. */
	assert_int_equal(store_case_use_secret(
				 store, hers, "link", 55, (const uint8_t[STORE_TAG_SIZE]){ 9 }, AT),
		GP_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_steps),
		TEST(test_raised_keeps_the_earlier_beginning),
		TEST(test_find_and_last),
		TEST(test_each),
		TEST(test_was_blocked),
		TEST(test_sources),
		TEST(test_secrets_are_of_one_case),
		TEST(test_secrets_replace_and_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
