/* SPDX-License-Identifier: ISC */
/*
 * gatepost.conf as tokens. A word is a run of bytes other than space and # " ' = , ; { }, or a
 * string: "..." with \" and \\, '...' as it stands, neither over the end of its line. # begins a
 * comment up to the end of the line. Nothing is expanded and no other file is ever read.
 *
 * Process: all; fronts parse a new configuration inside their jail, so this makes no system call.
 */
#ifndef GP_CONFIG_LEX_H
#define GP_CONFIG_LEX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	LEX_WORD_MAX = 4096 /* bytes of one word */
};

enum lex_kind {
	LEX_END,
	LEX_WORD,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_EQUALS,
	LEX_COMMA,
	LEX_SEMICOLON,
};

struct lex {
	struct slice rest;
	unsigned line; /* of rest's first byte, from 1 */
	struct buf word;
};

struct lex_token {
	enum lex_kind kind;
	unsigned line;
	struct slice text; /* of a word; good until the next call */
};

/* text: borrowed. */
void lex_init(struct lex *lex, struct slice text);
void lex_fini(struct lex *lex);

/* On GP_ERR_CONFIG ret_token->line is where why is about. After LEX_END comes LEX_END. */
enum gp_err lex_next(struct lex *lex, struct lex_token *ret_token, struct gp_why *why) GP_CHECKED;

/* Is the whole text fit to be parsed: UTF-8, no control bytes but tab and line ends? Else why and
 * the line. */
enum gp_err lex_check_text(struct slice text, unsigned *ret_line, struct gp_why *why) GP_CHECKED;

/* A token for a message: "\"word\"", "the end of the file", "\"{\""; returns room->text. */
const char *lex_token_text(const struct lex_token *token, struct gp_why *room);

#endif
