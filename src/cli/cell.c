/* SPDX-License-Identifier: ISC */
#include "cli/cell.h"

#include "cli/when.h"

static enum gp_err format_text(const char *text, struct buf *out)
{
	char time[WHEN_TEXT_SIZE];

	if (clock_parse(text) >= 0)
		return buf_append_str(out, when_format(text, time));
	return buf_append_str(out, text);
}

static enum gp_err format_number(json_int_t number, enum cell kind, struct buf *out)
{
	char span[WHEN_TEXT_SIZE];

	if (kind == CELL_MINUTES)
		return buf_printf(out, "in %s", when_format_minutes(number, span));
	if (kind == CELL_DEVICE && number == 0)
		return buf_append_str(out, "main password");
	if (kind == CELL_DEVICE)
		return buf_printf(out, "device %" JSON_INTEGER_FORMAT, number);
	return buf_printf(out, "%" JSON_INTEGER_FORMAT, number);
}

/* Something simple; what has parts of its own is left out here. */
static enum gp_err format_scalar(const json_t *value, enum cell kind, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return format_text(json_string_value(value), out);
	case JSON_INTEGER:
		return format_number(json_integer_value(value), kind, out);
	case JSON_REAL:
		return buf_printf(out, "%g", json_real_value(value));
	case JSON_TRUE:
		return buf_append_str(out, "yes");
	case JSON_FALSE:
		return buf_append_str(out, kind == CELL_IF ? "" : "no");
	case JSON_ARRAY:
	case JSON_OBJECT:
		return buf_append_str(out, "...");
	case JSON_NULL:
		break;
	}
	return GP_OK;
}

static enum gp_err format_array(
	const json_t *array, const char *between, enum cell kind, struct buf *out)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < json_array_size(array); i++) {
		err = buf_append_str(out, i > 0 ? between : "");
		if (err == GP_OK)
			err = format_scalar(json_array_get(array, i), kind, out);
	}
	return err;
}

static enum gp_err format_object(json_t *object, enum cell kind, struct buf *out)
{
	const char *between = "";
	const char *key;
	json_t *value;
	enum gp_err err = GP_OK;

	json_object_foreach(object, key, value)
	{
		if (err == GP_OK)
			err = buf_printf(out, "%s%s ", between, key);
		if (err == GP_OK && json_is_array(value))
			err = format_array(value, "+", kind, out);
		else if (err == GP_OK)
			err = format_scalar(value, kind, out);
		between = ", ";
	}
	return err;
}

enum gp_err cell_format(json_t *value, enum cell kind, struct buf *out)
{
	if (json_is_array(value))
		return format_array(value, ", ", kind, out);
	if (json_is_object(value))
		return format_object(value, kind, out);
	return value != NULL ? format_scalar(value, kind, out) : GP_OK;
}
