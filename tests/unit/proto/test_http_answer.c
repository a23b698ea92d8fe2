/* SPDX-License-Identifier: ISC */
#include "proto/http_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

static const struct {
	const char *input;
	bool is_head;
	bool is_last;
	enum http_answer_step step;
	const char *head; /* as written */
	unsigned long body_len;
} cases[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", false, false,
		HTTP_ANSWER_HEAD,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n", 2 },
	{ "HTTP/1.1 200 OK\r\nkeep-alive: 5\r\nETag: \"a\"\r\nContent-Length: 0\r\n\r\n", false,
		true, HTTP_ANSWER_HEAD,
		"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true, false, HTTP_ANSWER_HEAD,
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: keep-alive\r\n\r\n", 0 },
	{ "HTTP/1.1 304 Not Modified\r\n\r\n", false, false, HTTP_ANSWER_HEAD,
		"HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n", 0 },
	{ "HTTP/1.1 204 No Content\r\n\r\n", false, false, HTTP_ANSWER_HEAD,
		"HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n", 0 },
	{ "", false, false, HTTP_ANSWER_MORE, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", false, false, HTTP_ANSWER_MORE, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\n\r\n", false, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 100 Continue\r\n\r\n", false, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 600 Beyond\r\n\r\n", true, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.0 200 OK\r\n\r\n", true, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 20x OK\r\n\r\n", true, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\n", false, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", false, false,
		HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n", false, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, false, HTTP_ANSWER_BAD,
		NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nX y: z\r\n\r\n", true, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\n folded\r\n\r\n", true, false, HTTP_ANSWER_BAD, NULL, 0 },
	{ "\r\nHTTP/1.1 200 OK\r\n\r\n", true, false, HTTP_ANSWER_BAD, NULL, 0 },
};

static void test_cases(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, HTTP_ANSWER_HEAD_MAX + 64);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct slice input = slice_str(cases[i].input);
		struct http_answer answer = { 0 };

		assert_int_equal(
			http_answer_read(input, cases[i].is_head, cases[i].is_last, &out, &answer),
			cases[i].step);
		if (cases[i].step != HTTP_ANSWER_HEAD)
			continue;
		assert_true(slice_is(buf_slice(&out), cases[i].head));
		assert_int_equal(answer.body_len, cases[i].body_len);
		assert_memory_equal(input.data + answer.head_len - 4, "\r\n\r\n", 4);
	}
	buf_fini(&out);
}

static void test_limit(void **state)
{
	struct http_answer answer;
	struct buf input;
	struct buf out;

	(void)state;
	buf_init(&input, HTTP_ANSWER_HEAD_MAX + 64);
	buf_init(&out, HTTP_ANSWER_HEAD_MAX + 64);
	assert_int_equal(buf_append_str(&input, "HTTP/1.1 204 No Content\r\nX: "), GP_OK);
	while (buf_slice(&input).len < HTTP_ANSWER_HEAD_MAX - 4)
		assert_int_equal(buf_append_byte(&input, 'a'), GP_OK);
	assert_int_equal(
		http_answer_read(buf_slice(&input), false, false, &out, &answer), HTTP_ANSWER_MORE);
	assert_int_equal(buf_append_str(&input, "\r\n\r\n"), GP_OK);
	assert_int_equal(
		http_answer_read(buf_slice(&input), false, false, &out, &answer), HTTP_ANSWER_HEAD);
	assert_int_equal(answer.head_len, HTTP_ANSWER_HEAD_MAX);
	buf_clear(&input);
	assert_int_equal(buf_append_str(&input, "HTTP/1.1 204 No Content\r\nX: "), GP_OK);
	while (buf_slice(&input).len < HTTP_ANSWER_HEAD_MAX)
		assert_int_equal(buf_append_byte(&input, 'a'), GP_OK);
	assert_int_equal(
		http_answer_read(buf_slice(&input), false, false, &out, &answer), HTTP_ANSWER_BAD);
	buf_fini(&input);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
