/* SPDX-License-Identifier: ISC */
#include "proto/haproxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

/* SLICE_LIT() for a constant initializer. */
#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4_PAIR   "\xc0\x00\x02\x07\xc6\x33\x64\x01\xc3\xcb\x03\xe1"
#define V4_HEAD   SIGNATURE "\x21\x11\x00"

struct parse_case {
	struct slice bytes;
	enum haproxy_result result;
	const char *client; /* "" for local */
};

static const struct parse_case cases[] = {
	/* version 1 */
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 50123 993\r\n"), HAPROXY_DONE, "192.0.2.7" },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 0 65535\r\n"), HAPROXY_DONE, "192.0.2.7" },
	{ BYTES("PROXY TCP6 2001:db8::7 2001:db8::1 50123 993\r\n"), HAPROXY_DONE, "2001:db8::7" },
	{ BYTES("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 50123 993\r\n"), HAPROXY_DONE,
		"192.0.2.7" },
	{ BYTES("PROXY UNKNOWN\r\n"), HAPROXY_DONE, "" },
	{ BYTES("PROXY UNKNOWN ffff::1 what ever\r\n"), HAPROXY_DONE, "" },
	{ BYTES("PROXY UNKNOWNS\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY \r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP5 192.0.2.7 198.51.100.1 50123 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY UDP4 192.0.2.7 198.51.100.1 50123 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("proxy TCP4 192.0.2.7 198.51.100.1 50123 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY tcp4 192.0.2.7 198.51.100.1 50123 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY  TCP4 192.0.2.7 198.51.100.1 50123 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4  192.0.2.7 198.51.100.1 50123 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 50123 993 \r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 50123 993 1\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 50123\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 50123 \r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 050123 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 00 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 65536 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 -1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 +1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 0x1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.007 198.51.100.1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.256 198.51.100.1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 3221225991 198.51.100.1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 2001:db8::7 2001:db8::1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP6 192.0.2.7 198.51.100.1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP6 2001:db8::7%eth0 2001:db8::1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 50123 993\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 50123 993\r\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY TCP4 192.0.2.7\0198.51.100.1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("PROXY\tTCP4 192.0.2.7 198.51.100.1 1 993\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("EHLO there\r\n"), HAPROXY_BAD, NULL },
	{ BYTES("\x16\x03\x01\x02"), HAPROXY_BAD, NULL },
	/* version 2 */
	{ BYTES(V4_HEAD "\x0c" V4_PAIR), HAPROXY_DONE, "192.0.2.7" },
	{ BYTES(SIGNATURE "\x21\x21\x00\x24"
			  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
			  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xc3\xcb\x03\xe1"),
		HAPROXY_DONE, "2001:db8::7" },
	{ BYTES(SIGNATURE "\x21\x21\x00\x24"
			  "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x07"
			  "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01\xc3\xcb\x03\xe1"),
		HAPROXY_DONE, "192.0.2.7" },
	{ BYTES(SIGNATURE "\x20\x00\x00\x00"), HAPROXY_DONE, "" },
	{ BYTES(SIGNATURE "\x20\x11\x00\x0c" V4_PAIR), HAPROXY_DONE, "" },
	{ BYTES(SIGNATURE "\x20\x31\x00\x01x"), HAPROXY_DONE, "" },
	{ BYTES(SIGNATURE "\x21\x00\x00\x00"), HAPROXY_DONE, "" },
	/* version, command, family */
	{ BYTES(SIGNATURE "\x11\x11\x00\x0c" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x22\x11\x00\x0c" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x31\x11\x00\x0c" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x21\x12\x00\x0c" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x21\x10\x00\x0c" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x21\x41\x00\x0c" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES("\r\n\r\n\0\r\nQUIT\r"
		"\x21\x11\x00\x0c" V4_PAIR),
		HAPROXY_BAD, NULL },
	/* lengths */
	{ BYTES(V4_HEAD "\x0b" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x21\x21\x00\x0c" V4_PAIR), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x21\x11\x03\xf1"), HAPROXY_BAD, NULL },
	{ BYTES(SIGNATURE "\x20\x11\xff\xff"), HAPROXY_BAD, NULL },
	/* TLVs: unknown, padding, half a head, too long, unique id, TLS */
	{ BYTES(V4_HEAD "\x11" V4_PAIR "\xe5\x00\x02hi"), HAPROXY_DONE, "192.0.2.7" },
	{ BYTES(V4_HEAD "\x0f" V4_PAIR "\x04\x00\x00"), HAPROXY_DONE, "192.0.2.7" },
	{ BYTES(V4_HEAD "\x0e" V4_PAIR "\x04\x00"), HAPROXY_BAD, NULL },
	{ BYTES(V4_HEAD "\x11" V4_PAIR "\x04\x00\x03hi"), HAPROXY_BAD, NULL },
	{ BYTES(V4_HEAD "\x11" V4_PAIR "\x04\x00\x01hi"), HAPROXY_BAD, NULL },
	{ BYTES(V4_HEAD "\x11" V4_PAIR "\x20\x00\x02hi"), HAPROXY_BAD, NULL },
	{ BYTES(V4_HEAD "\x14" V4_PAIR "\x20\x00\x05\x01\0\0\0\0"), HAPROXY_DONE, "192.0.2.7" },
	{ BYTES(V4_HEAD "\x18" V4_PAIR "\x20\x00\x09\x01\0\0\0\0\x21\x00\x01x"), HAPROXY_DONE,
		"192.0.2.7" },
	{ BYTES(V4_HEAD "\x18" V4_PAIR "\x20\x00\x09\x01\0\0\0\0\x21\x00\x02x"), HAPROXY_BAD,
		NULL },
	{ BYTES(V4_HEAD "\x13" V4_PAIR "\x03\x00\x04\0\0\0\0"), HAPROXY_BAD, NULL },
	{ BYTES(V4_HEAD "\x12" V4_PAIR "\x03\x00\x03\0\0\0"), HAPROXY_BAD, NULL },
};

static void check_case(size_t i)
{
	const struct parse_case *c = &cases[i];
	struct haproxy_header header;
	size_t used = 0;
	size_t len = 0;
	enum haproxy_result result = HAPROXY_MORE;

	/* A byte at a time: the first answer is the answer. */
	while (result == HAPROXY_MORE && len <= c->bytes.len) {
		result = haproxy_parse(slice_head(c->bytes, len), &header, &used);
		len++;
	}
	if (result != c->result)
		fail_msg("case %zu: %d after %zu bytes", i, (int)result, len);
	if (result == HAPROXY_DONE) {
		char text[IP_TEXT_SIZE];

		assert_int_equal(used, c->bytes.len);
		assert_int_equal(header.is_local, c->client[0] == '\0');
		if (!header.is_local)
			assert_string_equal(ip_format(&header.client, text), c->client);
	}
	/* At once, with what follows. */
	if (result == HAPROXY_DONE) {
		char bytes[512];

		memcpy(bytes, c->bytes.data, c->bytes.len);
		memcpy(bytes + c->bytes.len, "EHLO", 4);
		used = 0;
		assert_int_equal(haproxy_parse(slice_of(bytes, c->bytes.len + 4), &header, &used),
			HAPROXY_DONE);
		assert_int_equal(used, c->bytes.len);
	}
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		check_case(i);
}

static void test_ports(void **state)
{
	struct haproxy_header header;
	size_t used = 0;

	(void)state;
	assert_int_equal(haproxy_parse(cases[0].bytes, &header, &used), HAPROXY_DONE);
	assert_int_equal(header.client_port, 50123);
	assert_int_equal(header.local_port, 993);
}

static void test_line_too_long(void **state)
{
	char line[HAPROXY_V1_MAX + 2];
	struct haproxy_header header;
	size_t used = 0;

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	assert_int_equal(
		haproxy_parse(slice_of(line, HAPROXY_V1_MAX - 1), &header, &used), HAPROXY_MORE);
	assert_int_equal(
		haproxy_parse(slice_of(line, HAPROXY_V1_MAX), &header, &used), HAPROXY_BAD);
	memcpy(line + HAPROXY_V1_MAX - 2, "\r\n", 2);
	assert_int_equal(
		haproxy_parse(slice_of(line, HAPROXY_V1_MAX), &header, &used), HAPROXY_DONE);
	memcpy(line + HAPROXY_V1_MAX - 2, "x\r\n", 3);
	assert_int_equal(
		haproxy_parse(slice_of(line, HAPROXY_V1_MAX + 1), &header, &used), HAPROXY_BAD);
}

/* The sum was computed by a table-driven implementation that gives 0xe3069283 for "123456789". */
static void test_crc(void **state)
{
	char bytes[] = V4_HEAD "\x13" V4_PAIR "\x03\x00\x04"
			       "\x96\x54\xf0\x5c";
	struct slice whole = slice_of(bytes, sizeof bytes - 1);
	struct haproxy_header header;
	size_t used = 0;

	(void)state;
	assert_int_equal(haproxy_parse(whole, &header, &used), HAPROXY_DONE);
	/* Any bit counts, but in the type of the sum itself: then it is another TLV. */
	for (size_t i = 16; i < whole.len; i++) {
		if (i == whole.len - 7)
			continue;
		bytes[i] = (char)(bytes[i] ^ 1);
		assert_int_equal(haproxy_parse(whole, &header, &used), HAPROXY_BAD);
		bytes[i] = (char)(bytes[i] ^ 1);
	}
}

static void test_unique_id(void **state)
{
	char bytes[16 + 12 + 3 + 129] = V4_HEAD "\0" V4_PAIR "\x05";
	struct haproxy_header header;
	size_t used = 0;

	(void)state;
	bytes[15] = (char)(12 + 3 + 128 - 256);
	bytes[30] = (char)(128 - 256);
	assert_int_equal(
		haproxy_parse(slice_of(bytes, sizeof bytes - 1), &header, &used), HAPROXY_DONE);
	bytes[15]++;
	bytes[30]++;
	assert_int_equal(haproxy_parse(slice_of(bytes, sizeof bytes), &header, &used), HAPROXY_BAD);
}

static void test_append(void **state)
{
	static const char *const texts[][2] = { { "192.0.2.7", "198.51.100.1" },
		{ "2001:db8::7", "2001:db8::1" } };
	struct buf out;

	(void)state;
	buf_init(&out, 128);
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		struct haproxy_header header = { .client_port = 50123, .local_port = 993 };
		struct haproxy_header back;
		size_t used = 0;

		assert_int_equal(ip_parse(slice_str(texts[i][0]), &header.client), GP_OK);
		assert_int_equal(ip_parse(slice_str(texts[i][1]), &header.local), GP_OK);
		assert_int_equal(haproxy_append(&out, &header), GP_OK);
		assert_int_equal(haproxy_parse(buf_slice(&out), &back, &used), HAPROXY_DONE);
		assert_int_equal(used, out.len);
		assert_true(ip_equal(&back.client, &header.client));
		assert_true(ip_equal(&back.local, &header.local));
		assert_int_equal(back.client_port, 50123);
		assert_int_equal(back.local_port, 993);
		buf_clear(&out);
	}
	buf_fini(&out);
}

static void test_append_local(void **state)
{
	struct haproxy_header header = { .client_port = 1 };
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(ip_parse(SLICE_LIT("192.0.2.7"), &header.client), GP_OK);
	assert_int_equal(ip_parse(SLICE_LIT("2001:db8::1"), &header.local), GP_OK);
	assert_int_equal(haproxy_append(&out, &header), GP_OK);
	assert_true(slice_equal(buf_slice(&out), SLICE_LIT(SIGNATURE "\x20\x00\x00\x00")));
	header = (struct haproxy_header){ .client_port = 1 };
	buf_clear(&out);
	assert_int_equal(haproxy_append(&out, &header), GP_OK);
	assert_true(slice_equal(buf_slice(&out), SLICE_LIT(SIGNATURE "\x20\x00\x00\x00")));
	assert_int_equal(haproxy_append(&out, &header), GP_ERR_LIMIT);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_line_too_long),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_unique_id),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_append_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
