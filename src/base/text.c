/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum {
	DISTANCE_MAX = 63
};

char text_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

char text_upper(char byte)
{
	return byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
}

void text_lower_all(char *text)
{
	for (; *text != '\0'; text++)
		*text = text_lower(*text);
}

bool text_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool text_is_alnum(char byte)
{
	char lower = text_lower(byte);

	return text_is_digit(byte) || (lower >= 'a' && lower <= 'z');
}

/* Bytes of the UTF-8 character at the start of text, 0 if it is malformed; its code point. */
static size_t utf8_next(struct slice text, uint32_t *ret_point)
{
	static const uint32_t lowest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = (unsigned char)text.data[0];
	size_t len = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : 4;
	uint32_t point = lead < 0x80 ? lead : lead & (0x7fU >> len);

	if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || len > text.len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)text.data[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		point = (point << 6) | (next & 0x3fU);
	}
	if (point < lowest[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return len;
}

static bool is_shown(uint32_t point)
{
	return point >= 0x20 && (point < 0x7f || point > 0x9f);
}

bool text_is_utf8(struct slice text)
{
	uint32_t point = 0;

	while (text.len > 0) {
		size_t len = utf8_next(text, &point);

		if (len == 0)
			return false;
		text = slice_from(text, len);
	}
	return true;
}

bool text_is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.data[i] > 0x7f)
			return false;
	}
	return true;
}

size_t text_plain_len(struct slice text)
{
	size_t n = 0;

	while (n < text.len && text.data[n] >= ' ' && text.data[n] <= '~')
		n++;
	return n;
}

bool text_is_printable(struct slice text)
{
	uint32_t point = 0;

	/* Most often it is all of ASCII. */
	for (;;) {
		size_t len = text_plain_len(text);

		text = slice_from(text, len);
		if (text.len == 0)
			return true;
		len = utf8_next(text, &point);
		if (len == 0 || !is_shown(point))
			return false;
		text = slice_from(text, len);
	}
}

/* How many letters of ASCII at the beginning stay as they are: most often all. */
static size_t count_plain(struct slice text)
{
	size_t n = 0;

	while (n < text.len && text.data[n] >= ' ' && text.data[n] <= '~' && text.data[n] != '\\')
		n++;
	return n;
}

void text_escape(struct slice text, char *out, size_t size)
{
	size_t used = 0;
	size_t kept = 0; /* where a cut may fall: room for "..." stays behind it */

	GP_ASSERT(size >= 8);
	while (text.len > 0) {
		size_t room = used + 4 <= size ? size - 4 - used : 0;
		size_t run = count_plain(slice_head(text, room));
		uint32_t point = 0;
		size_t len;
		char piece[5];
		size_t piece_len;

		if (run > 0) {
			memcpy(out + used, text.data, run);
			used += run;
			kept = used;
			text = slice_from(text, run);
			continue;
		}
		len = utf8_next(text, &point);
		if (len > 0 && is_shown(point) && point != '\\') {
			memcpy(piece, text.data, len);
			piece_len = len;
		} else if (len > 0 && point == '\\') {
			memcpy(piece, "\\\\", 2);
			piece_len = 2;
		} else {
			(void)snprintf(piece, sizeof piece, "\\x%02x",
				(unsigned)(unsigned char)text.data[0]);
			piece_len = 4;
			len = 1;
		}
		if (used + piece_len >= size) {
			memcpy(out + kept, "...", 4);
			return;
		}
		memcpy(out + used, piece, piece_len);
		used += piece_len;
		if (used + 4 <= size)
			kept = used;
		text = slice_from(text, len);
	}
	out[used] = '\0';
}

const char *text_number(
	uint64_t number, unsigned base, size_t digits, char out[static TEXT_NUMBER_SIZE])
{
	char text[TEXT_NUMBER_SIZE];
	char *const end = text + sizeof text - 1;
	char *at = end;

	GP_ASSERT((base == 10 || base == 16) && digits < TEXT_NUMBER_SIZE);
	*at = '\0';
	/* By constants: to divide by what only run time knows is dear. */
	while (number > 0 || at == end || (size_t)(end - at) < digits) {
		*--at = "0123456789abcdef"[base == 10 ? number % 10 : number % 16];
		number = base == 10 ? number / 10 : number / 16;
	}
	memcpy(out, at, (size_t)(end - at) + 1);
	return out;
}

unsigned text_distance(const char *a, const char *b)
{
	unsigned rows[3][DISTANCE_MAX + 1];
	size_t na = strnlen(a, DISTANCE_MAX);
	size_t nb = strnlen(b, DISTANCE_MAX);
	unsigned *above = rows[0];
	unsigned *row = rows[1];
	unsigned *two_above = rows[2];

	for (size_t j = 0; j <= nb; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *free_row = two_above;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			char ca = text_lower(a[i - 1]);
			char cb = text_lower(b[j - 1]);
			unsigned best = above[j - 1] + (ca != cb);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && ca == text_lower(b[j - 2]) &&
				cb == text_lower(a[i - 2]) && two_above[j - 2] + 1 < best)
				best = two_above[j - 2] + 1;
			row[j] = best;
		}
		two_above = above;
		above = row;
		row = free_row;
	}
	return above[nb];
}
