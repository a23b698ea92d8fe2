/* SPDX-License-Identifier: ISC */
/* The part of value.h for texts, lists of texts and lists of networks. */
#ifndef GP_CONFIG_VALUE_TEXT_H
#define GP_CONFIG_VALUE_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "config/schema.h"

enum gp_err value_text_set(const struct schema_option *option, void *object, struct slice text,
	struct gp_why *why) GP_CHECKED;
void value_text_clear(const struct schema_option *option, void *object);
bool value_text_is_unset(const struct schema_option *option, const void *object);
enum gp_err value_text_format(
	const struct schema_option *option, const void *object, struct buf *out) GP_CHECKED;
/* What may be written: "an absolute path". */
const char *value_text_words(enum schema_type type);

/* "..." with escapes, as lex.h reads it back. */
enum gp_err value_text_quote(const char *text, struct buf *out) GP_CHECKED;
/* Letters, digits, ".", "_" and "-", 1 to 64 bytes: names of sections and what refers to them. */
bool value_text_is_name(struct slice text);
/* Host and domain names of letters, digits, "-" and "_"; other scripts as xn--. No dot at the end.
 */
bool value_text_is_domain(struct slice text);

#endif
