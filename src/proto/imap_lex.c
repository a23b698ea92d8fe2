/* SPDX-License-Identifier: ISC */
#include "proto/imap_lex.h"

#include <string.h>

#include "base/text.h"

/* Digits at the end of text are cut off; saturates. */
static bool cut_number(struct slice *text, uint64_t *ret_number)
{
	size_t first = text->len;
	unsigned long long number = 0;

	while (first > 0 && text_is_digit(text->data[first - 1]))
		first--;
	if (first == text->len)
		return false;
	if (!slice_to_u64(slice_from(*text, first), UINT64_MAX, &number))
		number = UINT64_MAX;
	*text = slice_head(*text, first);
	*ret_number = number;
	return true;
}

static bool cut_last(struct slice *text, char byte)
{
	if (text->len == 0 || text->data[text->len - 1] != byte)
		return false;
	text->len--;
	return true;
}

enum imap_literal imap_lex_literal_head(struct slice line, uint64_t *ret_size)
{
	uint64_t size = 0;
	bool is_sync;

	if (!cut_last(&line, '}'))
		return IMAP_LITERAL_NONE;
	is_sync = !cut_last(&line, '+');
	if (!cut_number(&line, &size) || !cut_last(&line, '{'))
		return IMAP_LITERAL_NONE;
	*ret_size = size;
	return is_sync ? IMAP_LITERAL_SYNC : IMAP_LITERAL_NONSYNC;
}

bool imap_lex_byte(struct slice *rest, char byte)
{
	if (rest->len == 0 || rest->data[0] != byte)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

static bool is_atom_byte(char byte)
{
	unsigned char value = (unsigned char)byte;

	return value > 0x20 && value != 0x7f && strchr("(){\"", byte) == NULL;
}

static bool is_tag_byte(char byte)
{
	return is_atom_byte(byte) && text_is_ascii(slice_of(&byte, 1)) &&
	       strchr("%*\\+}", byte) == NULL;
}

static struct slice cut_while(struct slice *rest, bool (*is_part)(char byte))
{
	struct slice word;
	size_t len = 0;

	while (len < rest->len && is_part(rest->data[len]))
		len++;
	word = slice_head(*rest, len);
	*rest = slice_from(*rest, len);
	return word;
}

struct slice imap_lex_tag(struct slice *rest)
{
	return cut_while(rest, is_tag_byte);
}

struct slice imap_lex_atom(struct slice *rest)
{
	return cut_while(rest, is_atom_byte);
}

/* Behind the opening quote. */
static bool take_quoted(struct slice *rest, struct buf *out)
{
	while (rest->len > 0) {
		char byte = rest->data[0];

		*rest = slice_from(*rest, 1);
		if (byte == '"')
			return true;
		if (byte == '\r' || byte == '\n' || byte == '\0')
			return false;
		if (byte == '\\') {
			if (rest->len == 0 || strchr("\\\"", rest->data[0]) == NULL ||
				rest->data[0] == '\0')
				return false;
			byte = rest->data[0];
			*rest = slice_from(*rest, 1);
		}
		if (buf_append_byte(out, byte) != GP_OK)
			return false;
	}
	return false;
}

static bool take_literal(struct slice *rest, struct buf *out)
{
	ptrdiff_t end = slice_find(*rest, '\r');
	uint64_t size = 0;
	struct slice head;

	if (end < 0)
		return false;
	head = slice_head(*rest, (size_t)end);
	*rest = slice_from(*rest, (size_t)end);
	/* The head must be all of it: no second brace. */
	if (imap_lex_literal_head(head, &size) == IMAP_LITERAL_NONE ||
		slice_find_last(head, '{') != 0 || !imap_lex_byte(rest, '\r') ||
		!imap_lex_byte(rest, '\n') || size > rest->len)
		return false;
	if (buf_append(out, slice_head(*rest, (size_t)size)) != GP_OK)
		return false;
	*rest = slice_from(*rest, (size_t)size);
	return true;
}

bool imap_lex_astring(struct slice *rest, struct buf *out)
{
	struct slice atom;

	if (imap_lex_byte(rest, '"'))
		return take_quoted(rest, out);
	if (rest->len > 0 && rest->data[0] == '{')
		return take_literal(rest, out);
	atom = imap_lex_atom(rest);
	return atom.len > 0 && buf_append(out, atom) == GP_OK;
}

bool imap_lex_nstring(struct slice *rest, struct buf *out, bool *ret_is_nil)
{
	if (rest->len > 0 && rest->data[0] != '"' && rest->data[0] != '{') {
		if (!slice_is_nocase(imap_lex_atom(rest), "NIL"))
			return false;
		*ret_is_nil = true;
		return true;
	}
	if (!imap_lex_astring(rest, out))
		return false;
	*ret_is_nil = false;
	return true;
}
