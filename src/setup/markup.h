/* SPDX-License-Identifier: ISC */
/*
 * Writing XML 1.0: text is escaped in this one place, so that no name or address can end an element
 * or begin one. Pure.
 */
#ifndef GP_SETUP_MARKUP_H
#define GP_SETUP_MARKUP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* A document under way. The first error sticks and is told at the end. */
struct markup {
	struct buf *out;
	unsigned depth; /* elements that are open */
	enum gp_err err;
};

enum {
	MARKUP_DEPTH_MAX = 16,
};

/* <?xml?> and nothing else; out is borrowed. */
void markup_begin(struct markup *markup, struct buf *out);
/* GP_ERR_SYNTAX: some text cannot stand in XML (a control character, no UTF-8); GP_ERR_LIMIT: out
 * is full. All elements must be closed. */
enum gp_err markup_end(struct markup *markup) GP_CHECKED;

/* A line as it is: a literal. */
void markup_line(struct markup *markup, const char *literal);
/* "<name>", or "<name attribute="value">" (attribute NULL: none), on a line of its own, and its
 * end. */
void markup_open(
	struct markup *markup, const char *name, const char *attribute, struct slice value);
void markup_close(struct markup *markup, const char *name);
/* "<name>text</name>"; name: a literal, perhaps with attributes. */
void markup_text(struct markup *markup, const char *name, struct slice text);
void markup_number(struct markup *markup, const char *name, unsigned number);

/* As text of an element or value of an attribute. GP_ERR_SYNTAX as above. */
enum gp_err markup_escape(struct slice text, struct buf *out) GP_CHECKED;

#endif
