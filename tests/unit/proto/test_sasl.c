/* SPDX-License-Identifier: ISC */
#include "proto/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/secret.h"

struct exchange {
	const char *mechanism;
	const char *initial; /* base64 as it comes; NULL: none */
	const char *lines[3];
	enum sasl_result result; /* at the end */
	const char *login;
	const char *secret;
};

static const struct exchange exchanges[] = {
	/* \0alice\0secret */
	{ "PLAIN", "AGFsaWNlAHNlY3JldA==", { NULL }, SASL_DONE, "alice", "secret" },
	{ "plain", NULL, { "AGFsaWNlAHNlY3JldA==" }, SASL_DONE, "alice", "secret" },
	/* alice\0alice\0secret */
	{ "PLAIN", "YWxpY2UAYWxpY2UAc2VjcmV0", { NULL }, SASL_DONE, "alice", "secret" },
	/* bob\0alice\0secret: for another */
	{ "PLAIN", "Ym9iAGFsaWNlAHNlY3JldA==", { NULL }, SASL_BAD, "", "" },
	/* Alice\0alice\0secret: the same but for case is not the same */
	{ "PLAIN", "QWxpY2UAYWxpY2UAc2VjcmV0", { NULL }, SASL_BAD, "", "" },
	/* \0alice\0p w\xc3\xbc */
	{ "PLAIN", "AGFsaWNlAHAgd8O8", { NULL }, SASL_DONE, "alice", "p w\xc3\xbc" },
	/* \0alice\0p\xfc: a password in another charset is one's own affair */
	{ "PLAIN", "AGFsaWNlAHD8", { NULL }, SASL_DONE, "alice", "p\xfc" },
	/* no NUL; one NUL; three NULs */
	{ "PLAIN", "YWxpY2U=", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "AGFsaWNl", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "AGFsaWNlAHNlAHJldA==", { NULL }, SASL_BAD, "", "" },
	/* empty name; empty secret; nothing */
	{ "PLAIN", "AABzZWNyZXQ=", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "AGFsaWNlAA==", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "=", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", NULL, { "=" }, SASL_BAD, "", "" },
	{ "PLAIN", NULL, { "" }, SASL_BAD, "", "" },
	/* \0al\x80\0s: no UTF-8; \0al\nx\0s: a control */
	{ "PLAIN", "AGFsgABz", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "AGFsCngAcw==", { NULL }, SASL_BAD, "", "" },
	/* base64: no padding, stray bits, a space, an illegal letter */
	{ "PLAIN", "AGFsaWNlAHNlY3JldA", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "AGFsaWNlAHNlY3JldB==", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "AGFsaWNl AHNlY3JldA=", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", "AGFsaWNlAHNlY3JldA-=", { NULL }, SASL_BAD, "", "" },
	{ "PLAIN", NULL, { "*" }, SASL_CANCELLED, "", "" },
	{ "LOGIN", NULL, { "YWxpY2U=", "c2VjcmV0" }, SASL_DONE, "alice", "secret" },
	{ "Login", "YWxpY2U=", { "c2VjcmV0" }, SASL_DONE, "alice", "secret" },
	{ "LOGIN", NULL, { "*" }, SASL_CANCELLED, "", "" },
	{ "LOGIN", NULL, { "YWxpY2U=", "*" }, SASL_CANCELLED, "", "" },
	{ "LOGIN", "=", { NULL }, SASL_BAD, "", "" },
	{ "LOGIN", NULL, { "" }, SASL_BAD, "", "" },
	{ "LOGIN", NULL, { "YWxpY2U=", "" }, SASL_BAD, "", "" },
	{ "LOGIN", NULL, { "YWxpY2U=", "c2UAcmV0" }, SASL_BAD, "", "" },
	{ "LOGIN", NULL, { "YWwAaWNl" }, SASL_BAD, "", "" },
};

static void test_exchanges(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(exchanges); i++) {
		const struct exchange *e = &exchanges[i];
		struct sasl sasl;
		enum sasl_result result;

		assert_true(sasl_init(&sasl, slice_str(e->mechanism)));
		result = sasl_begin(&sasl, e->initial != NULL, slice_str(e->initial));
		for (size_t k = 0; e->lines[k] != NULL; k++) {
			assert_int_equal(result, SASL_CHALLENGE);
			result = sasl_step(&sasl, slice_str(e->lines[k]));
		}
		if (result != e->result)
			fail_msg("case %zu: result %d", i, (int)result);
		assert_true(slice_is(buf_slice(&sasl.login), e->login));
		assert_true(slice_is(buf_slice(&sasl.secret), e->secret));
		sasl_fini(&sasl);
	}
}

static void test_challenges(void **state)
{
	struct sasl sasl;

	(void)state;
	assert_true(sasl_init(&sasl, SLICE_LIT("PLAIN")));
	assert_int_equal(sasl_begin(&sasl, false, slice_of(NULL, 0)), SASL_CHALLENGE);
	assert_string_equal(sasl_challenge(&sasl), "");
	sasl_fini(&sasl);
	assert_true(sasl_init(&sasl, SLICE_LIT("LOGIN")));
	assert_int_equal(sasl_begin(&sasl, false, slice_of(NULL, 0)), SASL_CHALLENGE);
	assert_string_equal(sasl_challenge(&sasl), "VXNlcm5hbWU6");
	assert_int_equal(sasl_step(&sasl, SLICE_LIT("YWxpY2U=")), SASL_CHALLENGE);
	assert_string_equal(sasl_challenge(&sasl), "UGFzc3dvcmQ6");
	sasl_fini(&sasl);
}

static void test_mechanisms(void **state)
{
	static const char *const refused[] = { "", "NTLM", "CRAM-MD5", "PLAIN2", "PLAI", "XOAUTH2",
		"SCRAM-SHA-256", "EXTERNAL" };
	struct sasl sasl;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(refused); i++)
		assert_false(sasl_init(&sasl, slice_str(refused[i])));
}

/* One response of PLAIN with a name and a secret of these lengths. */
static enum sasl_result plain_of(size_t login, size_t secret)
{
	static char filler[SASL_RESPONSE_MAX * 2];
	struct sasl sasl;
	enum sasl_result result;
	struct buf message;
	struct buf text;

	memset(filler, 'a', sizeof filler);
	buf_init(&message, sizeof filler);
	buf_init(&text, 2 * sizeof filler);
	assert_int_equal(buf_append_byte(&message, '\0'), GP_OK);
	assert_int_equal(buf_append(&message, slice_of(filler, login)), GP_OK);
	assert_int_equal(buf_append_byte(&message, '\0'), GP_OK);
	assert_int_equal(buf_append(&message, slice_of(filler, secret)), GP_OK);
	assert_int_equal(encode_base64(buf_slice(&message), &text), GP_OK);
	assert_true(sasl_init(&sasl, SLICE_LIT("PLAIN")));
	result = sasl_begin(&sasl, true, buf_slice(&text));
	sasl_fini(&sasl);
	buf_fini(&message);
	buf_fini(&text);
	return result;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(plain_of(SASL_LOGIN_MAX, SECRET_MAX), SASL_DONE);
	assert_int_equal(plain_of(SASL_LOGIN_MAX + 1, 6), SASL_BAD);
	assert_int_equal(plain_of(5, SECRET_MAX + 1), SASL_BAD);
	assert_int_equal(plain_of(5, SASL_RESPONSE_MAX), SASL_BAD);
	assert_true(sasl_is_login(SLICE_LIT("al\xc3\xaf"
					    "ce@example.test")));
	assert_false(sasl_is_login(SLICE_LIT("alice\xc2\x85"))); /* a C1 control */
	assert_false(sasl_is_login(SLICE_LIT("alice\x7f")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges),
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_mechanisms),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
