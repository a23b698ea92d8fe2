/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/secret.h"
#include "crypt/pwhash.h"

#define SECRET "correct horse \xc3\xa9"
#define ARGON2 "MDEyMzQ1Njc4OWFiY2RlZg$C9m4JdLe7/am0RvkY92SIB6+jwLaq/qo5oXPGREhi38"

static struct pwhash_policy policy;

/* Made with doveadm pw, crypt(3), libargon2 and Python's hashlib; stored NULL: kept as it came. */
static const struct {
	const char *text;
	const char *stored;
} good[] = {
	{ "{SHA}/8wfRUGm8tTSBrWrjhQj2hPe5cw=", NULL },
	{ "{SHA1}/8wfRUGm8tTSBrWrjhQj2hPe5cw=", "{SHA}/8wfRUGm8tTSBrWrjhQj2hPe5cw=" },
	{ "{SHA256}dnWSPHvvy1uKaWcqmYwmaT6nw3xnItNMK/+qBM7cqPQ=", NULL },
	{ "{SHA256.HEX}7675923c7befcb5b8a69672a998c26693ea7c37c6722d34c2bffaa04cedca8f4",
		"{SHA256}dnWSPHvvy1uKaWcqmYwmaT6nw3xnItNMK/+qBM7cqPQ=" },
	{ "{sha256}7675923C7BEFCB5B8A69672A998C26693EA7C37C6722D34C2BFFAA04CEDCA8F4",
		"{SHA256}dnWSPHvvy1uKaWcqmYwmaT6nw3xnItNMK/+qBM7cqPQ=" },
	{ "{SHA512}MXUDA5XJIbzCL1zkh0J7i80NgSYLy0kppdxSndOX8keOxPfn8WNZ3BcTFL16Vm5FkXJtjLC9zdTsz5NA"
	  "SNxjhg==",
		NULL },
	{ "{SSHA}uraO+FZEfhly83OkkI1bROMCEYI7sUNo", NULL },
	{ "{SSHA.HEX}7f311f573755f24b45eb1788f3e1305c267dee9abfd17ad8",
		"{SSHA}fzEfVzdV8ktF6xeI8+EwXCZ97pq/0XrY" },
	{ "{SSHA256}LgR+qTYikAKKFpEGTsnstLvi7xY6E9JymV9HzSeEHNoRGR78", NULL },
	{ "{SSHA512}j6VmmLGAl2tWgz0nwKTvBjH1rgkU7f1w2QtCxiDCifHPiVsHgACa5Qz1pm4uzaZ2A7+/"
	  "3ZZ1JyPlBd7p"
	  "YB0ll4n5Ibg=",
		NULL },
	{ "{SSHA512.b64}wbjTF+MCjiCYVAPSm0RuuGvR228KO67LHLv8wae/"
	  "t4E1wSm3c+1Di2dZaYgQVOFK21FaVwX18RI9"
	  "1Nbm0tqaSYfYX2I=",
		"{SSHA512}wbjTF+MCjiCYVAPSm0RuuGvR228KO67LHLv8wae/"
		"t4E1wSm3c+1Di2dZaYgQVOFK21FaVwX18R"
		"I91Nbm0tqaSYfYX2I=" },
	{ "{SMD5}azZddM2hYKzjePCT/vWDyty9Ncw=", NULL },
	{ "{PLAIN-MD5}99d4eaa3c4a60dc3228acb823b8924be", "{PLAIN-MD5}mdTqo8SmDcMiisuCO4kkvg==" },
	{ "{LDAP-MD5}mdTqo8SmDcMiisuCO4kkvg==", "{PLAIN-MD5}mdTqo8SmDcMiisuCO4kkvg==" },
	{ "{MD5}mdTqo8SmDcMiisuCO4kkvg==", "{PLAIN-MD5}mdTqo8SmDcMiisuCO4kkvg==" },
	{ "{MD5}$1$eHAYK0NL$c/wUVV1BaJGtBRJwBmDGg.", "$1$eHAYK0NL$c/wUVV1BaJGtBRJwBmDGg." },
	{ "{MD5-CRYPT}$1$RPleOvVH$ve5MulO.bCAlO2i3vL0Cw/", "$1$RPleOvVH$ve5MulO.bCAlO2i3vL0Cw/" },
	{ "{DES-CRYPT}4fYIO6AXnYlns", "4fYIO6AXnYlns" },
	{ "4fYIO6AXnYlns", NULL },
	{ "{CRYPT}$2y$05$Nvyt845Vciu8W4stm5nFjORn9ika/PHwG.F1HeLOOfyjQEK3vPeSO",
		"$2y$05$Nvyt845Vciu8W4stm5nFjORn9ika/PHwG.F1HeLOOfyjQEK3vPeSO" },
	{ "{BLF-CRYPT}$2y$05$OH7A1k/V/w9IJZwaK5Z9D.PQMEXumuGR5A3iJcmvfvdb0QCM3WOhe",
		"$2y$05$OH7A1k/V/w9IJZwaK5Z9D.PQMEXumuGR5A3iJcmvfvdb0QCM3WOhe" },
	{ "$2b$05$m9k1qxZ/HPPbx8UQV3tSR.OUKXxqLGynBtCr9WTcH.7e0ZCzSzlOC", NULL },
	{ "$2a$05$n8iC2Hzpb5cPvnRN3OncaOkHSXaNv9WiwlkxK2UUKm385ybx85zyO", NULL },
	{ "{SHA256-CRYPT}$5$FEyQRjKMIP2SW5W/$L0UvOXMqLiLcmrmltLIdL8b2JwdHZoj7OERpYzCDPW0",
		"$5$FEyQRjKMIP2SW5W/$L0UvOXMqLiLcmrmltLIdL8b2JwdHZoj7OERpYzCDPW0" },
	{ "$6$rounds=20000$fVF82/cy2YgPbMRm$CLOs.HjS6fckLqxLxZ3olF3QOSxMat4fgLoT7S4jZdKC5uFe/tEvUKW"
	  "jzE.AjWfc3saOFNmBd5yqqwp7VSSxa/",
		NULL },
	{ "$y$j75$Dl/ILqwVCdQoyUYd0f7GB1$8jJ9quQPx2DEAnNRKnH35EUQaW1C50PpM97h.wwXWw8", NULL },
	{ "$gy$j75$68WtzWmv6UwVTGMs9VNlj/$YccneKwRtZ7Vaa8HSvfOzlurcGgY5xrweL/KikGfX83", NULL },
	{ "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$cBCk9QmyJCFBuFU0sJSBsA$Pg0bTW5l+ZEqj9Xt9VTKmgaJeW"
	  "otb6QchffIXSoQfBU",
		"$argon2i$v=19$m=32768,t=4,p=1$cBCk9QmyJCFBuFU0sJSBsA$Pg0bTW5l+"
		"ZEqj9Xt9VTKmgaJeWotb6"
		"QchffIXSoQfBU" },
	{ "{ARGON2ID}$argon2id$v=19$m=8192,t=2,p=1$" ARGON2,
		"$argon2id$v=19$m=8192,t=2,p=1$" ARGON2 },
	{ "$argon2id$v=19$m=8192,t=2,p=4$MDEyMzQ1Njc4OWFiY2RlZg$"
	  "uCst23GSJPmD4jjDsJMxRmbnFxFAZEVauWHW"
	  "9ehu0S8",
		NULL },
	{ "{PBKDF2}$1$howfu9dXUEaNy6qM$5000$a11f4c9d30134cbd4de3969399e6b45dcb37110a", NULL },
	{ "{pbkdf2}$1$KsC2b19Aa8gt1YqG$10000$b6b3f3d4481165f6ab120415db7b23d90f8a27f0",
		"{PBKDF2}$1$KsC2b19Aa8gt1YqG$10000$b6b3f3d4481165f6ab120415db7b23d90f8a27f0" },
	{ "pbkdf2_sha256$26000$nH3kqPzL$qOPU7GC3DiWUGJI73aZqHL2YJmyKvk4MnQdKSMwT0a8=", NULL },
};

static bool verify(const char *stored, const char *secret)
{
	bool matches = false;

	assert_int_equal(pwhash_verify(&policy, stored, slice_str(secret), &matches), GP_OK);
	return matches;
}

static void test_imported(void **state)
{
	char stored[PWHASH_SIZE];
	struct slice plain;
	struct gp_why why;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(good); i++) {
		assert_int_equal(
			pwhash_import(slice_str(good[i].text), stored, &plain, &why), GP_OK);
		assert_string_equal(stored, good[i].stored != NULL ? good[i].stored : good[i].text);
		assert_int_equal(plain.len, 0);
		if (!verify(stored, SECRET))
			fail_msg("does not match: %s", stored);
		assert_false(verify(stored, "Correct horse \xc3\xa9"));
		assert_false(verify(stored, ""));
		assert_true(pwhash_needs_rehash(&policy, stored));
	}
}

static void test_plain(void **state)
{
	char stored[PWHASH_SIZE];
	struct slice plain;

	(void)state;
	assert_int_equal(pwhash_import(SLICE_LIT("{PLAIN}se}cret"), stored, &plain, NULL), GP_OK);
	assert_true(slice_is(plain, "se}cret"));
	assert_string_equal(stored, "");
	assert_int_equal(pwhash_import(SLICE_LIT("{clear}{x}"), stored, &plain, NULL), GP_OK);
	assert_true(slice_is(plain, "{x}"));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		enum gp_err err;
	} cases[] = {
		{ "", GP_ERR_SYNTAX },
		{ "plain", GP_ERR_SYNTAX },
		{ "{SSHA}", GP_ERR_SYNTAX },
		{ "{SSHA}/8wfRUGm8tTSBrWrjhQj2hPe5cw=", GP_ERR_SYNTAX }, /* no salt */
		{ "{SHA}uraO+FZEfhly83OkkI1bROMCEYI7sUNo", GP_ERR_SYNTAX },
		{ "{SHA}not base64", GP_ERR_SYNTAX },
		{ "{SHA.XYZ}/8wfRUGm8tTSBrWrjhQj2hPe5cw=", GP_ERR_UNSUPPORTED },
		{ "{SCRAM-SHA-1}4096,x,y,z", GP_ERR_UNSUPPORTED },
		{ "{OTP}x", GP_ERR_UNSUPPORTED },
		{ "{}x", GP_ERR_SYNTAX },
		{ "$1$RPleOvVH$ve5MulO.bCAlO2i3vL0Cw", GP_ERR_SYNTAX },
		{ "$1$RPleOvVH$ve5MulO:bCAlO2i3vL0Cw/", GP_ERR_SYNTAX },
		{ "$6$$", GP_ERR_SYNTAX },
		{ "$3$$8846f7eaee8fb117ad06bdd830b7586c", GP_ERR_UNSUPPORTED },
		{ "$9$whatever", GP_ERR_UNSUPPORTED },
		{ "$argon2d$v=19$m=8192,t=2,p=1$" ARGON2, GP_ERR_SYNTAX },
		{ "$argon2id$v=19$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$C9m4", GP_ERR_SYNTAX },
		{ "$argon2id$", GP_ERR_SYNTAX },
		{ "{PBKDF2}$1$salt$0$a11f4c9d30134cbd4de3969399e6b45dcb37110a", GP_ERR_SYNTAX },
		{ "{PBKDF2}$1$salt$5000$a11f", GP_ERR_SYNTAX },
		{ "{PBKDF2}$2$salt$5000$a11f4c9d30134cbd4de3969399e6b45dcb37110a", GP_ERR_SYNTAX },
		{ "pbkdf2_sha256$26000$nH3kqPzL", GP_ERR_SYNTAX },
		/* what would stop the vault */
		{ "$argon2id$v=19$m=262145,t=1,p=1$" ARGON2, GP_ERR_LIMIT },
		{ "$argon2id$v=19$m=4194304,t=100,p=1$" ARGON2, GP_ERR_LIMIT },
		{ "$argon2id$v=19$m=8192,t=129,p=1$" ARGON2, GP_ERR_LIMIT },
		{ "$2b$15$m9k1qxZ/HPPbx8UQV3tSR.OUKXxqLGynBtCr9WTcH.7e0ZCzSzlOC", GP_ERR_LIMIT },
		{ "$5$rounds=500001$FEyQRjKMIP2SW5W/$L0UvOXMqLiLcmrmltLIdL8b2JwdHZoj7OERpYzCDPW0",
			GP_ERR_LIMIT },
		{ "$y$jFT$Dl/ILqwVCdQoyUYd0f7GB1$8jJ9quQPx2DEAnNRKnH35EUQaW1C50PpM97h.wwXWw8",
			GP_ERR_LIMIT },
		{ "$y$jzT$Dl/ILqwVCdQoyUYd0f7GB1$8jJ9quQPx2DEAnNRKnH35EUQaW1C50PpM97h.wwXWw8",
			GP_ERR_LIMIT },
		{ "$y$j75.5$Dl/ILqwVCdQoyUYd0f7GB1$8jJ9quQPx2DEAnNRKnH35EUQaW1C50PpM97h.wwXWw8",
			GP_ERR_SYNTAX },
		{ "{PBKDF2}$1$salt$2000001$a11f4c9d30134cbd4de3969399e6b45dcb37110a",
			GP_ERR_LIMIT },
		{ "pbkdf2_sha256$2000001$nH3kqPzL$qOPU7GC3DiWUGJI73aZqHL2YJmyKvk4MnQdKSMwT0a8=",
			GP_ERR_LIMIT },
	};
	char stored[PWHASH_SIZE] = "untouched";
	struct slice plain;
	struct gp_why why;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		enum gp_err err = pwhash_import(slice_str(cases[i].text), stored, &plain, &why);

		if (err != cases[i].err)
			fail_msg("%s: %s (%s)", cases[i].text, gp_err_text(err), why.text);
		assert_string_equal(stored, "untouched");
		/* The reason must not show the hash. */
		if (strlen(cases[i].text) > 8)
			assert_null(strstr(why.text, cases[i].text + strlen(cases[i].text) - 6));
	}
}

static void test_too_long(void **state)
{
	char text[PWHASH_SIZE + 64];
	char stored[PWHASH_SIZE];
	struct slice plain;

	(void)state;
	(void)snprintf(text, sizeof text, "pbkdf2_sha256$1000$%0*d$%s", PWHASH_SIZE - 40, 0,
		"qOPU7GC3DiWUGJI73aZqHL2YJmyKvk4MnQdKSMwT0a8=");
	assert_int_equal(pwhash_import(slice_str(text), stored, &plain, NULL), GP_ERR_LIMIT);
	memset(text, 'A', sizeof text);
	memcpy(text, "{SSHA}", 6);
	assert_int_equal(
		pwhash_import(slice_of(text, sizeof text), stored, &plain, NULL), GP_ERR_SYNTAX);
}

static void test_own(void **state)
{
	struct pwhash_policy dearer;
	char one[PWHASH_SIZE];
	char two[PWHASH_SIZE];
	char secret[SECRET_MAX];

	(void)state;
	assert_int_equal(pwhash_make(&policy, slice_str(SECRET), one), GP_OK);
	assert_int_equal(pwhash_make(&policy, slice_str(SECRET), two), GP_OK);
	assert_string_not_equal(one, two);
	assert_int_equal(strncmp(one, "$argon2id$v=19$m=64,t=1,p=1$", 28), 0);
	assert_true(verify(one, SECRET));
	assert_false(verify(one, SECRET "x"));
	assert_false(verify(NULL, SECRET));
	assert_false(pwhash_needs_rehash(&policy, one));
	assert_int_equal(pwhash_policy_init(&dearer, 128, 1), GP_OK);
	assert_true(pwhash_needs_rehash(&dearer, one));
	assert_int_equal(pwhash_policy_init(&dearer, 64, 2), GP_OK);
	assert_true(pwhash_needs_rehash(&dearer, one));

	memset(secret, 'x', sizeof secret);
	assert_int_equal(pwhash_make(&policy, slice_of(secret, sizeof secret), one), GP_OK);
	assert_false(verify(one, "x"));
	assert_int_equal(pwhash_make(&policy, slice_str(""), one), GP_OK);
	assert_true(verify(one, ""));
}

/* A secret with NUL inside must not match the hash of what stands before it. */
static void test_nul(void **state)
{
	char stored[PWHASH_SIZE];
	bool matches = true;

	(void)state;
	assert_int_equal(pwhash_verify(&policy,
				 "$2b$05$m9k1qxZ/HPPbx8UQV3tSR.OUKXxqLGynBtCr9WTcH.7e0ZCzSzlOC",
				 SLICE_LIT(SECRET "\0"), &matches),
		GP_OK);
	assert_false(matches);
	assert_int_equal(pwhash_make(&policy, slice_str("x"), stored), GP_OK);
	assert_int_equal(pwhash_verify(&policy, stored, SLICE_LIT("x\0"), &matches), GP_OK);
	assert_false(matches);
}

static void test_damaged(void **state)
{
	static const char *const cases[] = { "{SSHA}", "{NONE}x", "{SSHA", "", "x",
		"$argon2id$v=19$m=8192,t=2,p=1$x", "{PBKDF2}$1$" };
	bool matches = false;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		assert_int_not_equal(
			pwhash_verify(&policy, cases[i], slice_str("x"), &matches), GP_OK);
		assert_false(matches);
	}
}

/* Whatever an account has, or that there is none, must not show in the time: where no Argon2id of
 * the policy's cost was done, the hash of nothing is checked. Here that fails, which shows it. */
static void test_same_work(void **state)
{
	struct pwhash_policy broken = policy;
	char own[PWHASH_SIZE];
	bool matches;

	(void)state;
	assert_int_equal(pwhash_make(&policy, slice_str(SECRET), own), GP_OK);
	broken.nothing[10] = '!';
	assert_int_not_equal(pwhash_verify(&broken, NULL, slice_str(SECRET), &matches), GP_OK);
	for (size_t i = 0; i < GP_ARRAY_LEN(good); i++) {
		if (good[i].stored != NULL)
			continue;
		assert_int_not_equal(
			pwhash_verify(&broken, good[i].text, slice_str("no"), &matches), GP_OK);
		assert_int_equal(
			pwhash_verify(&broken, good[i].text, slice_str(SECRET), &matches), GP_OK);
		assert_true(matches);
	}
	assert_int_equal(pwhash_verify(&broken, own, slice_str("no"), &matches), GP_OK);
	assert_false(matches);
}

static int setup(void **state)
{
	(void)state;
	return pwhash_policy_init(&policy, 64, 1) == GP_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imported),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_same_work),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
