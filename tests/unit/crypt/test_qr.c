/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <qrencode.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/qr.h"

enum {
	SIDE_MAX = 200
};

static bool drawn[SIDE_MAX][SIDE_MAX];

/* A number after one letter; the pen's path is made of nothing else. */
static long number(const char **at)
{
	char *end = NULL;
	long value = strtol(*at, &end, 10);

	assert_ptr_not_equal(*at, end);
	*at = end;
	return value;
}

static void stroke(long x, long y, long len)
{
	for (long i = 0; i < len; i++) {
		assert_false(drawn[y][x + i]);
		drawn[y][x + i] = true;
	}
}

/* Draws the path and gives the side of the picture. */
static long draw(const char *svg)
{
	const char *at = strstr(svg, "viewBox='0 0 ");
	long side;
	long x = 0;
	long y = 0;

	assert_non_null(at);
	at += strlen("viewBox='0 0 ");
	side = number(&at);
	assert_in_range(side, 21 + 2 * QR_QUIET, SIDE_MAX);
	memset(drawn, 0, sizeof drawn);
	at = strstr(svg, " d='");
	assert_non_null(at);
	at += 4;
	while (*at != '\'') {
		bool is_absolute = *at == 'M';
		long len;

		assert_true(is_absolute || *at == 'm');
		at++;
		x = is_absolute ? number(&at) : x + number(&at);
		if (is_absolute)
			y = number(&at);
		else
			assert_int_equal(number(&at), 0);
		if (is_absolute) {
			assert_memory_equal(at, ".5", 2);
			at += 2;
		}
		assert_int_equal(*at++, 'h');
		len = number(&at);
		assert_true(x >= QR_QUIET && x + len <= side - QR_QUIET);
		assert_true(y >= QR_QUIET && y < side - QR_QUIET);
		stroke(x, y, len);
		x += len;
	}
	return side;
}

static void check(const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct buf out;
	long side;

	assert_non_null(code);
	buf_init(&out, 12 * 1024);
	assert_int_equal(qr_svg(slice_str(text), &out), GP_OK);
	assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
	side = draw(buf_slice(&out).data);
	assert_int_equal(side, code->width + 2 * QR_QUIET);
	for (int y = 0; y < code->width; y++) {
		for (int x = 0; x < code->width; x++)
			assert_int_equal(drawn[y + QR_QUIET][x + QR_QUIET],
				code->data[y * code->width + x] & 1);
	}
	/* It stands for itself: no script, no style, no address but the name of its language. */
	assert_null(strstr(buf_slice(&out).data, "href"));
	assert_null(strstr(buf_slice(&out).data, "style"));
	assert_non_null(strstr(buf_slice(&out).data, "fill='#fff'"));
	buf_fini(&out);
	QRcode_free(code);
}

static void test_drawn(void **state)
{
	char longest[361];

	(void)state;
	check("x");
	check("otpauth://totp/mail.example.test:alice%40example.test"
	      "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=mail.example.test");
	/* The longest address of a key there can be. */
	memset(longest, '%', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	check(longest);
}

static void test_too_long(void **state)
{
	static char text[4000];
	struct buf out;

	(void)state;
	memset(text, 'x', sizeof text);
	buf_init(&out, 64 * 1024);
	assert_int_equal(qr_svg(slice_of(text, sizeof text), &out), GP_ERR_LIMIT);
	assert_int_equal(qr_svg(slice_str(NULL), &out), GP_ERR_LIMIT);
	buf_fini(&out);
	buf_init(&out, 100);
	assert_int_equal(qr_svg(SLICE_LIT("text"), &out), GP_ERR_LIMIT);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
