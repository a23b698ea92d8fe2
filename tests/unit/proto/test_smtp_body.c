/* SPDX-License-Identifier: ISC */
/* Promise: what is acknowledged is what is delivered. Every form of a message's end that some mail
 * server takes for one is refused, however the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "proto/smtp_body.h"

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

struct body_case {
	struct slice wire;
	enum smtp_body_result result;
	size_t good; /* END: bytes of the message; MORE: bytes passed on */
	size_t size; /* without doubled dots */
};

static const struct body_case cases[] = {
	{ BYTES(".\r\n"), SMTP_BODY_END, 0, 0 },
	{ BYTES("\r\n.\r\n"), SMTP_BODY_END, 2, 2 },
	{ BYTES("a\r\n.\r\n"), SMTP_BODY_END, 3, 3 },
	{ BYTES("a\r\n.\r\nMAIL\r\n"), SMTP_BODY_END, 3, 3 },
	{ BYTES("a\r\n.\r\n\0\n\r"), SMTP_BODY_END, 3, 3 },
	{ BYTES("..\r\n.\r\n"), SMTP_BODY_END, 4, 3 },
	{ BYTES("a\r\n..b\r\n...\r\n.\r\n"), SMTP_BODY_END, 13, 11 },
	{ BYTES("a\r\n.b\r\n.\r\n"), SMTP_BODY_END, 7, 6 },
	{ BYTES("a.\r\n.\r\n"), SMTP_BODY_END, 4, 4 },
	{ BYTES("a\r\n. \r\n.\r\n"), SMTP_BODY_END, 7, 6 },
	{ BYTES("\xff\xfe\r\n.\r\n"), SMTP_BODY_END, 4, 4 },
	{ BYTES(""), SMTP_BODY_MORE, 0, 0 },
	{ BYTES("a"), SMTP_BODY_MORE, 1, 1 },
	{ BYTES("a\r"), SMTP_BODY_MORE, 1, 1 },
	{ BYTES("a\r\n"), SMTP_BODY_MORE, 3, 3 },
	{ BYTES("a\r\n."), SMTP_BODY_MORE, 3, 3 },
	{ BYTES("a\r\n.\r"), SMTP_BODY_MORE, 3, 3 },
	{ BYTES("a\r\n.b"), SMTP_BODY_MORE, 5, 4 },
	/* The forms of smuggling. */
	{ BYTES("a\n.\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r\n.\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r.\r"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r\n.\rb"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r\n.\r\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r\r\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\n\r\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\n\r.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r\n\0.\r\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r\n.\0\r\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\r\0\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("a\0\r\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("\n.\r\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES(".\n"), SMTP_BODY_BAD, 0, 0 },
	{ BYTES("\ra"), SMTP_BODY_BAD, 0, 0 },
};

/* Feeds wire so that it arrives in these pieces; what is passed on comes to out. */
static enum smtp_body_result feed(
	struct smtp_body *body, struct slice wire, size_t first, size_t piece, struct buf *out)
{
	size_t arrived = 0;
	size_t used = 0;
	enum smtp_body_result result = SMTP_BODY_MORE;

	smtp_body_init(body);
	do {
		size_t good = 0;

		arrived += arrived == 0 && first > 0 ? first : piece;
		if (arrived > wire.len)
			arrived = wire.len;
		result = smtp_body_scan(body, slice_from(slice_head(wire, arrived), used), &good);
		if (result == SMTP_BODY_BAD)
			break;
		assert_true(arrived - used - good <= 2 || result == SMTP_BODY_END);
		assert_int_equal(buf_append(out, slice_head(slice_from(wire, used), good)), GP_OK);
		used += good;
	} while (result == SMTP_BODY_MORE && arrived < wire.len);
	return result;
}

static void check_case(const struct body_case *c, size_t first, size_t piece)
{
	struct smtp_body body;
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(feed(&body, c->wire, first, piece, &out), c->result);
	if (c->result != SMTP_BODY_BAD) {
		assert_int_equal(out.len, c->good);
		assert_true(slice_equal(buf_slice(&out), slice_head(c->wire, c->good)));
		assert_int_equal(body.size, c->size);
	}
	buf_fini(&out);
}

static void test_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		check_case(&cases[i], 0, 1);
		for (size_t first = 1; first <= cases[i].wire.len + 1; first++)
			check_case(&cases[i], first, cases[i].wire.len + 1);
	}
}

/* The same behind more text than any vector register or block holds. */
static void test_far_inside(void **state)
{
	enum {
		FAR = 3000
	};
	char *wire = mem_new(FAR + 64, 1);

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		for (size_t far = FAR - 70; far < FAR; far++) {
			struct body_case c = cases[i];

			memset(wire, 'x', far);
			memcpy(wire + far - 2, "\r\n", 2);
			if (c.wire.len > 0)
				memcpy(wire + far, c.wire.data, c.wire.len);
			c.wire = slice_of(wire, far + c.wire.len);
			c.good += far;
			c.size += far;
			check_case(&c, 0, FAR + 64);
			check_case(&c, far - 1, 7);
		}
	}
	mem_free(wire);
}

/* Every byte of an alphabet at every place of two blocks: what is said of the whole is what is said
 * of it byte by byte. */
static void check_places(struct slice filling, struct slice piece, size_t len)
{
	char *wire = mem_new(len, 1);

	for (size_t place = 0; place + piece.len <= len - 3; place++) {
		struct smtp_body whole;
		struct smtp_body parts;
		enum smtp_body_result result;
		enum smtp_body_result last = SMTP_BODY_MORE;
		size_t good = 0;
		size_t from = 0;

		for (size_t i = 0; i < len; i++)
			wire[i] = filling.data[i % filling.len];
		memcpy(wire + place, piece.data, piece.len);
		smtp_body_init(&whole);
		smtp_body_init(&parts);
		result = smtp_body_scan(&whole, slice_of(wire, len), &good);
		for (size_t to = 1; to <= len && last == SMTP_BODY_MORE; to++) {
			size_t n = 0;

			last = smtp_body_scan(&parts, slice_of(wire + from, to - from), &n);
			from += last != SMTP_BODY_BAD ? n : 0;
		}
		assert_int_equal(result, last);
		if (result == SMTP_BODY_BAD)
			continue;
		assert_int_equal(good, from);
		assert_int_equal(whole.size, parts.size);
		assert_int_equal(whole.is_inside, parts.is_inside);
	}
	mem_free(wire);
}

static void test_blocks(void **state)
{
	static const struct slice fillings[] = { BYTES("x"), BYTES("xxx\r\n"), BYTES("\r\n") };
	static const struct slice pieces[] = { BYTES("x"), BYTES("\r"), BYTES("\n"), BYTES("\0"),
		BYTES("."), BYTES("\r\n"), BYTES("\r\n.\r\n"), BYTES("\r\n.."), BYTES("\n\r"),
		BYTES("\r\n.x\r\n.\r\n"), BYTES("\n.\r\n"), BYTES("\r\n.\r"), BYTES("\r\r\n") };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(fillings); i++) {
		for (size_t k = 0; k < GP_ARRAY_LEN(pieces); k++) {
			check_places(fillings[i], pieces[k], 1024);
			check_places(fillings[i], pieces[k], 1025);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_far_inside),
		cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
