/* SPDX-License-Identifier: ISC */
#include "config/value.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "config/guess.h"
#include "config/value_text.h"

enum {
	SHOWN_MAX = 80 /* bytes of a wrong value in a message */
};

/* A suffix and what it multiplies with; per type from the largest to the type's own unit. */
struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit units_seconds[] = {
	{ "d", 86400 },
	{ "h", 3600 },
	{ "m", 60 },
	{ "s", 1 },
	{ NULL, 0 },
};
static const struct unit units_milliseconds[] = {
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};
static const struct unit units_days[] = {
	{ "d", 1 },
	{ NULL, 0 },
};
static const struct unit units_kib[] = {
	{ "G", 1048576 },
	{ "M", 1024 },
	{ "K", 1 },
	{ NULL, 0 },
};
static const struct unit units_bytes[] = {
	{ "G", 1073741824 },
	{ "M", 1048576 },
	{ "K", 1024 },
	{ "", 1 },
	{ NULL, 0 },
};
static const struct unit units_none[] = {
	{ "", 1 },
	{ NULL, 0 },
};

/* Of a type that is a number; words: what to write. NULL for other types. */
static const struct unit *units_of(enum schema_type type, const char **ret_words)
{
	static const struct {
		const struct unit *units;
		const char *words;
	} all[SCHEMA_NETWORKS + 1] = {
		[SCHEMA_COUNT] = { units_none, "a whole number" },
		[SCHEMA_PORT] = { units_none, "a port number" },
		[SCHEMA_SECONDS] = { units_seconds,
			"a time: a number of seconds, or with s, m, h or d as in 20m" },
		[SCHEMA_MILLISECONDS] = { units_milliseconds,
			"a time: a number of milliseconds, or with ms, s or m as in 2s" },
		[SCHEMA_DAYS] = { units_days, "a number of days" },
		[SCHEMA_KIB] = { units_kib,
			"a size: a number of KiB, or with K, M or G as in 19M" },
		[SCHEMA_BYTES] = { units_bytes,
			"a size: a number of bytes, or with K, M or G as in 50M" },
	};

	*ret_words = all[type].words;
	return all[type].units;
}

static void *member(const struct schema_option *option, void *object)
{
	return (char *)object + option->offset;
}

static const void *const_member(const struct schema_option *option, const void *object)
{
	return (const char *)object + option->offset;
}

static enum gp_err wrong(struct gp_why *why, struct slice text, const char *words)
{
	char shown[SHOWN_MAX];

	text_escape(text, shown, sizeof shown);
	return gp_why_set(why, GP_ERR_CONFIG, "\"%s\" is not %s", shown, words);
}

static enum gp_err out_of_range(
	const struct schema_option *option, struct slice text, struct gp_why *why)
{
	struct buf range;
	char shown[SHOWN_MAX];

	text_escape(text, shown, sizeof shown);
	buf_init(&range, GP_WHY_SIZE);
	if (value_format_range(option, &range) != GP_OK)
		buf_clear(&range);
	(void)gp_why_set(
		why, GP_ERR_CONFIG, "must be %.*s, not %s", SLICE_ARG(buf_slice(&range)), shown);
	buf_fini(&range);
	return GP_ERR_CONFIG;
}

static enum gp_err parse_number(const struct schema_option *option, struct slice text,
	uint64_t *ret_number, struct gp_why *why)
{
	const char *words = NULL;
	const struct unit *units = units_of(option->type, &words);
	unsigned long long number = 0;
	size_t digits = 0;
	struct slice suffix;
	uint64_t factor = 0;

	GP_ASSERT(units != NULL);
	while (digits < text.len && text_is_digit(text.data[digits]))
		digits++;
	suffix = slice_trim(slice_from(text, digits));
	for (const struct unit *unit = units; unit->suffix != NULL; unit++) {
		bool is_own = suffix.len == 0 && unit->suffix[0] != '\0' && unit[1].suffix == NULL;

		if (is_own || slice_is_nocase(suffix, unit->suffix))
			factor = unit->factor;
	}
	if (digits == 0 || factor == 0)
		return wrong(why, text, words);
	if (!slice_to_u64(slice_head(text, digits), option->max / factor, &number) ||
		number * factor < option->min)
		return out_of_range(option, text, why);
	*ret_number = number * factor;
	return GP_OK;
}

static enum gp_err set_number(
	const struct schema_option *option, void *object, struct slice text, struct gp_why *why)
{
	void *at = member(option, object);
	uint64_t number = 0;
	enum gp_err err = parse_number(option, text, &number, why);

	if (err != GP_OK)
		return err;
	if (option->type == SCHEMA_BYTES)
		*(uint64_t *)at = number;
	else if (option->type == SCHEMA_PORT)
		*(uint16_t *)at = (uint16_t)number;
	else
		*(unsigned *)at = (unsigned)number;
	return GP_OK;
}

uint64_t value_number(const struct schema_option *option, const void *object)
{
	const void *at = const_member(option, object);

	if (option->type == SCHEMA_BYTES)
		return *(const uint64_t *)at;
	if (option->type == SCHEMA_PORT)
		return *(const uint16_t *)at;
	return *(const unsigned *)at;
}

static enum gp_err set_bool(bool *at, struct slice text, struct gp_why *why)
{
	static const char *const yes[] = { "yes", "true", "on" };
	static const char *const no[] = { "no", "false", "off" };

	for (size_t i = 0; i < GP_ARRAY_LEN(yes); i++) {
		if (slice_is(text, yes[i]) || slice_is(text, no[i])) {
			*at = slice_is(text, yes[i]);
			return GP_OK;
		}
	}
	return wrong(why, text, "yes or no");
}

/* Enums of config.h are as wide as unsigned (schema.c asserts it). */
static enum gp_err set_choice(
	const struct schema_option *option, void *object, struct slice text, struct gp_why *why)
{
	char shown[SHOWN_MAX];
	struct guess guess;
	struct gp_why hint;
	struct buf range;

	for (const struct schema_choice *one = option->choices; one->name != NULL; one++) {
		if (slice_is(text, one->name)) {
			memcpy(member(option, object), &one->value, sizeof one->value);
			return GP_OK;
		}
	}
	text_escape(text, shown, sizeof shown);
	guess_begin(&guess, shown);
	for (const struct schema_choice *one = option->choices; one->name != NULL; one++)
		guess_try(&guess, one->name);
	buf_init(&range, GP_WHY_SIZE);
	if (value_format_range(option, &range) != GP_OK)
		buf_clear(&range);
	(void)gp_why_set(why, GP_ERR_CONFIG, "must be %.*s, not \"%s\"%s",
		SLICE_ARG(buf_slice(&range)), shown, guess_text(&guess, &hint));
	buf_fini(&range);
	return GP_ERR_CONFIG;
}

enum gp_err value_set(
	const struct schema_option *option, void *object, struct slice text, struct gp_why *why)
{
	if (schema_is_text(option->type) || schema_is_list(option->type))
		return value_text_set(option, object, text, why);
	if (option->type == SCHEMA_BOOL)
		return set_bool(member(option, object), text, why);
	if (option->type == SCHEMA_CHOICE)
		return set_choice(option, object, text, why);
	return set_number(option, object, text, why);
}

void value_preset(const struct schema_option *option, void *object)
{
	struct slice text = slice_str(option->preset);

	if (option->preset == NULL)
		return;
	value_clear(option, object);
	GP_ASSERT(value_set(option, object, text, NULL) == GP_OK);
}

void value_clear(const struct schema_option *option, void *object)
{
	if (schema_is_text(option->type) || schema_is_list(option->type))
		value_text_clear(option, object);
}

bool value_is_unset(const struct schema_option *option, const void *object)
{
	if (schema_is_text(option->type) || schema_is_list(option->type))
		return value_text_is_unset(option, object);
	return false;
}

enum gp_err value_format_number(enum schema_type type, uint64_t number, struct buf *out)
{
	const char *words = NULL;
	const struct unit *unit = units_of(type, &words);

	GP_ASSERT(unit != NULL);
	while (unit[1].suffix != NULL && (number == 0 || number % unit->factor != 0))
		unit++;
	return buf_printf(out, "%llu%s", (unsigned long long)(number / unit->factor), unit->suffix);
}

static enum gp_err format_choice(
	const struct schema_option *option, const void *object, struct buf *out)
{
	unsigned value;

	memcpy(&value, const_member(option, object), sizeof value);
	for (const struct schema_choice *one = option->choices; one->name != NULL; one++) {
		if (one->value == value)
			return buf_append_str(out, one->name);
	}
	return GP_ERR_INTERNAL;
}

enum gp_err value_format(const struct schema_option *option, const void *object, struct buf *out)
{
	if (schema_is_text(option->type) || schema_is_list(option->type))
		return value_text_format(option, object, out);
	if (option->type == SCHEMA_CHOICE)
		return format_choice(option, object, out);
	if (option->type == SCHEMA_BOOL)
		return buf_append_str(
			out, *(const bool *)const_member(option, object) ? "yes" : "no");
	return value_format_number(option->type, value_number(option, object), out);
}

static enum gp_err format_choices(const struct schema_choice *choices, struct buf *out)
{
	enum gp_err err = buf_append_str(out, choices->name);

	for (const struct schema_choice *one = choices + 1; err == GP_OK && one->name != NULL;
		one++)
		err = buf_printf(out, "%s%s", one[1].name != NULL ? ", " : " or ", one->name);
	return err;
}

enum gp_err value_format_range(const struct schema_option *option, struct buf *out)
{
	enum gp_err err = GP_OK;

	if (option->type == SCHEMA_TEXT || option->type == SCHEMA_URL ||
		option->type == SCHEMA_PATH)
		return buf_printf(out, "%s of at most %llu bytes", value_text_words(option->type),
			(unsigned long long)option->max);
	if (schema_is_text(option->type) || schema_is_list(option->type))
		return buf_printf(out, "%s%s",
			schema_is_list(option->type) ? "a list, each item " : "",
			value_text_words(option->type));
	if (option->type == SCHEMA_CHOICE)
		return format_choices(option->choices, out);
	if (option->type == SCHEMA_BOOL)
		return buf_append_str(out, "yes or no");
	err = value_format_number(option->type, option->min, out);
	if (err == GP_OK)
		err = buf_append_str(out, " to ");
	if (err == GP_OK)
		err = value_format_number(option->type, option->max, out);
	return err;
}
