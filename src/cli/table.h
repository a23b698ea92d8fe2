/* SPDX-License-Identifier: ISC */
/*
 * Columns of text for people: as wide as what stands in them, and no wider in all than the
 * terminal. Widths are those of the characters on a terminal, not bytes.
 */
#ifndef GP_CLI_TABLE_H
#define GP_CLI_TABLE_H

#include <stddef.h>

#include "base/buf.h"

struct table;

enum {
	TABLE_CELL_SIZE = 512 /* bytes of a cell; longer text is cut */
};

/* columns >= 1. */
struct table *table_new(size_t columns);
void table_free(struct table **ptable);

/* The next cell, row by row; the first row is the heading. text is escaped: it may be a peer's. */
void table_add(struct table *table, const char *text);
/* width: of the terminal; 0: unlimited. Columns that are empty in all rows are left out. */
enum gp_err table_format(const struct table *table, size_t width, struct buf *out) GP_CHECKED;

/* Columns of a terminal that text takes. */
size_t table_width(const char *text);

#endif
