/* SPDX-License-Identifier: ISC */
/*
 * Values of options: from text with all checks that need nothing but the value itself, and back to
 * text. object: the struct of the option's section. Process: all.
 */
#ifndef GP_CONFIG_VALUE_H
#define GP_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "config/schema.h"

enum {
	VALUE_ITEMS_MAX = 1024 /* of a list */
};

/* Sets the value, or appends one item to a list. why says what is wrong with text, without naming
 * the option. */
enum gp_err value_set(const struct schema_option *option, void *object, struct slice text,
	struct gp_why *why) GP_CHECKED;
/* The same with the default; a list is replaced by it. */
void value_preset(const struct schema_option *option, void *object);
/* Frees what the value holds: NULL or the empty list is left. Other values stay. */
void value_clear(const struct schema_option *option, void *object);

/* NULL or the empty list? Other values are never unset. */
bool value_is_unset(const struct schema_option *option, const void *object);
/* Of a number, in its unit. */
uint64_t value_number(const struct schema_option *option, const void *object);
/* As it would stand in a file. Not for an unset text. */
enum gp_err value_format(
	const struct schema_option *option, const void *object, struct buf *out) GP_CHECKED;

/* "20m", "1000", "50M": a number of this type in its largest whole unit. */
enum gp_err value_format_number(enum schema_type type, uint64_t number, struct buf *out) GP_CHECKED;
/* "from 1s to 30d", "every or distinct", "yes or no", "text of 1 to 64 bytes": for manuals and
 * messages. */
enum gp_err value_format_range(const struct schema_option *option, struct buf *out) GP_CHECKED;

#endif
