/* SPDX-License-Identifier: ISC */
#include "cli/table.h"

#include <string.h>
#include <wchar.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	GAP = 2,       /* spaces between columns */
	WIDTH_MIN = 6, /* no column is cut below this */
};

struct table {
	size_t columns;
	size_t count; /* cells */
	char **cells;
};

struct table *table_new(size_t columns)
{
	struct table *table = mem_new(1, sizeof *table);

	GP_ASSERT(columns > 0);
	table->columns = columns;
	return table;
}

void table_free(struct table **ptable)
{
	struct table *table = *ptable;

	if (table == NULL)
		return;
	for (size_t i = 0; i < table->count; i++)
		mem_free(table->cells[i]);
	mem_free(table->cells);
	mem_free(table);
	*ptable = NULL;
}

void table_add(struct table *table, const char *text)
{
	char shown[TABLE_CELL_SIZE];

	text_escape(slice_str(text), shown, sizeof shown);
	if ((table->count & (table->count - 1)) == 0)
		table->cells = mem_resize(table->cells, table->count > 0 ? table->count * 2 : 1,
			sizeof *table->cells);
	table->cells[table->count++] = mem_strdup(shown);
}

/* Bytes and terminal columns of the first character; the text is valid UTF-8. */
static size_t first_character(const char *text, size_t *ret_width)
{
	mbstate_t state;
	wchar_t point = 0;
	size_t len;
	int width;

	memset(&state, 0, sizeof state);
	len = mbrtowc(&point, text, strlen(text), &state);
	if (len == 0 || len == (size_t)-1 || len == (size_t)-2) {
		*ret_width = 1; /* not a UTF-8 locale */
		return 1;
	}
	width = wcwidth(point);
	*ret_width = width >= 0 ? (size_t)width : 1;
	return len;
}

size_t table_width(const char *text)
{
	size_t sum = 0;

	while (*text != '\0') {
		size_t width = 0;

		text += first_character(text, &width);
		sum += width;
	}
	return sum;
}

static size_t row_count(const struct table *table)
{
	GP_ASSERT(table->columns > 0);
	return table->count / table->columns;
}

static const char *cell_at(const struct table *table, size_t row, size_t column)
{
	return table->cells[row * table->columns + column];
}

/* 0 for a column with nothing below its heading. */
static size_t natural_width(const struct table *table, size_t column)
{
	size_t widest = 0;

	for (size_t row = 1; row < row_count(table); row++) {
		size_t width = table_width(cell_at(table, row, column));

		widest = width > widest ? width : widest;
	}
	if (widest == 0)
		return 0;
	return widest > table_width(cell_at(table, 0, column))
		       ? widest
		       : table_width(cell_at(table, 0, column));
}

/* Takes from the widest column until all fit, as far as WIDTH_MIN lets it. */
static void shrink(size_t *widths, size_t count, size_t limit)
{
	for (;;) {
		size_t sum = 0;
		size_t widest = 0;

		for (size_t i = 0; i < count; i++) {
			sum += widths[i] > 0 ? widths[i] + GAP : 0;
			widest = widths[i] > widths[widest] ? i : widest;
		}
		if (sum <= limit + GAP || widths[widest] <= WIDTH_MIN)
			return;
		widths[widest]--;
	}
}

/* The cell in exactly width columns; the last of a row is not filled up. */
static enum gp_err format_cell(const char *text, size_t width, bool is_last, struct buf *out)
{
	bool is_cut = table_width(text) > width;
	size_t room = is_cut ? width - 1 : width;
	size_t used = 0;
	enum gp_err err = GP_OK;

	while (err == GP_OK && *text != '\0') {
		size_t step = 0;
		size_t len = first_character(text, &step);

		if (used + step > room)
			break;
		err = buf_append(out, slice_of(text, len));
		used += step;
		text += len;
	}
	if (err == GP_OK && is_cut) {
		err = buf_append_str(out, "\xe2\x80\xa6");
		used++;
	}
	for (; err == GP_OK && !is_last && used < width + GAP; used++)
		err = buf_append_byte(out, ' ');
	return err;
}

enum gp_err table_format(const struct table *table, size_t width, struct buf *out)
{
	size_t *widths = mem_new(table->columns, sizeof *widths);
	size_t last = 0;
	enum gp_err err = GP_OK;

	for (size_t i = 0; i < table->columns; i++) {
		widths[i] = natural_width(table, i);
		last = widths[i] > 0 ? i : last;
	}
	if (width > 0)
		shrink(widths, table->columns, width);
	for (size_t row = 0; err == GP_OK && row < row_count(table); row++) {
		for (size_t i = 0; err == GP_OK && i <= last; i++) {
			if (widths[i] > 0)
				err = format_cell(
					cell_at(table, row, i), widths[i], i == last, out);
		}
		if (err == GP_OK)
			err = buf_append_byte(out, '\n');
	}
	mem_free(widths);
	return err;
}
