/* SPDX-License-Identifier: ISC */
#include "proto/line.h"

void line_init(struct line *line)
{
	line->seen = 0;
}

enum line_result line_find(
	struct line *line, struct slice input, size_t max, struct slice *ret_text)
{
	struct slice window = slice_head(input, max + 2);
	ptrdiff_t found = slice_find(slice_from(window, line->seen), '\n');
	struct slice text;

	if (found < 0) {
		line->seen = window.len;
		return window.len == max + 2 ? LINE_TOO_LONG : LINE_MORE;
	}
	text = slice_head(window, line->seen + (size_t)found);
	line->seen = 0;
	if (text.len == 0 || slice_find(text, '\r') != (ptrdiff_t)text.len - 1)
		return LINE_BROKEN;
	text.len--;
	if (slice_find(text, '\0') >= 0)
		return LINE_BROKEN;
	*ret_text = text;
	return LINE_FOUND;
}
