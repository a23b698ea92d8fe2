/* SPDX-License-Identifier: ISC */
#include "web/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

static const char *field_of(const struct answer *answer, const char *name)
{
	for (unsigned i = 0; i < answer->field_count; i++) {
		if (strcmp(answer->fields[i].name, name) == 0)
			return answer->fields[i].value;
	}
	return "";
}

static void test_paths(void **state)
{
	(void)state;
	assert_non_null(files_find(SLICE_LIT("/")));
	assert_null(files_find(SLICE_LIT("/index.html")));
	assert_null(files_find(SLICE_LIT("")));
	assert_null(files_find(SLICE_LIT("/../routes.def")));
	assert_null(files_find(SLICE_LIT("//")));
	assert_string_equal(files_find(SLICE_LIT("/"))->type, "text/html; charset=utf-8");
	assert_false(files_find(SLICE_LIT("/"))->is_fixed);
}

static void test_encodings(void **state)
{
	static const struct {
		const char *accept;
		bool is_gzip;
	} cases[] = {
		{ "", false },
		{ "gzip", true },
		{ "br, GZIP ;q=0.5", true },
		{ "gzip;q=0", false },
		{ "gzip; q=0.000", false },
		{ "gzip;q=0.001", true },
		{ "deflate, br", false },
		{ "xgzip", false },
		{ ",,gzip", true },
	};
	const struct files_file *file = files_find(SLICE_LIT("/"));

	(void)state;
	assert_true(file->gzip.len > 0 && file->gzip.len < file->plain.len);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct answer answer;

		answer_init(&answer);
		files_answer(file, slice_str(cases[i].accept), SLICE_LIT(""), &answer);
		assert_int_equal(answer.status, 200);
		assert_true(answer.is_page);
		assert_string_equal(
			field_of(&answer, "Content-Encoding"), cases[i].is_gzip ? "gzip" : "");
		assert_ptr_equal(
			answer.content.data, cases[i].is_gzip ? file->gzip.data : file->plain.data);
		assert_string_equal(field_of(&answer, "Vary"), "Accept-Encoding");
		assert_string_equal(field_of(&answer, "Cache-Control"), "no-cache");
		answer_fini(&answer);
	}
}

static unsigned status_of(const char *accept, const char *format, const char *etag)
{
	struct answer answer;
	char if_none_match[256];
	unsigned status;

	(void)snprintf(if_none_match, sizeof if_none_match, "%s%s", format, etag);
	answer_init(&answer);
	files_answer(
		files_find(SLICE_LIT("/")), slice_str(accept), slice_str(if_none_match), &answer);
	status = answer.status;
	assert_int_equal(answer.content.len == 0, status == 304);
	assert_string_not_equal(field_of(&answer, "ETag"), "");
	answer_fini(&answer);
	return status;
}

static void test_not_modified(void **state)
{
	struct answer answer;
	char plain[ANSWER_VALUE_SIZE];

	(void)state;
	answer_init(&answer);
	files_answer(files_find(SLICE_LIT("/")), SLICE_LIT(""), SLICE_LIT(""), &answer);
	assert_true(slice_copy(slice_str(field_of(&answer, "ETag")), plain, sizeof plain));
	answer_fini(&answer);
	assert_int_equal(plain[0], '"');
	assert_int_equal(status_of("", "", plain), 304);
	assert_int_equal(status_of("", "W/", plain), 304);
	assert_int_equal(status_of("", "\"x\", ", plain), 304);
	assert_int_equal(status_of("", "*", ""), 304);
	assert_int_equal(status_of("", "\"x\"", ""), 200);
	/* The compressed form is another one. */
	assert_int_equal(status_of("gzip", "", plain), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_not_modified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
