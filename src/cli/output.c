/* SPDX-License-Identifier: ISC */
#include "cli/output.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cell.h"
#include "cli/table.h"

enum {
	KEY_SIZE = 64,
	ESCAPED_SIZE = 4 * CELL_TEXT_MAX,
	SECTION_COLUMNS_MAX = 16
};

/* The value as people see it, fit for a terminal. */
static enum gp_err shown(json_t *value, enum cell kind, char out[static ESCAPED_SIZE])
{
	struct buf text;
	enum gp_err err;

	buf_init_secret(&text, OUTPUT_MAX);
	err = cell_format(value, kind, &text);
	if (err == GP_OK)
		text_escape(buf_slice(&text), out, ESCAPED_SIZE);
	buf_fini(&text);
	return err;
}

/* ---- lists ---- */

static enum gp_err add_row(
	struct table *table, const struct column *columns, size_t count, json_t *row)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < count; i++) {
		struct buf text;

		buf_init(&text, OUTPUT_MAX);
		err = cell_format(json_object_get(row, columns[i].key), columns[i].cell, &text);
		if (err == GP_OK)
			err = buf_append_byte(&text, '\0');
		if (err == GP_OK)
			table_add(table, buf_slice(&text).data);
		buf_fini(&text);
	}
	return err;
}

static enum gp_err format_rows(
	const struct column *columns, size_t count, json_t *rows, size_t width, struct buf *out)
{
	struct table *table = table_new(count);
	enum gp_err err = GP_OK;

	for (size_t i = 0; i < count; i++)
		table_add(table, columns[i].title);
	for (size_t i = 0; err == GP_OK && i < json_array_size(rows); i++)
		err = add_row(table, columns, count, json_array_get(rows, i));
	if (err == GP_OK)
		err = table_format(table, width, out);
	table_free(&table);
	return err;
}

static enum gp_err format_list(const struct verb *verb, json_t *rows, size_t width, struct buf *out)
{
	size_t count = 0;

	if (json_array_size(rows) == 0)
		return buf_printf(out, "%s\n", verb->sentence);
	while (count < VERB_COLUMNS_MAX && verb->columns[count].key != NULL)
		count++;
	return format_rows(verb->columns, count, rows, width, out);
}

/* ---- one thing ---- */

/* "last_used" to "last used". */
static void make_label(const char *key, char label[static KEY_SIZE])
{
	text_escape(slice_str(key), label, KEY_SIZE);
	for (char *at = label; *at != '\0'; at++) {
		if (*at == '_')
			*at = ' ';
	}
}

static bool is_table(const json_t *value)
{
	return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

/* An array of objects below its label; the columns are the keys of all of them. */
static enum gp_err format_nested(const char *label, json_t *rows, size_t width, struct buf *out)
{
	struct column columns[SECTION_COLUMNS_MAX];
	size_t count = 0;
	enum gp_err err = buf_printf(out, "\n%s\n", label);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *key;
		json_t *value;

		json_object_foreach(json_array_get(rows, i), key, value)
		{
			size_t k = 0;

			while (k < count && strcmp(columns[k].key, key) != 0)
				k++;
			if (k == count && count < SECTION_COLUMNS_MAX)
				columns[count++] = (struct column){ key, key, CELL_TEXT };
		}
	}
	if (err == GP_OK && count > 0)
		err = format_rows(columns, count, rows, width, out);
	return err;
}

static size_t label_width(json_t *row)
{
	size_t widest = 0;
	const char *key;
	json_t *value;

	json_object_foreach(row, key, value)
	{
		if (!is_table(value) && strlen(key) > widest)
			widest = strlen(key);
	}
	return widest;
}

static enum gp_err format_one(json_t *row, size_t width, struct buf *out)
{
	size_t column = label_width(row);
	char text[ESCAPED_SIZE];
	char label[KEY_SIZE];
	enum gp_err err = GP_OK;
	const char *key;
	json_t *value;

	json_object_foreach(row, key, value)
	{
		if (err != GP_OK || is_table(value))
			continue;
		make_label(key, label);
		err = shown(value, CELL_TEXT, text);
		if (err == GP_OK)
			err = buf_printf(out, "%-*s  %s\n", (int)column, label,
				text[0] != '\0' ? text : "-");
	}
	json_object_foreach(row, key, value)
	{
		if (err != GP_OK || !is_table(value))
			continue;
		make_label(key, label);
		err = format_nested(label, value, width, out);
	}
	mem_wipe(text, sizeof text);
	return err;
}

/* ---- sentences ---- */

enum gp_err output_sentence(const char *template, json_t *row, json_t *values, struct buf *out)
{
	struct slice rest = slice_str(template);
	char text[ESCAPED_SIZE];
	enum gp_err err = GP_OK;

	while (err == GP_OK && rest.len > 0) {
		ptrdiff_t open = slice_find(rest, '{');
		ptrdiff_t close = slice_find(rest, '}');
		char key[KEY_SIZE];
		json_t *value;

		if (open < 0)
			return buf_append(out, rest);
		GP_ASSERT(close > open);
		GP_ASSERT(slice_copy(slice_from(slice_head(rest, (size_t)close), (size_t)open + 1),
			key, sizeof key));
		value = json_object_get(row, key);
		err = buf_append(out, slice_head(rest, (size_t)open));
		if (err == GP_OK)
			err = shown(value != NULL ? value : json_object_get(values, key), CELL_TEXT,
				text);
		if (err == GP_OK)
			err = buf_append_str(out, text);
		rest = slice_from(rest, (size_t)close + 1);
	}
	return err;
}

static const char device_text[] =
	"Device password \"{name}\" for {address}:\n"
	"\n"
	"    {password}\n"
	"\n"
	"Type it into the mail program in place of the account's password; spaces and hyphens do\n"
	"not matter. It is not shown again. To revoke it: gatepost device revoke {address} "
	"{id}\n";

/* ---- import ---- */

static enum gp_err format_import(json_t *rows, struct buf *out)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		bool is_bad = json_object_get(row, "line") != NULL;

		err = output_sentence(
			is_bad ? "line {line}: {error}\n"
			       : "Accounts loaded: {imported}; bad lines: {skipped}.\n",
			row, NULL, out);
	}
	return err;
}

/* The last row, and those of bad lines within it. */
static json_t *join_import(json_t *rows)
{
	json_t *all = json_object();
	json_t *bad = json_array();

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		if (json_object_get(row, "line") != NULL)
			(void)json_array_append(bad, row);
		else
			(void)json_object_update(all, row);
	}
	(void)json_object_set_new(all, "bad", bad);
	return all;
}

/* ---- records of the DNS ---- */

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL ? text : "";
}

static size_t name_width(json_t *rows)
{
	size_t widest = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		size_t len = strlen(text_of(json_array_get(rows, i), "name"));

		widest = len > widest ? len : widest;
	}
	return widest;
}

/* Ready to be pasted; what a record is for stands above the first of its kind. */
static enum gp_err format_zone(json_t *rows, struct buf *out)
{
	int width = (int)name_width(rows);
	const char *last = "";
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *what = text_of(row, "what");

		if (strcmp(what, last) != 0)
			err = buf_printf(out, "%s; %s\n", i > 0 ? "\n" : "", what);
		last = what;
		if (err == GP_OK)
			err = buf_printf(out, "%-*s IN %-5s %s\n", width, text_of(row, "name"),
				text_of(row, "type"), text_of(row, "value"));
	}
	return err;
}

/* ---- all of it ---- */

enum gp_err output_people(const struct args *args, json_t *rows, size_t width, struct buf *out)
{
	json_t *row = json_array_get(rows, 0);
	enum gp_err err = GP_OK;

	switch (args->verb->shape) {
	case SHAPE_LIST:
		return format_list(args->verb, rows, width, out);
	case SHAPE_ONE:
		for (size_t i = 0; err == GP_OK && i < json_array_size(rows); i++)
			err = format_one(json_array_get(rows, i), width, out);
		return err;
	case SHAPE_ZONE:
		return format_zone(rows, out);
	case SHAPE_IMPORT:
		return format_import(rows, out);
	case SHAPE_DONE:
		err = output_sentence(args->verb->sentence, row, args->values, out);
		return err == GP_OK ? buf_append_byte(out, '\n') : err;
	case SHAPE_DEVICE:
		return output_sentence(device_text, row, args->values, out);
	case SHAPE_LOCAL:
		break;
	}
	return GP_ERR_INTERNAL;
}

static int append_json(const char *bytes, size_t len, void *out)
{
	return buf_append(out, slice_of(bytes, len)) == GP_OK ? 0 : -1;
}

enum gp_err output_json(enum shape shape, json_t *rows, struct buf *out)
{
	json_t *all;
	int failed;

	if (shape == SHAPE_LIST || shape == SHAPE_ZONE)
		all = json_incref(rows);
	else if (shape == SHAPE_IMPORT)
		all = join_import(rows);
	else if (json_array_size(rows) > 0)
		all = json_incref(json_array_get(rows, 0));
	else
		all = json_object();
	failed = json_dump_callback(all, append_json, out, JSON_INDENT(2));
	json_decref(all);
	return failed == 0 ? buf_append_byte(out, '\n') : GP_ERR_LIMIT;
}

/* What goes up and down; all other integers of `stats` only grow. */
static const char *const gauges[] = { "sessions_signed_in", "portal_sessions", "bans_in_force",
	"windows", "signins_waiting", "queue_fast", "queue_slow", "journal_waiting" };

static bool is_gauge(const char *name)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(gauges); i++) {
		if (strcmp(gauges[i], name) == 0)
			return true;
	}
	return false;
}

static enum gp_err format_gauge(
	const char *name, const char *words, json_int_t value, struct buf *out)
{
	return buf_printf(out,
		"# HELP gatepost_%s Now: %s.\n"
		"# TYPE gatepost_%s gauge\ngatepost_%s %" JSON_INTEGER_FORMAT "\n",
		name, words, name, name, value);
}

/* Several of one kind, by service. */
static enum gp_err format_gauges(
	const char *name, const char *words, json_t *object, struct buf *out)
{
	enum gp_err err = buf_printf(out,
		"# HELP gatepost_%s Now: %s, by service.\n# TYPE gatepost_%s gauge\n", name, words,
		name);
	const char *label;
	json_t *value;

	json_object_foreach(object, label, value)
	{
		if (err == GP_OK)
			err = buf_printf(out,
				"gatepost_%s{service=\"%s\"} %" JSON_INTEGER_FORMAT "\n", name,
				label, json_integer_value(value));
	}
	return err;
}

static enum gp_err format_counter(
	const char *name, const char *words, json_int_t count, struct buf *out)
{
	const char *last = strrchr(name, '_');
	const char *tail = last != NULL && strcmp(last, "_total") == 0 ? "" : "_total";

	return buf_printf(out,
		"# HELP gatepost_%s%s Count of %s since the start.\n"
		"# TYPE gatepost_%s%s counter\ngatepost_%s%s %" JSON_INTEGER_FORMAT "\n",
		name, tail, words, name, tail, name, tail, count);
}

enum gp_err output_prometheus(json_t *row, struct buf *out)
{
	enum gp_err err = GP_OK;
	char label[KEY_SIZE];
	const char *key;
	json_t *value;

	json_object_foreach(row, key, value)
	{
		make_label(key, label);
		if (err != GP_OK)
			return err;
		if (json_is_integer(value) && is_gauge(key))
			err = format_gauge(key, label, json_integer_value(value), out);
		else if (json_is_integer(value))
			err = format_counter(key, label, json_integer_value(value), out);
		else if (json_is_object(value))
			err = format_gauges(key, label, value, out);
	}
	return err;
}
