/* SPDX-License-Identifier: ISC */
/*
 *	document  = [BOM] [declaration] space element space
 *	element   = "<" name *( space name "=" value ) ( "/>" / ">" *( text / element ) "</" name
 *">" )
 *
 * The names of the open elements are remembered without their prefixes; what is wanted is looked
 * for by its whole way from the root, and may be there once.
 */
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "setup/autodiscover.h"

struct scanner {
	struct slice rest;
	struct slice open[AUTODISCOVER_DEPTH_MAX]; /* with their prefixes, as they came */
	unsigned depth;
	struct buf text; /* of the innermost element, up to its first child */
	struct autodiscover_request *request;
};

static bool starts(const struct scanner *scanner, const char *text)
{
	size_t len = strlen(text);

	return scanner->rest.len >= len && memcmp(scanner->rest.data, text, len) == 0;
}

static bool take(struct scanner *scanner, const char *text)
{
	if (!starts(scanner, text))
		return false;
	scanner->rest = slice_from(scanner->rest, strlen(text));
	return true;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool skip_space(struct scanner *scanner)
{
	size_t n = 0;

	while (n < scanner->rest.len && is_space(scanner->rest.data[n]))
		n++;
	scanner->rest = slice_from(scanner->rest, n);
	return n > 0;
}

/* ASCII names do: nobody asks with others. */
static bool take_name(struct scanner *scanner, struct slice *ret_name)
{
	size_t n = 0;

	while (n < scanner->rest.len && n <= AUTODISCOVER_NAME_MAX) {
		char byte = scanner->rest.data[n];

		if (!text_is_alnum(byte) && (byte == '\0' || strchr("_:.-", byte) == NULL))
			break;
		n++;
	}
	if (n == 0 || n > AUTODISCOVER_NAME_MAX ||
		!(text_is_alnum(scanner->rest.data[0]) || scanner->rest.data[0] == '_') ||
		text_is_digit(scanner->rest.data[0]))
		return false;
	*ret_name = slice_head(scanner->rest, n);
	scanner->rest = slice_from(scanner->rest, n);
	return true;
}

static bool take_value(struct scanner *scanner)
{
	struct slice value;
	ptrdiff_t end;
	char quote;

	if (!starts(scanner, "\"") && !starts(scanner, "'"))
		return false;
	quote = scanner->rest.data[0];
	value = slice_from(scanner->rest, 1);
	end = slice_find(value, quote);
	if (end < 0)
		return false;
	scanner->rest = slice_from(value, (size_t)end + 1);
	return slice_find(slice_head(value, (size_t)end), '<') < 0;
}

/* Up to the bracket. An attribute is of no interest; that it stands twice, neither. */
static bool skip_attributes(struct scanner *scanner)
{
	unsigned count = 0;
	struct slice name;

	while (skip_space(scanner) && !starts(scanner, ">") && !starts(scanner, "/>") &&
		!starts(scanner, "?>")) {
		if (++count > AUTODISCOVER_ATTRIBUTES_MAX || !take_name(scanner, &name))
			return false;
		(void)skip_space(scanner);
		if (!take(scanner, "="))
			return false;
		(void)skip_space(scanner);
		if (!take_value(scanner))
			return false;
	}
	return true;
}

/* ---- text ---- */

/* UTF-8 of a character that XML has. */
static bool put_character(struct buf *out, unsigned long code)
{
	char bytes[4];
	size_t n = 0;

	if (code < 0x20 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return false;
	if (code < 0x80) {
		bytes[n++] = (char)code;
	} else if (code < 0x800) {
		bytes[n++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		bytes[n++] = (char)(0xe0 | code >> 12);
		bytes[n++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		bytes[n++] = (char)(0xf0 | code >> 18);
		bytes[n++] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[n++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (n > 0 && code >= 0x80)
		bytes[n++] = (char)(0x80 | (code & 0x3f));
	return buf_append(out, slice_of(bytes, n)) == GP_OK;
}

/* "#65" or "#x41". */
static bool put_number(struct buf *out, struct slice name)
{
	static const char digits[] = "0123456789abcdef";
	bool is_hex = name.len > 1 && name.data[1] == 'x';
	unsigned base = is_hex ? 16 : 10;
	struct slice text = slice_from(name, is_hex ? 2 : 1);
	unsigned long code = 0;

	if (text.len == 0 || text.len > 7)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = strchr(digits, text_lower(text.data[i]));

		if (digit == NULL || *digit == '\0' || (unsigned)(digit - digits) >= base)
			return false;
		code = code * base + (unsigned long)(digit - digits);
	}
	return put_character(out, code);
}

static bool put_reference(struct scanner *scanner)
{
	static const struct {
		const char *name;
		char byte;
	} known[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
		{ "apos", '\'' } };
	ptrdiff_t end = slice_find(scanner->rest, ';');
	struct slice name;

	if (end < 2)
		return false;
	name = slice_from(slice_head(scanner->rest, (size_t)end), 1);
	scanner->rest = slice_from(scanner->rest, (size_t)end + 1);
	if (name.data[0] == '#')
		return put_number(&scanner->text, name);
	for (size_t i = 0; i < GP_ARRAY_LEN(known); i++) {
		if (slice_is(name, known[i].name))
			return buf_append_byte(&scanner->text, known[i].byte) == GP_OK;
	}
	return false;
}

static bool take_text(struct scanner *scanner)
{
	while (scanner->rest.len > 0 && scanner->rest.data[0] != '<') {
		if (scanner->rest.data[0] == '&') {
			if (!put_reference(scanner))
				return false;
			continue;
		}
		if (buf_append_byte(&scanner->text, scanner->rest.data[0]) != GP_OK)
			return false;
		scanner->rest = slice_from(scanner->rest, 1);
	}
	return true;
}

/* ---- elements ---- */

static struct slice local_name(struct slice name)
{
	return slice_from(name, (size_t)(slice_find(name, ':') + 1));
}

/* Is the innermost element this one of the request? */
static bool is_at(const struct scanner *scanner, const char *name)
{
	return scanner->depth == 3 && slice_is(local_name(scanner->open[0]), "Autodiscover") &&
	       slice_is(local_name(scanner->open[1]), "Request") &&
	       slice_is(local_name(scanner->open[2]), name);
}

static struct slice trim(struct slice text)
{
	while (text.len > 0 && is_space(text.data[0]))
		text = slice_from(text, 1);
	while (text.len > 0 && is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

static bool keep(struct slice text, char *value)
{
	return value[0] == '\0' && text_is_printable(text) &&
	       slice_copy(text, value, AUTODISCOVER_VALUE_SIZE);
}

static bool close_element(struct scanner *scanner)
{
	struct slice text = trim(buf_slice(&scanner->text));
	bool is_good = true;

	if (is_at(scanner, "EMailAddress"))
		is_good = keep(text, scanner->request->address);
	else if (is_at(scanner, "AcceptableResponseSchema"))
		is_good = keep(text, scanner->request->schema);
	buf_clear(&scanner->text);
	scanner->depth--;
	return is_good;
}

static bool open_element(struct scanner *scanner)
{
	struct slice name;

	/* What is wanted is text and nothing else. */
	if (is_at(scanner, "EMailAddress") || is_at(scanner, "AcceptableResponseSchema"))
		return false;
	if (scanner->depth == AUTODISCOVER_DEPTH_MAX || !take_name(scanner, &name) ||
		!skip_attributes(scanner))
		return false;
	if (scanner->depth == 0 && !slice_is(local_name(name), "Autodiscover"))
		return false;
	scanner->open[scanner->depth++] = name;
	buf_clear(&scanner->text);
	if (take(scanner, "/>"))
		return close_element(scanner);
	return take(scanner, ">");
}

static bool end_element(struct scanner *scanner)
{
	struct slice name;

	if (!take_name(scanner, &name) || !slice_equal(name, scanner->open[scanner->depth - 1]))
		return false;
	(void)skip_space(scanner);
	return take(scanner, ">") && close_element(scanner);
}

/* "encoding" is not asked for: what is no UTF-8 has been refused. */
static bool skip_declaration(struct scanner *scanner)
{
	(void)take(scanner, "\xef\xbb\xbf");
	if (take(scanner, "<?xml") && !(skip_attributes(scanner) && take(scanner, "?>")))
		return false;
	(void)skip_space(scanner);
	return true;
}

static bool scan(struct scanner *scanner)
{
	bool is_good = skip_declaration(scanner) && take(scanner, "<") && open_element(scanner);

	while (is_good && scanner->depth > 0) {
		is_good = take_text(scanner);
		if (is_good && take(scanner, "</"))
			is_good = end_element(scanner);
		else if (is_good)
			is_good = take(scanner, "<") && open_element(scanner);
	}
	(void)skip_space(scanner);
	return is_good && scanner->rest.len == 0;
}

enum gp_err autodiscover_read(struct slice body, struct autodiscover_request *ret_request)
{
	struct autodiscover_request request = { .address = "" };
	struct scanner scanner = { .rest = body, .request = &request };
	bool is_good;

	if (body.len > AUTODISCOVER_REQUEST_MAX)
		return GP_ERR_LIMIT;
	if (!text_is_utf8(body) || slice_find(body, '\0') >= 0)
		return GP_ERR_SYNTAX;
	buf_init(&scanner.text, AUTODISCOVER_REQUEST_MAX);
	is_good = scan(&scanner);
	buf_fini(&scanner.text);
	if (!is_good)
		return GP_ERR_SYNTAX;
	*ret_request = request;
	return GP_OK;
}
