/* SPDX-License-Identifier: ISC */
#include "proto/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"

/* SLICE_LIT() for a constant initializer. */
#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
#define HOST "Host: mail.example.test\r\n"

static struct buf written;

static int setup(void **state)
{
	(void)state;
	buf_init(&written, HTTP_REQUEST_MAX);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&written);
	return 0;
}

/* All at once, or a byte at a time: the outcome must be the same. */
static enum http_step run(struct slice bytes, bool is_slow, struct http_request *ret_request,
	enum http_fault *ret_fault)
{
	struct http_server http;
	enum http_step step = HTTP_MORE;

	http_server_init(&http);
	for (size_t n = is_slow ? 0 : bytes.len; step == HTTP_MORE && n <= bytes.len; n++) {
		step = http_server_input(&http, slice_head(bytes, n), ret_request);
		if (step == HTTP_CONTINUE)
			step = HTTP_MORE;
	}
	if (step == HTTP_MORE)
		step = http_server_input(&http, bytes, ret_request);
	*ret_fault = http_server_fault(&http);
	return step;
}

static enum http_fault fault_of(struct slice bytes)
{
	struct http_request request;
	enum http_fault at_once = HTTP_FAULT_MAX;
	enum http_fault slowly = HTTP_FAULT_MAX;
	enum http_step step = run(bytes, false, &request, &at_once);

	assert_int_equal(run(bytes, true, &request, &slowly), step);
	assert_int_equal(at_once, slowly);
	assert_int_equal(step == HTTP_REFUSED, at_once != HTTP_FAULT_NONE);
	return at_once;
}

static const char *written_of(struct slice bytes)
{
	struct http_request request;
	enum http_fault fault;

	assert_int_equal(run(bytes, false, &request, &fault), HTTP_WHOLE);
	assert_int_equal(request.length, bytes.len);
	buf_clear(&written);
	assert_int_equal(http_request_append(&request, &written), GP_OK);
	assert_int_equal(buf_append_byte(&written, '\0'), GP_OK);
	return written.data + written.head;
}

static const struct {
	struct slice bytes;
	enum http_fault fault;
} refused[] = {
	/* line ends */
	{ BYTES("GET / HTTP/1.1\n" HOST "\r\n"), HTTP_FAULT_LINE },
	{ BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n"), HTTP_FAULT_LINE },
	{ BYTES("GET / HTTP/1.1\r\nHost: a\r\n\n"), HTTP_FAULT_LINE },
	{ BYTES("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), HTTP_FAULT_LINE },
	{ BYTES("GET / HTTP/1.1\r\r\n" HOST "\r\n"), HTTP_FAULT_LINE },
	{ BYTES("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), HTTP_FAULT_LINE },
	{ BYTES("\n"), HTTP_FAULT_LINE },
	/* request line */
	{ BYTES("\r\n\r\nGET / HTTP/1.1\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET /\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET  HTTP/1.1\r\n"), HTTP_FAULT_FORM },
	{ BYTES("GET  / HTTP/1.1\r\n"), HTTP_FAULT_FORM },
	{ BYTES("GET /  HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	{ BYTES(" GET / HTTP/1.1\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET / HTTP/1.1 \r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET\t/ HTTP/1.1\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("G\tET / HTTP/1.1\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET / http/1.1\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET / HTTP/11\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET / HTTP/1.10\r\n"), HTTP_FAULT_REQUEST_LINE },
	{ BYTES("GET / HTTP/1.0\r\n"), HTTP_FAULT_VERSION },
	{ BYTES("GET / HTTP/1.2\r\n"), HTTP_FAULT_VERSION },
	{ BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP_FAULT_VERSION },
	{ BYTES("get / HTTP/1.1\r\n"), HTTP_FAULT_METHOD },
	{ BYTES("TRACE / HTTP/1.1\r\n"), HTTP_FAULT_METHOD },
	{ BYTES("CONNECT a:443 HTTP/1.1\r\n"), HTTP_FAULT_METHOD },
	{ BYTES("EHLO there HTTP/1.1\r\n"), HTTP_FAULT_METHOD },
	{ BYTES("GET https://mail.example.test/ HTTP/1.1\r\n"), HTTP_FAULT_FORM },
	{ BYTES("OPTIONS * HTTP/1.1\r\n"), HTTP_FAULT_FORM },
	{ BYTES("GET x HTTP/1.1\r\n"), HTTP_FAULT_FORM },
	{ BYTES("GET /#a HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	{ BYTES("GET /\\a HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	{ BYTES("GET /\xc3\xa4 HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	{ BYTES("GET /a b HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	{ BYTES("GET /%0 HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	{ BYTES("GET /%zz HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	{ BYTES("GET /%00 HTTP/1.1\r\n"), HTTP_FAULT_TARGET },
	/* fields */
	{ BYTES("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), HTTP_FAULT_FOLDED },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"), HTTP_FAULT_FOLDED },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n"), HTTP_FAULT_FOLDED },
	{ BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), HTTP_FAULT_FIELD },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length : 1\r\n\r\na"), HTTP_FAULT_FIELD },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length\t: 1\r\n\r\na"), HTTP_FAULT_FIELD },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n"), HTTP_FAULT_FIELD },
	{ BYTES("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n"), HTTP_FAULT_FIELD },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "X(: a\r\n\r\n"), HTTP_FAULT_FIELD },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "X\x80: a\r\n\r\n"), HTTP_FAULT_FIELD },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "X: a\x0b\r\n\r\n"), HTTP_FAULT_FIELD },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n"), HTTP_FAULT_FIELD },
	{ BYTES("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), HTTP_FAULT_TWICE },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "hOST: b\r\n\r\n"), HTTP_FAULT_TWICE },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "Cookie: a=b\r\nCookie: c=d\r\n\r\n"), HTTP_FAULT_TWICE },
	{ BYTES("GET / HTTP/1.1\r\n\r\n"), HTTP_FAULT_HOST },
	{ BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), HTTP_FAULT_HOST },
	{ BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), HTTP_FAULT_HOST },
	{ BYTES("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), HTTP_FAULT_HOST },
	{ BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), HTTP_FAULT_HOST },
	{ BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), HTTP_FAULT_HOST },
	/* bodies */
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
		HTTP_FAULT_TWICE },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\na"),
		HTTP_FAULT_TWICE },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na"), HTTP_FAULT_LENGTH },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na"), HTTP_FAULT_LENGTH },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\na"), HTTP_FAULT_LENGTH },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na"), HTTP_FAULT_LENGTH },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1 \t1\r\n\r\na"), HTTP_FAULT_LENGTH },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\na"), HTTP_FAULT_LENGTH },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\na"),
		HTTP_FAULT_LENGTH },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 16385\r\n\r\na"),
		HTTP_FAULT_BODY_SIZE },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"), HTTP_FAULT_BODY },
	{ BYTES("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"), HTTP_FAULT_BODY },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		HTTP_FAULT_CODING },
	{ BYTES("POST / HTTP/1.1\r\n" HOST
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		HTTP_FAULT_CODING },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding:\r\n\r\n"), HTTP_FAULT_CODING },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"),
		HTTP_FAULT_CODING },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n"),
		HTTP_FAULT_FIELD },
	{ BYTES("POST / HTTP/1.1\r\n" HOST "Expect: a miracle\r\n\r\n"), HTTP_FAULT_EXPECT },
	/* Connection */
	{ BYTES("GET / HTTP/1.1\r\n" HOST "Connection: close, Cookie\r\n\r\n"),
		HTTP_FAULT_CONNECTION },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "Connection: host\r\n\r\n"), HTTP_FAULT_CONNECTION },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "Connection: a b\r\n\r\n"), HTTP_FAULT_CONNECTION },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "Connection: a,,b\r\n\r\n"), HTTP_FAULT_CONNECTION },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(refused); i++) {
		enum http_fault fault = fault_of(refused[i].bytes);

		if (fault != refused[i].fault)
			fail_msg("\"%.*s\": %s, not %s", SLICE_ARG(refused[i].bytes),
				http_fault_detail(fault), http_fault_detail(refused[i].fault));
	}
}

static const struct {
	struct slice bytes;
	const char *written;
} taken[] = {
	{ BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"),
		"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" },
	{ BYTES("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
		"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" },
	{ BYTES("GET /a%2Fb?c=d&e=%C3%A4 HTTP/1.1\r\nhost:[::1]:443 \t\r\n\r\n"),
		"GET /a%2Fb?c=d&e=%C3%A4 HTTP/1.1\r\nHost: [::1]:443\r\n"
		"Connection: close\r\n\r\n" },
	/* Order and case are ours, what is between hops or names a client goes. */
	{ BYTES("POST /x HTTP/1.1\r\ncontent-length: 002\r\nx-forwarded-for: 192.0.2.1\r\n"
		"Forwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nX-Forwarded-Host: evil\r\n"
		"Upgrade: h2c\r\nConnection: keep-alive, Upgrade, HTTP2-Settings\r\nTE: "
		"trailers\r\n"
		"Proxy-Authorization: Basic eA==\r\nTrailer: X\r\nORIGIN: "
		"https://mail.example.test\r\n"
		"Content_Length: 7\r\nX-HTTP-Method-Override: DELETE\r\n" HOST "\r\n{}"),
		"POST /x HTTP/1.1\r\n" HOST "Origin: https://mail.example.test\r\n"
		"Content-Length: 2\r\nConnection: close\r\n\r\n{}" },
	{ BYTES("POST /x HTTP/1.1\r\n" HOST "\r\n"),
		"POST /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\nConnection: close\r\n\r\n" },
	{ BYTES("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nCookie:\r\n\r\n"),
		"GET / HTTP/1.1\r\n" HOST "Cookie: \r\nConnection: close\r\n\r\n" },
};

static void test_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(taken); i++) {
		assert_int_equal(fault_of(taken[i].bytes), HTTP_FAULT_NONE);
		assert_string_equal(written_of(taken[i].bytes), taken[i].written);
		/* Written anew, it is the same. */
		assert_string_equal(written_of(slice_str(taken[i].written)), taken[i].written);
	}
}

static void test_last(void **state)
{
	struct slice plain = SLICE_LIT("GET / HTTP/1.1\r\n" HOST "\r\n");
	struct slice last = SLICE_LIT("GET / HTTP/1.1\r\n" HOST "Connection: TE , Close\r\n\r\n");
	struct http_request request;
	enum http_fault fault;

	(void)state;
	assert_int_equal(run(plain, false, &request, &fault), HTTP_WHOLE);
	assert_false(request.is_last);
	assert_int_equal(run(last, false, &request, &fault), HTTP_WHOLE);
	assert_true(request.is_last);
}

/* What comes behind a request is left for the next one. */
static void test_pipelined(void **state)
{
	struct slice both = SLICE_LIT("POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
				      "GET /b HTTP/1.1\r\n" HOST "\r\n");
	struct http_server http;
	struct http_request request;

	(void)state;
	http_server_init(&http);
	assert_int_equal(http_server_input(&http, both, &request), HTTP_WHOLE);
	assert_true(slice_is(request.target, "/a"));
	assert_true(slice_is(request.body, "abc"));
	both = slice_from(both, request.length);
	http_server_init(&http);
	assert_int_equal(http_server_input(&http, both, &request), HTTP_WHOLE);
	assert_true(slice_is(request.target, "/b"));
	assert_int_equal(request.length, both.len);
	assert_int_equal(request.method, HTTP_GET);
}

static void test_continue(void **state)
{
	struct slice bytes = SLICE_LIT(
		"POST /a HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nab");
	struct http_server http;
	struct http_request request;

	(void)state;
	http_server_init(&http);
	assert_int_equal(http_server_input(&http, slice_head(bytes, 20), &request), HTTP_MORE);
	assert_int_equal(http_server_input(&http, slice_head(bytes, bytes.len - 2), &request),
		HTTP_CONTINUE);
	assert_int_equal(
		http_server_input(&http, slice_head(bytes, bytes.len - 1), &request), HTTP_MORE);
	assert_int_equal(http_server_input(&http, bytes, &request), HTTP_WHOLE);
	/* Whoever sends the body without waiting needs no word. */
	http_server_init(&http);
	assert_int_equal(http_server_input(&http, bytes, &request), HTTP_WHOLE);
}

/* A fault stays, whatever follows. */
static void test_refused_for_good(void **state)
{
	struct http_server http;
	struct http_request request;

	(void)state;
	http_server_init(&http);
	assert_int_equal(
		http_server_input(&http, SLICE_LIT("GET / HTTP/1.0\r\n"), &request), HTTP_REFUSED);
	assert_int_equal(
		http_server_input(&http, SLICE_LIT("GET / HTTP/1.1\r\n" HOST "\r\n"), &request),
		HTTP_REFUSED);
	assert_int_equal(http_server_fault(&http), HTTP_FAULT_VERSION);
}

/* Limits: the longest that is taken, and one byte or line more. */

static struct slice filled(struct buf *buf, const char *head, size_t n, const char *tail)
{
	buf_clear(buf);
	assert_int_equal(buf_append_str(buf, head), GP_OK);
	while (n-- > 0)
		assert_int_equal(buf_append_byte(buf, 'a'), GP_OK);
	assert_int_equal(buf_append_str(buf, tail), GP_OK);
	return buf_slice(buf);
}

static void test_limits(void **state)
{
	const char *get = "GET / HTTP/1.1\r\n" HOST;
	const char *body_head = "POST / HTTP/1.1\r\n" HOST "Content-Length: 16384\r\n\r\n";
	size_t fill = HTTP_HEAD_MAX - strlen(get) - strlen("X: \r\n\r\n");
	struct buf buf;

	(void)state;
	buf_init(&buf, 64 * 1024);
	assert_int_equal(
		fault_of(filled(&buf, "GET /", HTTP_TARGET_MAX - 1, " HTTP/1.1\r\n" HOST "\r\n")),
		HTTP_FAULT_NONE);
	assert_int_equal(fault_of(filled(&buf, "GET /", HTTP_TARGET_MAX, " HTTP/1.1\r\n")),
		HTTP_FAULT_TARGET_SIZE);
	assert_int_equal(
		fault_of(filled(&buf, "GET /", HTTP_HEAD_MAX, "")), HTTP_FAULT_TARGET_SIZE);
	buf_clear(&buf);
	assert_int_equal(buf_append_str(&buf, get), GP_OK);
	assert_int_equal(buf_append_str(&buf, "X: "), GP_OK);
	while (fill-- > 0)
		assert_int_equal(buf_append_byte(&buf, 'a'), GP_OK);
	assert_int_equal(buf_append_str(&buf, "\r\n\r\n"), GP_OK);
	assert_int_equal(buf_slice(&buf).len, HTTP_HEAD_MAX);
	assert_int_equal(fault_of(buf_slice(&buf)), HTTP_FAULT_NONE);
	/* One more byte: in the empty line's place, and within a field. */
	for (size_t n = HTTP_HEAD_MAX - 100; n <= HTTP_HEAD_MAX; n++) {
		enum http_fault expected = HTTP_FAULT_HEAD_SIZE;
		struct slice bytes = filled(&buf, get, 0, "X: ");
		size_t used = bytes.len;

		bytes = filled(&buf, "GET / HTTP/1.1\r\n" HOST "X: ", n - used - 2, "\r\n\r\n");
		if (bytes.len <= HTTP_HEAD_MAX)
			expected = HTTP_FAULT_NONE;
		assert_int_equal(fault_of(bytes), expected);
	}
	assert_int_equal(fault_of(filled(&buf, body_head, HTTP_BODY_MAX, "")), HTTP_FAULT_NONE);
	buf_fini(&buf);
}

static enum http_fault fault_of_fields(const char *line, unsigned count)
{
	enum http_fault fault;
	struct buf buf;

	buf_init(&buf, HTTP_HEAD_MAX);
	assert_int_equal(buf_append_str(&buf, "GET / HTTP/1.1\r\n"), GP_OK);
	while (count-- > 0)
		assert_int_equal(buf_append_str(&buf, line), GP_OK);
	assert_int_equal(buf_append_str(&buf, HOST "\r\n"), GP_OK);
	fault = fault_of(buf_slice(&buf));
	buf_fini(&buf);
	return fault;
}

static void test_field_counts(void **state)
{
	(void)state;
	assert_int_equal(fault_of_fields("A: b\r\n", HTTP_FIELDS_MAX - 1), HTTP_FAULT_NONE);
	assert_int_equal(fault_of_fields("A: b\r\n", HTTP_FIELDS_MAX), HTTP_FAULT_HEAD_SIZE);
	assert_int_equal(
		fault_of_fields("X-Forwarded-For: ::1\r\n", HTTP_FORWARDED_MAX), HTTP_FAULT_NONE);
	assert_int_equal(fault_of_fields("X-Forwarded-For: ::1\r\n", HTTP_FORWARDED_MAX + 1),
		HTTP_FAULT_HEAD_SIZE);
}

/* Where the browser is. */

static const struct {
	const char *peer;
	const char *fields;
	const char *client;
} forwarded[] = {
	{ "198.51.100.9", "", "198.51.100.9" },
	{ "198.51.100.9", "X-Forwarded-For: 192.0.2.1\r\n", "198.51.100.9" },
	{ "10.0.0.1", "", "10.0.0.1" },
	{ "10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1" },
	{ "10.0.0.1", "X-Forwarded-For: 203.0.113.5, 192.0.2.1\r\n", "192.0.2.1" },
	{ "10.0.0.1", "X-Forwarded-For: 203.0.113.5, 192.0.2.1,10.0.0.2\r\n", "192.0.2.1" },
	{ "10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 10.0.0.2 \r\n", "192.0.2.1" },
	{ "10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n", "192.0.2.2" },
	{ "10.0.0.1", "X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1" },
	{ "10.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1" },
	{ "10.0.0.1", "X-Forwarded-For: unknown\r\n", "10.0.0.1" },
	{ "10.0.0.1", "X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.2\r\n", "10.0.0.2" },
	{ "10.0.0.1", "X-Forwarded-For: 192.0.2.1,\r\n", "10.0.0.1" },
	{ "10.0.0.1", "X-Forwarded-For: 10.0.0.3\r\n", "10.0.0.3" },
	{ "10.0.0.1", "X-Forwarded-For:\r\n", "10.0.0.1" },
	{ "10.0.0.1", "Forwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n", "10.0.0.1" },
};

static void test_forwarded(void **state)
{
	struct ip_net trusted;

	(void)state;
	assert_int_equal(ip_net_parse(SLICE_LIT("10.0.0.0/24"), &trusted), GP_OK);
	for (size_t i = 0; i < GP_ARRAY_LEN(forwarded); i++) {
		char *bytes = mem_printf("GET / HTTP/1.1\r\n%s" HOST "\r\n", forwarded[i].fields);
		char text[IP_TEXT_SIZE];
		struct http_request request;
		enum http_fault fault;
		struct ip peer;
		struct ip client;

		assert_int_equal(ip_parse(slice_str(forwarded[i].peer), &peer), GP_OK);
		assert_int_equal(run(slice_str(bytes), false, &request, &fault), HTTP_WHOLE);
		client = http_request_client(&request, &peer, &trusted, 1);
		assert_string_equal(ip_format(&client, text), forwarded[i].client);
		mem_free(bytes);
	}
}

static void test_refusals(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, HTTP_REFUSAL_MAX);
	for (enum http_fault fault = HTTP_FAULT_NONE + 1; fault < HTTP_FAULT_MAX; fault++) {
		struct slice text;

		buf_clear(&out);
		assert_int_equal(http_refusal_append(fault, false, &out), GP_OK);
		text = buf_slice(&out);
		assert_true(slice_starts_nocase(text, "HTTP/1.1 "));
		assert_non_null(memmem(text.data, text.len, "\r\nConnection: close\r\n\r\n{", 24));
		assert_int_equal(text.data[text.len - 1], '\n');
		buf_clear(&out);
		assert_int_equal(http_refusal_append(fault, true, &out), GP_OK);
		text = buf_slice(&out);
		assert_memory_equal(text.data + text.len - 4, "\r\n\r\n", 4);
	}
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test(test_last),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_refused_for_good),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_field_counts),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
