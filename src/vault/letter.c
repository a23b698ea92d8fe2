/* SPDX-License-Identifier: ISC */
#include "vault/letter.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/text.h"

enum {
	QP_LINE_MAX = 76,    /* RFC 2045 section 6.7, rule 5 */
	WORD_BYTES_MAX = 39, /* in an encoded-word, so that even the first line is short, RFC 2047
				section 2 */
};

/* The items of a list are lines of their own, indented as the texts indent what they point out. */
#define LIST_BREAK "\n    "

struct letter_text {
	const char *language;
	const char *kind;
	const char *subject;
	const char *body;
};

/* Made from portal/text by embed_letters.py. */
static const struct letter_text texts[] = {
#include "letters.inc"
};

static const struct letter_text *find(const char *language, const char *kind)
{
	const struct letter_text *found = NULL;

	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		if (strcmp(texts[i].kind, kind) != 0)
			continue;
		if (strcmp(texts[i].language, language) == 0)
			return &texts[i];
		if (strcmp(texts[i].language, "en") == 0)
			found = &texts[i];
	}
	return found;
}

bool letter_has_kind(const char *kind)
{
	return find("en", kind) != NULL;
}

/* The value of {name}; NULL if it is not there. */
static json_t *value_of(json_t *values, struct slice name)
{
	const char *key;
	json_t *value;

	json_object_foreach(values, key, value)
	{
		if (slice_is(name, key))
			return value;
	}
	return NULL;
}

/* A time (base/clock.h) is shown to the minute, as people write it; the texts say that it is UTC.
 */
static bool is_time(struct slice value)
{
	char text[CLOCK_TEXT_SIZE];

	return slice_copy(value, text, sizeof text) && value.len == 20 && clock_parse(text) >= 0;
}

static enum gp_err append_time(struct buf *out, struct slice value)
{
	return buf_printf(out, "%.10s %.5s", value.data, value.data + 11);
}

/* A string is one line: what came from outside cannot add lines of its own. */
static enum gp_err append_line(struct buf *out, json_t *string)
{
	struct slice value = slice_of(json_string_value(string), json_string_length(string));
	enum gp_err err = GP_OK;

	if (is_time(value))
		return append_time(out, value);
	for (size_t i = 0; err == GP_OK && i < value.len; i++) {
		unsigned char byte = (unsigned char)value.data[i];

		err = buf_append_byte(out, byte < 0x20 || byte == 0x7f ? ' ' : value.data[i]);
	}
	return err;
}

static enum gp_err append_value(struct buf *out, json_t *value)
{
	enum gp_err err = GP_OK;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		return append_line(out, value);
	json_array_foreach(value, i, item)
	{
		if (err == GP_OK && i > 0)
			err = buf_append_str(out, LIST_BREAK);
		if (err == GP_OK)
			err = append_line(out, item);
	}
	return err;
}

static enum gp_err fill(struct buf *out, const char *text, json_t *values)
{
	struct slice rest = slice_str(text);
	enum gp_err err = GP_OK;

	while (err == GP_OK && rest.len > 0) {
		ptrdiff_t open = slice_find(rest, '{');
		ptrdiff_t close = slice_find(rest, '}');

		if (open < 0 || close < open)
			return buf_append(out, rest);
		err = buf_append(out, slice_head(rest, (size_t)open));
		if (err == GP_OK)
			err = append_value(
				out, value_of(values, slice_of(rest.data + open + 1,
							      (size_t)(close - open - 1))));
		rest = slice_from(rest, (size_t)close + 1);
	}
	return err;
}

/* Length of the longest beginning of text that has at most max bytes and ends with a character. */
static size_t whole_characters(struct slice text, size_t max)
{
	size_t len = text.len < max ? text.len : max;

	while (len > 0 && len < text.len && ((unsigned char)text.data[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* RFC 2047, in as many encoded-words as it takes. */
static enum gp_err append_header_text(struct buf *out, struct slice text)
{
	enum gp_err err = GP_OK;

	if (text_is_ascii(text) && text.len < QP_LINE_MAX - sizeof "Subject: ")
		return buf_append(out, text);
	for (bool is_first = true; err == GP_OK && text.len > 0; is_first = false) {
		size_t len = whole_characters(text, WORD_BYTES_MAX);

		err = buf_append_str(out, is_first ? "=?utf-8?B?" : "\r\n =?utf-8?B?");
		if (err == GP_OK)
			err = encode_base64(slice_head(text, len), out);
		if (err == GP_OK)
			err = buf_append_str(out, "?=");
		text = slice_from(text, len);
	}
	return err;
}

static bool is_plain(char byte)
{
	return (byte > ' ' && byte <= '~' && byte != '=') || byte == ' ';
}

/* One byte in quoted-printable; *column: where it will stand. */
static enum gp_err append_qp(struct buf *out, char byte, bool is_last, size_t *column)
{
	bool as_is = is_plain(byte) && !(byte == ' ' && is_last);
	size_t width = as_is ? 1 : 3;
	enum gp_err err = GP_OK;

	/* Room for the "=" of a soft line break. */
	if (*column + width > QP_LINE_MAX - 1) {
		err = buf_append_str(out, "=\r\n");
		*column = 0;
	}
	if (err == GP_OK)
		err = as_is ? buf_append_byte(out, byte)
			    : buf_printf(out, "=%02X", (unsigned)(unsigned char)byte);
	*column += width;
	return err;
}

static enum gp_err append_body(struct buf *out, struct slice text)
{
	size_t column = 0;
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < text.len; i++) {
		bool is_last = i + 1 == text.len || text.data[i + 1] == '\n';

		if (text.data[i] == '\n') {
			err = buf_append_str(out, "\r\n");
			column = 0;
		} else {
			err = append_qp(out, text.data[i], is_last, &column);
		}
	}
	return err == GP_OK && column > 0 ? buf_append_str(out, "\r\n") : err;
}

static enum gp_err append_head(
	struct buf *out, const struct letter *letter, struct slice subject, const char *language)
{
	char date[40];
	enum gp_err err = buf_printf(out,
		"From: Gatepost <%s>\r\n"
		"To: <%s>\r\n"
		"Date: %s\r\n"
		"Message-ID: <gatepost.%llx.%llx@%s>\r\n"
		"Subject: ",
		letter->from, letter->recipient, clock_format_mail(letter->at, date, sizeof date),
		(unsigned long long)letter->at, (unsigned long long)letter->id, letter->hostname);

	if (err == GP_OK)
		err = append_header_text(out, subject);
	if (err == GP_OK)
		err = buf_printf(out,
			"\r\n"
			"MIME-Version: 1.0\r\n"
			"Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n"
			"Content-Language: %s\r\n"
			"Auto-Submitted: auto-generated\r\n"
			"\r\n",
			language);
	return err;
}

enum gp_err letter_write(const struct letter *letter, struct buf *out)
{
	const struct letter_text *text = find(letter->language, letter->kind);
	struct buf subject;
	struct buf body;
	enum gp_err err;

	if (text == NULL)
		return GP_ERR_NOT_FOUND;
	buf_init_secret(&subject, LETTER_SUBJECT_MAX);
	buf_init_secret(&body, LETTER_MAX);
	err = fill(&subject, text->subject, letter->values);
	if (err == GP_OK)
		err = fill(&body, text->body, letter->values);
	if (err == GP_OK)
		err = append_head(out, letter, slice_trim(buf_slice(&subject)), text->language);
	if (err == GP_OK)
		err = append_body(out, buf_slice(&body));
	buf_fini(&subject);
	buf_fini(&body);
	return err;
}
