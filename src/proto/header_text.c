/* SPDX-License-Identifier: ISC */
#include "proto/header_text.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/text.h"
#include "proto/reply.h"

enum {
	DECODED_MAX = 2 * HEADER_TEXT_MAX, /* before spaces are trimmed and the rest is cut */
	CHARACTER_MAX = 4,
	DIGIT_NONE = 16,
};

enum charset {
	CHARSET_UTF8, /* and US-ASCII */
	CHARSET_LATIN1,
	CHARSET_LATIN9,
	CHARSET_WINDOWS,
	CHARSET_MAX /* not understood */
};

struct charset_name {
	const char *name;
	enum charset charset;
};

static const struct charset_name charset_names[] = {
	{ "utf-8", CHARSET_UTF8 },
	{ "utf8", CHARSET_UTF8 },
	{ "us-ascii", CHARSET_UTF8 },
	{ "iso-8859-1", CHARSET_LATIN1 },
	{ "iso-8859-15", CHARSET_LATIN9 },
	{ "windows-1252", CHARSET_WINDOWS },
};

/* Of windows-1252, from 0x80 on; 0: no character. */
static const uint16_t windows[32] = { 0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d,
	0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178 };

/* What ISO 8859-15 changed in 8859-1. */
static uint16_t latin9(unsigned char byte)
{
	switch (byte) {
	case 0xa4:
		return 0x20ac;
	case 0xa6:
		return 0x0160;
	case 0xa8:
		return 0x0161;
	case 0xb4:
		return 0x017d;
	case 0xb8:
		return 0x017e;
	case 0xbc:
		return 0x0152;
	case 0xbd:
		return 0x0153;
	case 0xbe:
		return 0x0178;
	default:
		return byte;
	}
}

static uint16_t code_point(enum charset charset, unsigned char byte)
{
	if (charset == CHARSET_LATIN9)
		return latin9(byte);
	if (charset == CHARSET_WINDOWS && byte >= 0x80 && byte < 0xa0)
		return windows[byte - 0x80];
	return byte;
}

/* What does not fit is dropped: out holds more than is shown. */
static void put(struct buf *out, char byte)
{
	bool is_control = (unsigned char)byte < 0x20 || byte == 0x7f;

	(void)(buf_room(out) > 0 && buf_append_byte(out, is_control ? ' ' : byte) == GP_OK);
}

static void put_decoded(enum charset charset, char byte, struct buf *out)
{
	uint16_t code = code_point(charset, (unsigned char)byte);

	if (charset == CHARSET_UTF8 || (unsigned char)byte < 0x80) {
		put(out, byte);
		return;
	}
	if (code >= 0x800) {
		put(out, (char)(0xe0 | code >> 12));
		put(out, (char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		put(out, (char)(0xc0 | code >> 6));
	}
	put(out, (char)(0x80 | (code & 0x3f)));
}

/* ---- encoded words ---- */

struct word {
	enum charset charset;
	bool is_base64;
	struct slice text;
	size_t len; /* of all of it in the field */
};

static enum charset find_charset(struct slice name)
{
	ptrdiff_t star = slice_find(name, '*');

	/* A language may follow (RFC 2231 section 5). */
	if (star >= 0)
		name = slice_head(name, (size_t)star);
	for (size_t i = 0; i < GP_ARRAY_LEN(charset_names); i++) {
		if (slice_is_nocase(name, charset_names[i].name))
			return charset_names[i].charset;
	}
	return CHARSET_MAX;
}

/* "=?charset?Q?text?=" at the start of field, in a character set that is understood. */
static bool find_word(struct slice field, struct word *ret_word)
{
	struct slice rest = field;
	struct word word;
	ptrdiff_t end;

	if (rest.len < 2 || rest.data[0] != '=' || rest.data[1] != '?')
		return false;
	rest = slice_from(rest, 2);
	end = slice_find(rest, '?');
	if (end <= 0)
		return false;
	word.charset = find_charset(slice_head(rest, (size_t)end));
	rest = slice_from(rest, (size_t)end + 1);
	if (word.charset == CHARSET_MAX || rest.len < 2 || rest.data[1] != '?')
		return false;
	word.is_base64 = text_lower(rest.data[0]) == 'b';
	if (!word.is_base64 && text_lower(rest.data[0]) != 'q')
		return false;
	rest = slice_from(rest, 2);
	end = slice_find(rest, '?');
	if (end < 0 || (size_t)end + 1 >= rest.len || rest.data[end + 1] != '=')
		return false;
	word.text = slice_head(rest, (size_t)end);
	if (slice_find(word.text, ' ') >= 0)
		return false;
	word.len = field.len - rest.len + (size_t)end + 2;
	*ret_word = word;
	return true;
}

static unsigned hex_digit(char byte)
{
	if (text_is_digit(byte))
		return (unsigned)(byte - '0');
	byte = text_lower(byte);
	return byte >= 'a' && byte <= 'f' ? (unsigned)(byte - 'a') + 10 : DIGIT_NONE;
}

/* RFC 2047 section 4.2. A "=" without two digits behind it is itself. */
static void decode_q(const struct word *word, struct buf *out)
{
	struct slice text = word->text;

	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];

		if (byte == '_') {
			byte = ' ';
		} else if (byte == '=' && i + 2 < text.len) {
			unsigned high = hex_digit(text.data[i + 1]);
			unsigned low = hex_digit(text.data[i + 2]);

			if (high < DIGIT_NONE && low < DIGIT_NONE) {
				byte = (char)(high << 4 | low);
				i += 2;
			}
		}
		put_decoded(word->charset, byte, out);
	}
}

static bool decode_b(const struct word *word, struct buf *out)
{
	struct buf bytes;
	bool is_good;

	buf_init(&bytes, word->text.len + 1);
	is_good = decode_base64(word->text, &bytes) == GP_OK;
	for (size_t i = 0; is_good && i < bytes.len; i++)
		put_decoded(word->charset, buf_slice(&bytes).data[i], out);
	buf_fini(&bytes);
	return is_good;
}

static bool decode_word(const struct word *word, struct buf *out)
{
	if (word->is_base64)
		return decode_b(word, out);
	decode_q(word, out);
	return true;
}

static size_t space_len(struct slice field)
{
	size_t len = 0;

	while (len < field.len && (field.data[len] == ' ' || field.data[len] == '\t'))
		len++;
	return len;
}

/* Of the space between two encoded words nothing is meant. */
static void decode_all(struct slice field, struct buf *out)
{
	bool was_word = false;

	while (field.len > 0 && buf_room(out) > 0) {
		size_t space = space_len(field);
		struct word word;
		bool is_word = find_word(slice_from(field, space), &word);

		for (size_t i = 0; i < space && !(was_word && is_word); i++)
			put(out, ' ');
		field = slice_from(field, space);
		if (is_word && decode_word(&word, out)) {
			field = slice_from(field, word.len);
			was_word = true;
		} else if (field.len > 0) {
			put(out, field.data[0]);
			field = slice_from(field, 1);
			was_word = false;
		}
	}
}

/* ---- fit to be shown ---- */

static struct slice cut(struct slice text)
{
	size_t len = HEADER_TEXT_MAX;

	if (text.len <= len)
		return text;
	for (unsigned i = 1; i < CHARACTER_MAX && ((unsigned char)text.data[len] & 0xc0) == 0x80;
		i++)
		len--;
	return slice_head(text, len);
}

void header_text_decode(struct slice field, struct buf *out)
{
	struct buf decoded;
	struct slice text;
	bool fits;

	buf_init(&decoded, DECODED_MAX);
	decode_all(slice_trim(field), &decoded);
	text = cut(slice_trim(buf_slice(&decoded)));
	fits = reply_append_clean(out, text);
	GP_ASSERT(fits);
	buf_fini(&decoded);
}
