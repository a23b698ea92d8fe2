/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "policy/signin.h"

static const struct {
	const char *domain;
	const char *alias_of;
} domains[] = {
	{ "example.test", NULL },
	{ "mail.example.test", "example.test" },
	{ "other.test", NULL },
	{ "imap.other.test", "mail.other.test" },
	{ "mail.other.test", "other.test" },
	{ "xn--bcher-kva.test", NULL },
	{ "round.test", "about.test" },
	{ "about.test", "round.test" },
};

static enum signin_domain_kind find(void *owner, struct slice domain, struct slice *ret_target)
{
	(void)owner;
	for (size_t i = 0; i < GP_ARRAY_LEN(domains); i++) {
		if (!slice_is(domain, domains[i].domain))
			continue;
		if (domains[i].alias_of == NULL)
			return SIGNIN_DOMAIN_OWN;
		*ret_target = slice_str(domains[i].alias_of);
		return SIGNIN_DOMAIN_ALIAS;
	}
	return SIGNIN_DOMAIN_FOREIGN;
}

struct name_case {
	const char *typed;
	const char *canonical; /* NULL: malformed */
	const char *sni;
	const char *listener;
	const char *global;
};

static const struct name_case name_cases[] = {
	{ "alice@example.test", "alice@example.test", NULL, NULL, NULL },
	{ "Alice@Example.TEST", "alice@example.test", NULL, NULL, NULL },
	{ " \talice@example.test ", "alice@example.test", NULL, NULL, NULL },
	{ "alice@example.test.", "alice@example.test", NULL, NULL, NULL },
	{ "alice%example.test", "alice@example.test", NULL, NULL, NULL },
	{ "ALICE%EXAMPLE.TEST.", "alice@example.test", NULL, NULL, NULL },
	{ "alice@mail.example.test", "alice@example.test", NULL, NULL, NULL },
	{ "alice%mail.example.test", "alice@example.test", NULL, NULL, NULL },
	{ "bob@imap.other.test", "bob@other.test", NULL, NULL, NULL },
	{ "alice+tag@example.test", "alice+tag@example.test", NULL, NULL, NULL },
	{ "a.b_c-d@sub.example.test", "a.b_c-d@sub.example.test", NULL, NULL, NULL },
	/* % is an ordinary character where @ says what the domain is. */
	{ "alice%x@example.test", "alice%x@example.test", NULL, NULL, NULL },
	{ "a@b@example.test", "a@b@example.test", NULL, NULL, NULL },
	/* The domain of a name without one. */
	{ "alice", "alice@example.test", NULL, NULL, "example.test" },
	{ "alice", "alice@other.test", NULL, "other.test", "example.test" },
	{ "alice", "alice@example.test", "mail.example.test", "other.test", "other.test" },
	{ "alice", "alice@example.test", "MAIL.example.test.", "other.test", NULL },
	{ "alice", "alice@other.test", "other.test", "example.test", "example.test" },
	{ "alice", "alice@other.test", "unknown.test", "other.test", "example.test" },
	{ "alice", "alice@example.test", "not a name", NULL, "Example.Test" },
	{ "alice", "alice@example.test", NULL, "mail.example.test", NULL },
	{ "alice", NULL, NULL, NULL, NULL },
	{ "alice", NULL, "unknown.test", NULL, NULL },
	{ "alice@example.test", "alice@example.test", "other.test", "other.test", "other.test" },
	/* Both ways to write an umlaut, both ways to write a label, both cases. */
	{ "alice@b\xc3\xbc"
	  "cher.test",
		"alice@xn--bcher-kva.test", NULL, NULL, NULL },
	{ "alice@bu\xcc\x88"
	  "cher.test",
		"alice@xn--bcher-kva.test", NULL, NULL, NULL },
	{ "alice@B\xc3\x9c"
	  "CHER.test",
		"alice@xn--bcher-kva.test", NULL, NULL, NULL },
	{ "alice@XN--BCHER-KVA.test", "alice@xn--bcher-kva.test", NULL, NULL, NULL },
	{ "j\xc3\xb6rg@example.test", "j\xc3\xb6rg@example.test", NULL, NULL, NULL },
	{ "jo\xcc\x88rg@example.test", "j\xc3\xb6rg@example.test", NULL, NULL, NULL },
	{ "J\xc3\x96RG@example.test", "j\xc3\xb6rg@example.test", NULL, NULL, NULL },
	/* No account can be called so. */
	{ "", NULL, NULL, NULL, "example.test" },
	{ "   ", NULL, NULL, NULL, "example.test" },
	{ "@example.test", NULL, NULL, NULL, "example.test" },
	{ "alice@", NULL, NULL, NULL, "example.test" },
	{ "alice%", NULL, NULL, NULL, "example.test" },
	{ "alice@.", NULL, NULL, NULL, "example.test" },
	{ "alice@example.test..", NULL, NULL, NULL, "example.test" },
	{ "alice@.example.test", NULL, NULL, NULL, "example.test" },
	{ "alice@example..test", NULL, NULL, NULL, "example.test" },
	{ "alice@exa mple.test", NULL, NULL, NULL, "example.test" },
	{ "alice@exa\nmple.test", NULL, NULL, NULL, "example.test" },
	{ "ali\tce@example.test", NULL, NULL, NULL, "example.test" },
	{ "ali\xff"
	  "ce@example.test",
		NULL, NULL, NULL, "example.test" },
	{ "alice@ex\xc3"
	  "ample.test",
		NULL, NULL, NULL, "example.test" },
	{ "\xc2\x85@example.test", NULL, NULL, NULL, "example.test" },
};

static struct signin_names names_of(const struct name_case *test)
{
	return (struct signin_names){
		.sni = slice_str(test->sni),
		.listener_default = slice_str(test->listener),
		.global_default = slice_str(test->global),
		.find = find,
	};
}

static void names_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(name_cases); i++) {
		const struct name_case *test = &name_cases[i];
		struct signin_names names = names_of(test);
		char out[SIGNIN_LOGIN_SIZE] = "untouched";
		bool ok = signin_canonical(slice_str(test->typed), &names, out);

		print_message("\"%s\" -> \"%s\"\n", test->typed, out);
		assert_int_equal(ok, test->canonical != NULL);
		assert_string_equal(out, test->canonical != NULL ? test->canonical : "");
	}
}

static void a_nul_is_malformed(void **state)
{
	struct signin_names names = { .find = find, .global_default = SLICE_LIT("example.test") };
	char out[SIGNIN_LOGIN_SIZE];

	(void)state;
	assert_false(signin_canonical(SLICE_LIT("ali\0ce@example.test"), &names, out));
	assert_false(signin_canonical(SLICE_LIT("alice@example.test\0"), &names, out));
	assert_false(signin_canonical(SLICE_LIT("alice\0"), &names, out));
}

static void limits_are_those_of_the_standard(void **state)
{
	struct signin_names names = { .find = find };
	char typed[1024];
	char out[SIGNIN_LOGIN_SIZE];
	char domain[300];
	size_t len = 0;

	(void)state;
	while (len + 63 <= 255) {
		memset(domain + len, 'd', 63);
		domain[len + 63] = '.';
		len += 64;
	}
	domain[255] = '\0';
	memset(typed, 'l', 64);
	typed[64] = '@';
	memcpy(typed + 65, domain, 256);
	assert_true(signin_canonical(slice_str(typed), &names, out));
	assert_int_equal(strlen(out), SIGNIN_LOGIN_MAX);
	/* One byte more on each side. */
	memset(typed, 'l', 65);
	typed[65] = '@';
	memcpy(typed + 66, "example.test", 13);
	assert_false(signin_canonical(slice_str(typed), &names, out));
	memset(domain, 'd', 64);
	memcpy(domain + 64, ".test", 6);
	assert_false(signin_domain(slice_str(domain), typed));
	memset(typed, 'a', sizeof typed);
	assert_false(signin_canonical(slice_of(typed, sizeof typed), &names, out));
}

static void a_circle_of_aliases_ends(void **state)
{
	struct signin_names names = { .find = find };
	char out[SIGNIN_LOGIN_SIZE];

	(void)state;
	assert_true(signin_canonical(SLICE_LIT("alice@round.test"), &names, out));
	assert_string_equal(out, "alice@round.test");
}

static void answers_of_the_vault_are_judged(void **state)
{
	static const struct {
		enum reason reason;
		enum verdict verdict;
		bool is_failure;
	} cases[] = {
		{ REASON_OK, VERDICT_OK, false },
		{ REASON_WRONG_PASSWORD, VERDICT_DENY, true },
		{ REASON_UNKNOWN_ACCOUNT, VERDICT_DENY, true },
		{ REASON_ACCOUNT_OFF, VERDICT_DENY, true },
		{ REASON_NO_PASSWORD, VERDICT_DENY, true },
		{ REASON_TWOFACTOR, VERDICT_DENY, true },
		{ REASON_UNCHECKED, VERDICT_DENY, true },
		{ REASON_WRONG_DEVICE, VERDICT_DENY, true },
		{ REASON_DEVICE_SCOPE, VERDICT_DENY, false },
	};
	unsigned listed = 0;

	(void)state;
	for (unsigned reason = 0; reason < REASON_MAX; reason++) {
		struct signin_judgement got = signin_judge((enum reason)reason, false);
		bool is_listed = false;

		for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
			if (cases[i].reason != reason)
				continue;
			is_listed = true;
			assert_int_equal(got.verdict, cases[i].verdict);
			assert_int_equal(got.is_failure, cases[i].is_failure);
		}
		if (!is_listed) {
			assert_int_equal(got.verdict, VERDICT_TEMPORARY);
			assert_false(got.is_failure);
		}
		listed += is_listed;
	}
	assert_int_equal(listed, GP_ARRAY_LEN(cases));
	/* A known source: the owner's own mail program; all else as before. */
	assert_int_equal(signin_judge(REASON_TWOFACTOR, true).verdict, VERDICT_DENY);
	assert_false(signin_judge(REASON_TWOFACTOR, true).is_failure);
	assert_true(signin_judge(REASON_WRONG_PASSWORD, true).is_failure);
	assert_true(signin_judge(REASON_OK, true).verdict == VERDICT_OK);
}

static void a_tag_names_one_guess(void **state)
{
	unsigned char key[SIGNIN_TAG_KEY_SIZE] = { 1 };
	unsigned char other_key[SIGNIN_TAG_KEY_SIZE] = { 2 };
	unsigned char tags[6][SIGNIN_TAG_SIZE];
	unsigned char again[SIGNIN_TAG_SIZE];

	(void)state;
	signin_tag(key, SLICE_LIT("192.0.2.1"), SLICE_LIT("a@b"), SLICE_LIT("x"), tags[0]);
	signin_tag(key, SLICE_LIT("192.0.2.2"), SLICE_LIT("a@b"), SLICE_LIT("x"), tags[1]);
	signin_tag(key, SLICE_LIT("192.0.2.1"), SLICE_LIT("c@b"), SLICE_LIT("x"), tags[2]);
	signin_tag(key, SLICE_LIT("192.0.2.1"), SLICE_LIT("a@b"), SLICE_LIT("y"), tags[3]);
	signin_tag(key, SLICE_LIT("192.0.2.1"), SLICE_LIT("a@bx"), SLICE_LIT(""), tags[4]);
	signin_tag(other_key, SLICE_LIT("192.0.2.1"), SLICE_LIT("a@b"), SLICE_LIT("x"), tags[5]);
	signin_tag(key, SLICE_LIT("192.0.2.1"), SLICE_LIT("a@b"), SLICE_LIT("x"), again);
	assert_memory_equal(tags[0], again, SIGNIN_TAG_SIZE);
	for (size_t i = 0; i < GP_ARRAY_LEN(tags); i++) {
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(tags[i], tags[j], SIGNIN_TAG_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_one_form),
		cmocka_unit_test(a_nul_is_malformed),
		cmocka_unit_test(limits_are_those_of_the_standard),
		cmocka_unit_test(a_circle_of_aliases_ends),
		cmocka_unit_test(answers_of_the_vault_are_judged),
		cmocka_unit_test(a_tag_names_one_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
