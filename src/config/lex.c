/* SPDX-License-Identifier: ISC */
#include "config/lex.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

enum {
	SHOWN_MAX = 80 /* bytes of a word in a message */
};

void lex_init(struct lex *lex, struct slice text)
{
	*lex = (struct lex){ .rest = text, .line = 1 };
	buf_init(&lex->word, LEX_WORD_MAX);
}

void lex_fini(struct lex *lex)
{
	buf_fini(&lex->word);
}

enum gp_err lex_check_text(struct slice text, unsigned *ret_line, struct gp_why *why)
{
	unsigned line = 1;

	while (text.len > 0) {
		ptrdiff_t end = slice_find(text, '\n');
		struct slice row = slice_head(text, end < 0 ? text.len : (size_t)end);

		for (size_t i = 0; i < row.len; i++) {
			unsigned char byte = (unsigned char)row.data[i];

			if ((byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7f) {
				*ret_line = line;
				return gp_why_set(why, GP_ERR_CONFIG,
					"control byte 0x%02x; this is a text file", byte);
			}
		}
		if (!text_is_utf8(row)) {
			*ret_line = line;
			return gp_why_set(why, GP_ERR_CONFIG, "text that is not UTF-8");
		}
		text = slice_from(text, end < 0 ? text.len : (size_t)end + 1);
		line++;
	}
	return GP_OK;
}

static void skip_blank(struct lex *lex)
{
	bool in_comment = false;

	while (lex->rest.len > 0) {
		char byte = lex->rest.data[0];

		if (byte == '\n') {
			in_comment = false;
			lex->line++;
		} else if (byte == '#') {
			in_comment = true;
		} else if (!in_comment && byte != ' ' && byte != '\t' && byte != '\r') {
			return;
		}
		lex->rest = slice_from(lex->rest, 1);
	}
}

/* The byte after a backslash in "...": 0 if there is no such escape. */
static char unescape(char byte)
{
	return byte == '"' || byte == '\\' ? byte : '\0';
}

static enum gp_err too_long(struct gp_why *why)
{
	return gp_why_set(why, GP_ERR_CONFIG, "a word is longer than %d bytes", (int)LEX_WORD_MAX);
}

/* rest begins with the quote. */
static enum gp_err next_string(struct lex *lex, struct gp_why *why)
{
	char quote = lex->rest.data[0];

	lex->rest = slice_from(lex->rest, 1);
	while (lex->rest.len > 0 && lex->rest.data[0] != '\n') {
		char byte = lex->rest.data[0];

		lex->rest = slice_from(lex->rest, 1);
		if (byte == quote)
			return GP_OK;
		if (byte == '\\' && quote == '"') {
			byte = lex->rest.len > 0 ? unescape(lex->rest.data[0]) : '\0';
			if (byte == '\0')
				return gp_why_set(why, GP_ERR_CONFIG,
					"in \"...\" only \\\" and \\\\ may follow a backslash; "
					"in '...' it stands for itself");
			lex->rest = slice_from(lex->rest, 1);
		}
		if (buf_append_byte(&lex->word, byte) != GP_OK)
			return too_long(why);
	}
	return gp_why_set(why, GP_ERR_CONFIG, "a string is not closed with %c on its line", quote);
}

static bool ends_word(char byte)
{
	return strchr(" \t\r\n#\"'=,;{}", byte) != NULL;
}

static enum gp_err next_word(struct lex *lex, struct gp_why *why)
{
	size_t len = 0;

	while (len < lex->rest.len && !ends_word(lex->rest.data[len]))
		len++;
	if (buf_append(&lex->word, slice_head(lex->rest, len)) != GP_OK)
		return too_long(why);
	lex->rest = slice_from(lex->rest, len);
	return GP_OK;
}

static bool punctuation(char byte, enum lex_kind *ret_kind)
{
	static const struct {
		char byte;
		enum lex_kind kind;
	} marks[] = {
		{ '{', LEX_OPEN },
		{ '}', LEX_CLOSE },
		{ '=', LEX_EQUALS },
		{ ',', LEX_COMMA },
		{ ';', LEX_SEMICOLON },
	};

	for (size_t i = 0; i < GP_ARRAY_LEN(marks); i++) {
		if (marks[i].byte == byte) {
			*ret_kind = marks[i].kind;
			return true;
		}
	}
	return false;
}

enum gp_err lex_next(struct lex *lex, struct lex_token *ret_token, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	skip_blank(lex);
	*ret_token = (struct lex_token){ .kind = LEX_END, .line = lex->line };
	if (lex->rest.len == 0)
		return GP_OK;
	if (punctuation(lex->rest.data[0], &ret_token->kind)) {
		lex->rest = slice_from(lex->rest, 1);
		return GP_OK;
	}
	buf_clear(&lex->word);
	ret_token->kind = LEX_WORD;
	if (lex->rest.data[0] == '"' || lex->rest.data[0] == '\'')
		err = next_string(lex, why);
	else
		err = next_word(lex, why);
	if (err == GP_OK)
		ret_token->text = buf_slice(&lex->word);
	return err;
}

const char *lex_token_text(const struct lex_token *token, struct gp_why *room)
{
	static const char *const texts[] = {
		[LEX_END] = "the end of the file",
		[LEX_OPEN] = "\"{\"",
		[LEX_CLOSE] = "\"}\"",
		[LEX_EQUALS] = "\"=\"",
		[LEX_COMMA] = "\",\"",
		[LEX_SEMICOLON] = "\";\"",
	};
	char shown[SHOWN_MAX];

	if (token->kind != LEX_WORD)
		return texts[token->kind];
	text_escape(token->text, shown, sizeof shown);
	(void)gp_why_set(room, GP_OK, "\"%s\"", shown);
	return room->text;
}
