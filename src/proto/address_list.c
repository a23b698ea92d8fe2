/* SPDX-License-Identifier: ISC */
/*
 * A list is read from left to right without going back: words are gathered until the next byte
 * tells what they are, a local part ("@"), a name ("<"), or the name of a group (":").
 */
#include "proto/address_list.h"

#include <string.h>

#include "base/text.h"

struct reader {
	struct slice rest;
	struct buf *out;
	bool is_in_group;
	bool has_out; /* an address stands in out */
	/* The words so far, as a local part; one that fills it is too long with its domain. */
	char local[ADDRESS_MAX];
	size_t local_len;
	bool is_local;  /* they can be one: words and dots by turns */
	bool wants_dot; /* the last was a word */
	unsigned words;
};

static bool is_at_end(const struct reader *reader)
{
	return reader->rest.len == 0;
}

static char next(const struct reader *reader)
{
	return reader->rest.len > 0 ? reader->rest.data[0] : '\0';
}

static void skip(struct reader *reader)
{
	reader->rest = slice_from(reader->rest, 1);
}

/* Beyond ASCII: RFC 6532, and names in the character sets of old. */
static bool is_atext(char byte)
{
	return text_is_alnum(byte) || (unsigned char)byte >= 0x80 ||
	       (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

static bool is_control(char byte)
{
	return ((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* The byte behind a backslash. */
static enum gp_err take_quoted(struct reader *reader, char *ret_byte)
{
	skip(reader);
	if (is_at_end(reader) || is_control(next(reader)))
		return GP_ERR_SYNTAX;
	*ret_byte = next(reader);
	skip(reader);
	return GP_OK;
}

static enum gp_err skip_comment(struct reader *reader)
{
	unsigned depth = 0;

	do {
		char byte = next(reader);

		if (is_at_end(reader) || is_control(byte))
			return GP_ERR_SYNTAX;
		if (byte == '\\') {
			if (take_quoted(reader, &byte) != GP_OK)
				return GP_ERR_SYNTAX;
			continue;
		}
		depth += byte == '(';
		depth -= byte == ')';
		if (depth > ADDRESS_COMMENT_DEPTH)
			return GP_ERR_SYNTAX;
		skip(reader);
	} while (depth > 0);
	return GP_OK;
}

static enum gp_err skip_space(struct reader *reader)
{
	enum gp_err err = GP_OK;

	while (err == GP_OK && !is_at_end(reader)) {
		if (next(reader) == '(')
			err = skip_comment(reader);
		else if (next(reader) == ' ' || next(reader) == '\t')
			skip(reader);
		else
			break;
	}
	return err;
}

/* ---- words ---- */

static void begin_words(struct reader *reader)
{
	reader->local_len = 0;
	reader->is_local = true;
	reader->wants_dot = false;
	reader->words = 0;
}

static void add_local(struct reader *reader, char byte)
{
	if (reader->local_len < sizeof reader->local)
		reader->local[reader->local_len++] = byte;
}

static void begin_word(struct reader *reader)
{
	if (reader->wants_dot)
		reader->is_local = false;
	reader->wants_dot = true;
	reader->words++;
}

static void take_atom(struct reader *reader)
{
	begin_word(reader);
	for (; !is_at_end(reader) && is_atext(next(reader)); skip(reader))
		add_local(reader, next(reader));
}

static enum gp_err take_string(struct reader *reader)
{
	begin_word(reader);
	skip(reader);
	while (next(reader) != '"') {
		char byte = next(reader);

		if (is_at_end(reader) || is_control(byte))
			return GP_ERR_SYNTAX;
		if (byte != '\\')
			skip(reader);
		else if (take_quoted(reader, &byte) != GP_OK)
			return GP_ERR_SYNTAX;
		add_local(reader, byte);
	}
	skip(reader);
	return GP_OK;
}

static void take_dot(struct reader *reader)
{
	/* Names have dots anywhere ("obs-phrase"). */
	if (!reader->wants_dot)
		reader->is_local = false;
	reader->wants_dot = false;
	reader->words++;
	add_local(reader, '.');
	skip(reader);
}

static enum gp_err take_words(struct reader *reader)
{
	enum gp_err err;

	begin_words(reader);
	while ((err = skip_space(reader)) == GP_OK && !is_at_end(reader)) {
		if (next(reader) == '"')
			err = take_string(reader);
		else if (next(reader) == '.')
			take_dot(reader);
		else if (is_atext(next(reader)))
			take_atom(reader);
		else
			break;
		if (err != GP_OK)
			return err;
	}
	return err;
}

/* ---- an address ---- */

static bool is_dot_atom(struct slice local)
{
	bool was_dot = true;

	for (size_t i = 0; i < local.len; i++) {
		bool is_dot = local.data[i] == '.';

		if (is_dot ? was_dot : !is_atext(local.data[i]))
			return false;
		was_dot = is_dot;
	}
	return !was_dot;
}

static enum gp_err append_local(const struct reader *reader)
{
	struct slice local = slice_of(reader->local, reader->local_len);
	enum gp_err err = GP_OK;

	if (is_dot_atom(local))
		return buf_append(reader->out, local);
	err = buf_append_byte(reader->out, '"');
	for (size_t i = 0; err == GP_OK && i < local.len; i++) {
		if (local.data[i] == '"' || local.data[i] == '\\')
			err = buf_append_byte(reader->out, '\\');
		if (err == GP_OK)
			err = buf_append_byte(reader->out, local.data[i]);
	}
	return err == GP_OK ? buf_append_byte(reader->out, '"') : err;
}

static enum gp_err take_literal(struct reader *reader)
{
	enum gp_err err = GP_OK;

	while (err == GP_OK && next(reader) != ']') {
		if (is_at_end(reader) || is_control(next(reader)) ||
			strchr(" \t\\,", next(reader)) != NULL)
			return GP_ERR_SYNTAX;
		err = buf_append_byte(reader->out, next(reader));
		skip(reader);
	}
	skip(reader);
	return err == GP_OK ? buf_append_byte(reader->out, ']') : err;
}

/* Appends it. Space and comments may stand around its dots. */
static enum gp_err take_domain(struct reader *reader)
{
	size_t start = reader->out->len;
	bool wants_label = true;
	enum gp_err err;

	while ((err = skip_space(reader)) == GP_OK && !is_at_end(reader)) {
		bool is_label = is_atext(next(reader));

		if (next(reader) == '[' && reader->out->len == start)
			return take_literal(reader);
		if (!is_label && next(reader) != '.')
			break;
		if (is_label != wants_label)
			return GP_ERR_SYNTAX;
		do {
			err = buf_append_byte(reader->out, next(reader));
			skip(reader);
		} while (err == GP_OK && is_label && is_atext(next(reader)));
		if (err != GP_OK)
			return err;
		wants_label = !is_label;
	}
	return err == GP_OK && wants_label ? GP_ERR_SYNTAX : err;
}

/* What no account has, or what some mail program would decode to another address. */
static bool is_fit(struct slice address)
{
	return address.len <= ADDRESS_MAX && text_is_printable(address) &&
	       slice_find(address, ',') < 0 && memmem(address.data, address.len, "=?", 2) == NULL;
}

/* The words were its local part; "@" is next. */
static enum gp_err take_address(struct reader *reader)
{
	size_t start;
	enum gp_err err = GP_OK;

	if (!reader->is_local || !reader->wants_dot)
		return GP_ERR_SYNTAX;
	skip(reader);
	if (reader->has_out)
		err = buf_append_byte(reader->out, ',');
	reader->has_out = true;
	start = reader->out->len;
	if (err == GP_OK)
		err = append_local(reader);
	if (err == GP_OK)
		err = buf_append_byte(reader->out, '@');
	if (err == GP_OK)
		err = take_domain(reader);
	if (err != GP_OK)
		return err;
	return is_fit(slice_from(buf_slice(reader->out), start)) ? GP_OK : GP_ERR_SYNTAX;
}

/* "@relay.example,@other.example:" in front of an address (section 4.4): nobody goes by it. */
static enum gp_err skip_route(struct reader *reader)
{
	enum gp_err err;

	while ((err = skip_space(reader)) == GP_OK && !is_at_end(reader)) {
		if (!is_atext(next(reader)) && strchr("@.,[]", next(reader)) == NULL)
			break;
		skip(reader);
	}
	if (err != GP_OK || next(reader) != ':')
		return GP_ERR_SYNTAX;
	skip(reader);
	return GP_OK;
}

/* "<" is next. */
static enum gp_err take_angle(struct reader *reader)
{
	enum gp_err err;

	skip(reader);
	err = skip_space(reader);
	if (err == GP_OK && next(reader) == '@')
		err = skip_route(reader);
	if (err == GP_OK)
		err = take_words(reader);
	if (err == GP_OK)
		err = next(reader) == '@' ? take_address(reader) : GP_ERR_SYNTAX;
	if (err != GP_OK)
		return err;
	if (next(reader) != '>')
		return GP_ERR_SYNTAX;
	skip(reader);
	return skip_space(reader);
}

/* ---- the list ---- */

static enum gp_err begin_group(struct reader *reader)
{
	if (reader->is_in_group || reader->words == 0)
		return GP_ERR_SYNTAX;
	reader->is_in_group = true;
	skip(reader);
	return GP_OK;
}

/* What stands behind a mailbox, a group or nothing. */
static enum gp_err take_separator(struct reader *reader)
{
	enum gp_err err = GP_OK;

	if (next(reader) == ';' && reader->is_in_group) {
		reader->is_in_group = false;
		skip(reader);
		err = skip_space(reader);
	}
	if (err != GP_OK || is_at_end(reader))
		return err;
	if (next(reader) != ',')
		return GP_ERR_SYNTAX;
	skip(reader);
	return GP_OK;
}

static enum gp_err take_element(struct reader *reader)
{
	enum gp_err err = take_words(reader);

	if (err != GP_OK)
		return err;
	if (next(reader) == ':')
		return begin_group(reader);
	if (next(reader) == '@')
		err = take_address(reader);
	else if (next(reader) == '<')
		err = take_angle(reader);
	else if (reader->words > 0)
		err = GP_ERR_SYNTAX; /* a name without an address */
	return err == GP_OK ? take_separator(reader) : err;
}

enum gp_err address_list_parse(struct slice field, struct buf *out)
{
	struct reader reader = { .rest = field, .out = out };
	enum gp_err err = GP_OK;

	while (err == GP_OK && !is_at_end(&reader))
		err = take_element(&reader);
	return err == GP_OK && reader.is_in_group ? GP_ERR_SYNTAX : err;
}
