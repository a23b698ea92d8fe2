/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "proto/http_answer.h"
#include "proto/rspamd_client.h"

/* JSON. */

static enum json_pick_step pick_of(struct slice text, size_t piece, struct json_pick_member *member)
{
	struct json_pick pick;
	enum json_pick_step step = JSON_PICK_MORE;

	*member = (struct json_pick_member){ .name = "a", .is_string = member->is_string };
	json_pick_init(&pick, member, 1);
	for (size_t at = 0; at < text.len; at += piece)
		step = json_pick_input(&pick, slice_head(slice_from(text, at), piece));
	return step;
}

static const struct {
	const char *text;
	const char *value; /* of a, as a number; NULL: malformed, "...": not complete */
} json_cases[] = {
	{ "{}", "" },
	{ " { } \r\n\t", "" },
	{ "{\"a\":1}", "1" },
	{ "{\"a\" : -1.5e+10 , \"b\":true}", "-1.5e+10" },
	{ "{\"b\":{\"a\":2},\"a\":3}", "3" },
	{ "{\"b\":[{\"a\":2},[],{}],\"a\":0}", "0" },
	{ "{\"a\":\"1\"}", "" },
	{ "{\"a\":null}", "" },
	{ "{\"a\":[1,2]}", "" },
	{ "{\"a\":{\"x\":1}}", "" },
	{ "{\"b\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00Ff\",\"a\":9}", "9" },
	{ "{\"b\":false,\"c\":null,\"d\":true,\"a\":0.5}", "0.5" },
	{ "{\"a\":1111111111222222222233333333334444444444555555555566666666667777}", "" },
	{ "", "..." },
	{ "{", "..." },
	{ "{\"a\"", "..." },
	{ "{\"a\":", "..." },
	{ "{\"a\":1", "..." },
	{ "{\"a\":tru", "..." },
	{ "{\"a\":\"x", "..." },
	{ "{\"a\":1,\"a\":2}", NULL },
	{ "[]", NULL },
	{ "1", NULL },
	{ "\"a\"", NULL },
	{ "{}x", NULL },
	{ "{}{}", NULL },
	{ "{]", NULL },
	{ "{\"b\":[}", NULL },
	{ "{\"b\":[1}}", NULL },
	{ "{,}", NULL },
	{ "{\"a\":1,}", NULL },
	{ "{\"b\":[1,]}", NULL },
	{ "{\"b\":[,1]}", NULL },
	{ "{a:1}", NULL },
	{ "{\"a\" 1}", NULL },
	{ "{\"a\":01}", NULL },
	{ "{\"a\":1.}", NULL },
	{ "{\"a\":.5}", NULL },
	{ "{\"a\":+1}", NULL },
	{ "{\"a\":1e}", NULL },
	{ "{\"a\":-}", NULL },
	{ "{\"a\":0x1}", NULL },
	{ "{\"a\":NaN}", NULL },
	{ "{\"a\":trux}", NULL },
	{ "{\"a\":\"\n\"}", NULL },
	{ "{\"a\":\"\\x\"}", NULL },
	{ "{\"a\":\"\\u00g0\"}", NULL },
	{ "{\"a\":1}\x01", NULL },
	{ "\xef\xbb\xbf{}", NULL },
};

static void test_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(json_cases); i++) {
		const char *want = json_cases[i].value;
		bool is_part = want != NULL && strcmp(want, "...") == 0;

		for (size_t piece = 1; piece <= strlen(json_cases[i].text) + 1; piece++) {
			struct json_pick_member member = { .is_string = false };
			enum json_pick_step step =
				pick_of(slice_str(json_cases[i].text), piece, &member);

			if (step != (want == NULL     ? JSON_PICK_BAD
					    : is_part ? JSON_PICK_MORE
						      : JSON_PICK_DONE))
				fail_msg("%s: %d", json_cases[i].text, (int)step);
			if (want != NULL && !is_part)
				assert_string_equal(member.value, want);
		}
	}
}

static void test_json_limits(void **state)
{
	char text[4 * JSON_PICK_DEPTH_MAX + 16];
	struct json_pick_member member = { .is_string = true };
	size_t len;

	(void)state;
	for (unsigned depth = JSON_PICK_DEPTH_MAX - 1; depth <= JSON_PICK_DEPTH_MAX; depth++) {
		len = (size_t)snprintf(text, sizeof text, "{\"b\":");
		for (unsigned i = 0; i < depth; i++)
			text[len++] = '[';
		for (unsigned i = 0; i < depth; i++)
			text[len++] = ']';
		text[len++] = '}';
		assert_int_equal(pick_of(slice_of(text, len), 7, &member),
			depth < JSON_PICK_DEPTH_MAX ? JSON_PICK_DONE : JSON_PICK_BAD);
	}
	for (unsigned n = JSON_PICK_VALUE_SIZE - 1; n <= JSON_PICK_VALUE_SIZE; n++) {
		len = (size_t)snprintf(text, sizeof text, "{\"a\":\"%0*d\"}", (int)n, 7);
		assert_int_equal(pick_of(slice_of(text, len), 3, &member), JSON_PICK_DONE);
		assert_int_equal(strlen(member.value), n < JSON_PICK_VALUE_SIZE ? n : 0);
	}
}

/* The request. */

static void test_request(void **state)
{
	const struct rspamd_client_message message = { .from = SLICE_LIT("a@example.test"),
		.ip = SLICE_LIT("192.0.2.1"),
		.helo = SLICE_LIT("evil\r\nUser: root"),
		.user = SLICE_LIT("a@example.test"),
		.queue_id = SLICE_LIT("0123") };
	struct rspamd_client client;
	struct buf out;

	(void)state;
	rspamd_client_init(&client);
	buf_init(&out, 4096);
	assert_int_equal(rspamd_client_begin(&message, &out), GP_OK);
	assert_int_equal(rspamd_client_recipient(SLICE_LIT("b@example.org"), &out), GP_OK);
	assert_int_equal(rspamd_client_recipient(SLICE_LIT("c@example.org"), &out), GP_OK);
	assert_int_equal(rspamd_client_start(&out), GP_OK);
	assert_int_equal(rspamd_client_body(&client, SLICE_LIT("Subject: x\r\n\r\n"), &out), GP_OK);
	assert_int_equal(rspamd_client_end(&out), GP_OK);
	assert_true(slice_is(buf_slice(&out), "POST /checkv2 HTTP/1.1\r\n"
					      "Host: rspamd\r\n"
					      "Connection: close\r\n"
					      "Transfer-Encoding: chunked\r\n"
					      "From: a@example.test\r\n"
					      "IP: 192.0.2.1\r\n"
					      "User: a@example.test\r\n"
					      "Queue-Id: 0123\r\n"
					      "Rcpt: b@example.org\r\n"
					      "Rcpt: c@example.org\r\n"
					      "\r\n"
					      "e\r\nSubject: x\r\n\r\n\r\n"
					      "0\r\n\r\n"));
	buf_fini(&out);
	buf_init(&out, 100);
	assert_int_equal(rspamd_client_begin(&message, &out), GP_ERR_LIMIT);
	buf_fini(&out);
	rspamd_client_fini(&client);
}

/* The payload of all chunks in out. */
static size_t unchunk(struct slice rest, char *plain)
{
	size_t sum = 0;

	while (rest.len > 0) {
		unsigned len = 0;
		int used = 0;

		assert_int_equal(sscanf(rest.data, "%x%n", &len, &used), 1);
		assert_true(len > 0 && len <= RSPAMD_CLIENT_CHUNK_MAX);
		rest = slice_from(rest, (size_t)used + 2);
		memcpy(plain + sum, rest.data, len);
		sum += len;
		assert_memory_equal(rest.data + len, "\r\n", 2);
		rest = slice_from(rest, len + 2);
	}
	return sum;
}

static void test_dots(void **state)
{
	static const char wire[] = "..\r\n...x\r\na..b\r\n\r\n..\r\n.. \r\nend.\r\n";
	static const char want[] = ".\r\n..x\r\na..b\r\n\r\n.\r\n. \r\nend.\r\n";
	struct slice all = slice_str(wire);
	char plain[sizeof wire];

	(void)state;
	for (size_t first = 0; first <= all.len; first++) {
		for (size_t second = first; second <= all.len; second++) {
			struct rspamd_client client;
			struct buf out;

			rspamd_client_init(&client);
			buf_init(&out, 4096);
			assert_int_equal(
				rspamd_client_body(&client, slice_head(all, first), &out), GP_OK);
			assert_int_equal(rspamd_client_body(&client,
						 slice_of(wire + first, second - first), &out),
				GP_OK);
			assert_int_equal(
				rspamd_client_body(&client, slice_from(all, second), &out), GP_OK);
			assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
			assert_int_equal(
				unchunk(slice_of(out.data, out.len - 1), plain), sizeof want - 1);
			assert_memory_equal(plain, want, sizeof want - 1);
			buf_fini(&out);
			rspamd_client_fini(&client);
		}
	}
}

/* The answer. */

static enum rspamd_client_step answer(struct rspamd_client *client, const char *text, size_t piece)
{
	struct slice all = slice_str(text);
	enum rspamd_client_step step = RSPAMD_CLIENT_MORE;

	rspamd_client_init(client);
	for (size_t at = 0; at < all.len && step == RSPAMD_CLIENT_MORE; at += piece)
		step = rspamd_client_input(client, slice_head(slice_from(all, at), piece));
	return step;
}

static char *answer_of(const char *json)
{
	return mem_printf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(json), json);
}

static void test_verdicts(void **state)
{
	static const struct {
		const char *action;
		enum filter filter;
	} cases[] = {
		{ "no action", FILTER_CLEAN },
		{ "greylist", FILTER_CLEAN },
		{ "add header", FILTER_DOUBTFUL },
		{ "rewrite subject", FILTER_DOUBTFUL },
		{ "reject", FILTER_BAD },
		{ "discard", FILTER_BAD },
		{ "quarantine", FILTER_BAD },
		{ "soft reject", FILTER_NONE },
		{ "Reject", FILTER_NONE },
		{ "whatever", FILTER_NONE },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char *json =
			mem_printf("{\"is_skipped\":false,\"symbols\":{\"X\":{\"score\":1,"
				   "\"action\":\"reject\"}},\"score\":-0.25,\"action\":\"%s\"}",
				cases[i].action);
		char *text = answer_of(json);

		for (size_t piece = 1; piece < 40; piece++) {
			struct rspamd_client client;

			assert_int_equal(answer(&client, text, piece), RSPAMD_CLIENT_VERDICT);
			assert_int_equal(rspamd_client_filter(&client), cases[i].filter);
			assert_string_equal(rspamd_client_action(&client), cases[i].action);
			assert_string_equal(rspamd_client_score(&client), "-0.25");
			rspamd_client_fini(&client);
		}
		mem_free(text);
		mem_free(json);
	}
}

static void test_bad_answers(void **state)
{
	static const char *const jsons[] = { "{}", "{\"action\":\"reject\"}", "{\"score\":1}",
		"{\"action\":1,\"score\":1}", "{\"action\":\"reject\",\"score\":\"1\"}",
		"{\"action\":\"reject\",\"score\":1,\"action\":\"no action\"}",
		"{\"action\":\"reject\",\"score\":1", "[{\"action\":\"reject\",\"score\":1}]",
		"reject" };
	static const char *const texts[] = { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 29\r\n\r\n"
		"{\"action\":\"reject\",\"score\":1}",
		"HTTP/1.1 200 OK\r\n\r\n{\"action\":\"reject\",\"score\":1}",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
		"\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}" };
	struct rspamd_client client;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(jsons); i++) {
		char *text = answer_of(jsons[i]);

		assert_int_equal(answer(&client, text, 5), RSPAMD_CLIENT_BAD);
		rspamd_client_fini(&client);
		mem_free(text);
	}
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		if (answer(&client, texts[i], 5) != RSPAMD_CLIENT_BAD)
			fail_msg("%s", texts[i]);
		rspamd_client_fini(&client);
	}
}

static void test_endless_head(void **state)
{
	struct rspamd_client client;
	enum rspamd_client_step step = RSPAMD_CLIENT_MORE;
	size_t sent = 0;

	(void)state;
	rspamd_client_init(&client);
	step = rspamd_client_input(&client, SLICE_LIT("HTTP/1.1 200 OK\r\n"));
	for (; step == RSPAMD_CLIENT_MORE && sent < 1 << 20; sent += 8)
		step = rspamd_client_input(&client, SLICE_LIT("X: abc\r\n"));
	assert_int_equal(step, RSPAMD_CLIENT_BAD);
	assert_true(sent <= HTTP_ANSWER_HEAD_MAX);
	rspamd_client_fini(&client);
}

/* Longer than any buffer: nothing of it is kept. */
static void test_large_answer(void **state)
{
	static const char begin[] = "{\"symbols\":{\"X\":[";
	static const char end[] = "0]},\"score\":7,\"action\":\"reject\"}";
	char head[128];
	size_t filler = RSPAMD_CLIENT_ANSWER_MAX - (sizeof begin - 1) - (sizeof end - 1);
	struct rspamd_client client;
	enum rspamd_client_step step;

	(void)state;
	filler -= filler % 2;
	(void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		sizeof begin - 1 + filler + sizeof end - 1);
	rspamd_client_init(&client);
	step = rspamd_client_input(&client, slice_str(head));
	assert_int_equal(step, RSPAMD_CLIENT_MORE);
	step = rspamd_client_input(&client, slice_str(begin));
	for (size_t i = 0; i < filler / 2 && step == RSPAMD_CLIENT_MORE; i++)
		step = rspamd_client_input(&client, SLICE_LIT("1,"));
	assert_int_equal(step, RSPAMD_CLIENT_MORE);
	assert_int_equal(rspamd_client_input(&client, slice_str(end)), RSPAMD_CLIENT_VERDICT);
	assert_int_equal(rspamd_client_filter(&client), FILTER_BAD);
	rspamd_client_fini(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_limits),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_dots),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_endless_head),
		cmocka_unit_test(test_large_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
