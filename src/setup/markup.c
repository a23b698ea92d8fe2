/* SPDX-License-Identifier: ISC */
#include "setup/markup.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

static const char *entity_of(char byte)
{
	switch (byte) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	default:
		return NULL;
	}
}

/* XML 1.0 section 2.2: no control but tab and the ends of lines, no U+FFFE and U+FFFF. Ours are
 * single lines, so none of these either. */
static bool is_fit(struct slice text)
{
	for (size_t i = 0; i + 2 < text.len; i++) {
		if (memcmp(text.data + i, "\xef\xbf\xbe", 3) == 0 ||
			memcmp(text.data + i, "\xef\xbf\xbf", 3) == 0)
			return false;
	}
	return text_is_printable(text);
}

enum gp_err markup_escape(struct slice text, struct buf *out)
{
	enum gp_err err = is_fit(text) ? GP_OK : GP_ERR_SYNTAX;

	for (size_t i = 0; err == GP_OK && i < text.len; i++) {
		const char *entity = entity_of(text.data[i]);

		err = entity != NULL ? buf_append_str(out, entity)
				     : buf_append_byte(out, text.data[i]);
	}
	return err;
}

static void note(struct markup *markup, enum gp_err err)
{
	if (markup->err == GP_OK)
		markup->err = err;
}

static void put(struct markup *markup, const char *text)
{
	note(markup, buf_append_str(markup->out, text));
}

static void indent(struct markup *markup)
{
	for (unsigned i = 0; i < markup->depth; i++)
		put(markup, "  ");
}

/* The element's name without its attributes. */
static void put_end(struct markup *markup, const char *open)
{
	put(markup, "</");
	note(markup, buf_append(markup->out, slice_of(open, strcspn(open, " "))));
	put(markup, ">\n");
}

void markup_begin(struct markup *markup, struct buf *out)
{
	*markup = (struct markup){ .out = out };
	put(markup, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

enum gp_err markup_end(struct markup *markup)
{
	GP_ASSERT(markup->depth == 0);
	return markup->err;
}

void markup_line(struct markup *markup, const char *literal)
{
	indent(markup);
	put(markup, literal);
	put(markup, "\n");
}

void markup_open(struct markup *markup, const char *name, const char *attribute, struct slice value)
{
	GP_ASSERT(markup->depth < MARKUP_DEPTH_MAX);
	indent(markup);
	note(markup, buf_printf(markup->out, "<%s", name));
	if (attribute != NULL) {
		note(markup, buf_printf(markup->out, " %s=\"", attribute));
		note(markup, markup_escape(value, markup->out));
		put(markup, "\"");
	}
	put(markup, ">\n");
	markup->depth++;
}

void markup_close(struct markup *markup, const char *name)
{
	GP_ASSERT(markup->depth > 0);
	markup->depth--;
	indent(markup);
	put_end(markup, name);
}

void markup_text(struct markup *markup, const char *name, struct slice text)
{
	indent(markup);
	put(markup, "<");
	put(markup, name);
	put(markup, ">");
	note(markup, markup_escape(text, markup->out));
	put_end(markup, name);
}

void markup_number(struct markup *markup, const char *name, unsigned number)
{
	indent(markup);
	note(markup, buf_printf(markup->out, "<%s>%u", name, number));
	put_end(markup, name);
}
