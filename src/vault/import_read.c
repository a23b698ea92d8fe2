/* SPDX-License-Identifier: ISC */
#include "vault/import_read.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"

static const char *const column_names[IMPORT_COLUMN_MAX] = { "address", "password", "hash", "role",
	"aliases", "route" };

/* ---- bytes and lines ---- */

static enum gp_err fill(struct import_reader *reader)
{
	ssize_t got;

	/* Room for a record and what was read beyond it: never refused. */
	if (buf_reserve(&reader->input, IMPORT_READ_SIZE) != GP_OK)
		return GP_ERR_LIMIT;
	do
		got = pread(reader->fd, buf_tail(&reader->input), IMPORT_READ_SIZE,
			(off_t)reader->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return GP_ERR_IO;
	reader->is_at_end = got == 0;
	reader->offset += (uint64_t)got;
	buf_added(&reader->input, (size_t)got);
	return GP_OK;
}

/* Bytes of the input from `from` up to and with the next LF, or to the file's end; 0 at the end.
 * GP_ERR_LIMIT: longer than a record may be. */
static enum gp_err find_line(struct import_reader *reader, size_t from, size_t *ret_len)
{
	for (;;) {
		struct slice rest = slice_from(buf_slice(&reader->input), from);
		ptrdiff_t end = slice_find(rest, '\n');
		enum gp_err err;

		if (end >= 0 || reader->is_at_end) {
			*ret_len = end >= 0 ? (size_t)end + 1 : rest.len;
			return from + *ret_len <= IMPORT_RECORD_MAX ? GP_OK : GP_ERR_LIMIT;
		}
		if (from + rest.len > IMPORT_RECORD_MAX)
			return GP_ERR_LIMIT;
		err = fill(reader);
		if (err != GP_OK)
			return err;
	}
}

static size_t count_byte(struct slice text, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == byte;
	return count;
}

/* Drops input up to and with the next LF: the rest of a line that was too long. */
static enum gp_err skip_line(struct import_reader *reader)
{
	for (;;) {
		ptrdiff_t end = slice_find(buf_slice(&reader->input), '\n');
		enum gp_err err;

		if (end >= 0) {
			buf_consume(&reader->input, (size_t)end + 1);
			reader->line++;
			return GP_OK;
		}
		buf_clear(&reader->input);
		if (reader->is_at_end)
			return GP_OK;
		err = fill(reader);
		if (err != GP_OK)
			return err;
	}
}

/*
 * Length of the next record in the input, line end included. In csv a line with an open quote goes
 * on in the next one; if that never ends within bounds, the first line alone is the (bad) record.
 */
static enum gp_err find_record(struct import_reader *reader, size_t *ret_len, uint64_t *ret_lines)
{
	size_t len = 0;
	size_t line_len = 0;
	size_t quotes = 0;
	uint64_t lines = 0;
	enum gp_err err = find_line(reader, 0, &line_len);

	if (err != GP_OK)
		return err;
	*ret_len = line_len;
	*ret_lines = 1;
	if (reader->format != IMPORT_FORMAT_CSV)
		return GP_OK;
	while (err == GP_OK && line_len > 0) {
		quotes += count_byte(
			slice_head(slice_from(buf_slice(&reader->input), len), line_len), '"');
		len += line_len;
		lines++;
		if (quotes % 2 == 0) {
			*ret_len = len;
			*ret_lines = lines;
			return GP_OK;
		}
		err = find_line(reader, len, &line_len);
	}
	return err == GP_ERR_IO ? err : GP_OK;
}

static struct slice without_line_end(struct slice text)
{
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	return text;
}

/* ---- csv ---- */

/* One field from the front of *rest, without quotes, into reader->fields. *ret_more: a comma
 * followed. */
static enum gp_err cut_field(struct import_reader *reader, struct slice *rest, bool *ret_more)
{
	bool is_quoted = rest->len > 0 && rest->data[0] == '"';
	size_t at = is_quoted ? 1 : 0;

	while (at < rest->len) {
		char byte = rest->data[at];

		if (is_quoted && byte == '"') {
			bool is_doubled = at + 1 < rest->len && rest->data[at + 1] == '"';

			if (!is_doubled)
				break;
			at++;
		} else if (!is_quoted && byte == ',') {
			break;
		} else if (!is_quoted && byte == '"') {
			return GP_ERR_SYNTAX;
		}
		if (buf_append_byte(&reader->fields, byte) != GP_OK)
			return GP_ERR_SYNTAX;
		at++;
	}
	if (is_quoted && at++ >= rest->len)
		return GP_ERR_SYNTAX; /* the quote never ends */
	if (at < rest->len && rest->data[at] != ',')
		return GP_ERR_SYNTAX; /* something behind the closing quote */
	*ret_more = at < rest->len;
	*rest = slice_from(*rest, *ret_more ? at + 1 : at);
	return GP_OK;
}

/* Splits a record; *ret_count at most IMPORT_COLUMNS_MAX. */
static enum gp_err split_csv(struct import_reader *reader, struct slice text,
	struct slice fields[static IMPORT_COLUMNS_MAX], size_t *ret_count)
{
	size_t ends[IMPORT_COLUMNS_MAX];
	size_t count = 0;
	size_t from = 0;
	bool is_more = true;

	buf_clear(&reader->fields);
	while (is_more) {
		if (count == IMPORT_COLUMNS_MAX || cut_field(reader, &text, &is_more) != GP_OK)
			return GP_ERR_SYNTAX;
		ends[count++] = reader->fields.len;
	}
	for (size_t i = 0; i < count; i++) {
		fields[i] =
			slice_head(slice_from(buf_slice(&reader->fields), from), ends[i] - from);
		from = ends[i];
	}
	*ret_count = count;
	return GP_OK;
}

static enum import_column column_by_name(struct slice name)
{
	for (unsigned i = 0; i < IMPORT_COLUMN_MAX; i++) {
		if (slice_is_nocase(slice_trim(name), column_names[i]))
			return (enum import_column)i;
	}
	return IMPORT_COLUMN_MAX;
}

static enum gp_err take_header(struct import_reader *reader, struct slice text, struct gp_why *why)
{
	struct slice fields[IMPORT_COLUMNS_MAX];
	unsigned seen = 0;
	size_t count = 0;

	if (split_csv(reader, text, fields, &count) != GP_OK)
		return gp_why_set(why, GP_ERR_SYNTAX, "line 1: malformed header");
	for (size_t i = 0; i < count; i++) {
		enum import_column column = column_by_name(fields[i]);

		if (column == IMPORT_COLUMN_MAX || (seen & (1U << column)) != 0)
			return gp_why_set(why, GP_ERR_SYNTAX,
				"line 1: column %zu is none of address, password, hash, role, "
				"aliases, route, or stands twice",
				i + 1);
		seen |= 1U << column;
		reader->columns[i] = (unsigned char)column;
	}
	if ((seen & (1U << IMPORT_ADDRESS)) == 0)
		return gp_why_set(why, GP_ERR_SYNTAX, "line 1: there is no column address");
	reader->column_count = count;
	return GP_OK;
}

static enum gp_err take_csv(struct import_reader *reader, struct slice text,
	struct import_record *record, struct gp_why *why)
{
	struct slice fields[IMPORT_COLUMNS_MAX];
	size_t count = 0;

	if (split_csv(reader, text, fields, &count) != GP_OK)
		return gp_why_set(why, GP_ERR_SYNTAX, "malformed CSV");
	if (count != reader->column_count)
		return gp_why_set(why, GP_ERR_SYNTAX, "%zu fields instead of %zu", count,
			reader->column_count);
	for (size_t i = 0; i < count; i++)
		record->column[reader->columns[i]] = fields[i];
	return GP_OK;
}

/* ---- passwd ---- */

static enum gp_err take_passwd(struct slice text, struct import_record *record, struct gp_why *why)
{
	ptrdiff_t colon = slice_find(text, ':');
	struct slice rest;

	if (colon < 0)
		return gp_why_set(why, GP_ERR_SYNTAX, "no ':' in the line");
	rest = slice_from(text, (size_t)colon + 1);
	record->column[IMPORT_ADDRESS] = slice_head(text, (size_t)colon);
	colon = slice_find(rest, ':');
	record->column[IMPORT_HASH] = colon < 0 ? rest : slice_head(rest, (size_t)colon);
	return GP_OK;
}

/* ---- the reader ---- */

static void detect(struct import_reader *reader, struct slice first)
{
	struct slice fields[IMPORT_COLUMNS_MAX];
	size_t count = 0;

	if (reader->format != IMPORT_FORMAT_AUTO)
		return;
	reader->format = IMPORT_FORMAT_PASSWD;
	if (split_csv(reader, first, fields, &count) != GP_OK)
		return;
	for (size_t i = 0; i < count; i++) {
		if (column_by_name(fields[i]) == IMPORT_ADDRESS)
			reader->format = IMPORT_FORMAT_CSV;
	}
}

enum gp_err import_reader_init(
	struct import_reader *reader, int fd, enum import_format format, struct gp_why *why)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct slice first = { 0 };
	size_t len = 0;
	enum gp_err err;

	memset(reader, 0, sizeof *reader);
	reader->fd = fd;
	reader->line = 1;
	reader->format = format;
	buf_init_secret(&reader->input, IMPORT_RECORD_MAX + 2 * IMPORT_READ_SIZE);
	buf_init_secret(&reader->fields, IMPORT_RECORD_MAX);
	err = find_line(reader, 0, &len);
	if (err == GP_ERR_IO)
		return gp_why_set(why, err, "the file cannot be read");
	if (err == GP_OK && len >= 3 &&
		memcmp(buf_slice(&reader->input).data, byte_order_mark, 3) == 0) {
		buf_consume(&reader->input, 3);
		len -= 3;
	}
	/* A line that is too long is no header. */
	if (err == GP_OK)
		first = without_line_end(slice_head(buf_slice(&reader->input), len));
	detect(reader, first);
	if (reader->format != IMPORT_FORMAT_CSV)
		return GP_OK;
	err = take_header(reader, first, why);
	if (err == GP_OK) {
		buf_consume(&reader->input, len);
		reader->line++;
	}
	return err;
}

void import_reader_fini(struct import_reader *reader)
{
	buf_fini(&reader->input);
	buf_fini(&reader->fields);
}

uint64_t import_reader_done(const struct import_reader *reader)
{
	return reader->offset - reader->input.len;
}

static bool is_nothing(const struct import_reader *reader, struct slice text)
{
	return slice_trim(text).len == 0 ||
	       (reader->format == IMPORT_FORMAT_PASSWD && text.data[0] == '#');
}

/* The record is copied out of the input before that moves on. */
static enum gp_err take_record(struct import_reader *reader, struct slice text,
	struct import_record *record, struct gp_why *why)
{
	enum gp_err err;

	if (!text_is_utf8(text) || memchr(text.data, '\0', text.len) != NULL)
		return gp_why_set(why, GP_ERR_SYNTAX, "not UTF-8");
	if (reader->format == IMPORT_FORMAT_CSV)
		return take_csv(reader, text, record, why);
	buf_clear(&reader->fields);
	err = buf_append(&reader->fields, text);
	GP_ASSERT(err == GP_OK);
	return take_passwd(buf_slice(&reader->fields), record, why);
}

enum gp_err import_reader_next(
	struct import_reader *reader, struct import_record *ret_record, struct gp_why *why)
{
	for (;;) {
		struct slice text;
		size_t len = 0;
		uint64_t lines = 0;
		bool is_skipped;
		enum gp_err err = find_record(reader, &len, &lines);

		*ret_record = (struct import_record){ .line = reader->line };
		if (err == GP_ERR_LIMIT) {
			err = skip_line(reader);
			return err == GP_OK ? gp_why_set(why, GP_ERR_SYNTAX, "the line is too long")
					    : err;
		}
		if (err != GP_OK)
			return err;
		if (len == 0)
			return GP_ERR_CLOSED;
		text = without_line_end(slice_head(buf_slice(&reader->input), len));
		is_skipped = is_nothing(reader, text);
		if (!is_skipped)
			err = take_record(reader, text, ret_record, why);
		buf_consume(&reader->input, len);
		reader->line += lines;
		if (!is_skipped)
			return err;
	}
}
