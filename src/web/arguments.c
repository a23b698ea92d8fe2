/* SPDX-License-Identifier: ISC */
#include "web/arguments.h"

#include <jansson.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	KEY_SIZE = 64,
	VALUE_MAX = 2048, /* a target is no longer */
	INTEGER_DIGITS = 18,
};

enum gp_err arguments_unescape(struct slice text, bool is_query, struct buf *out)
{
	enum gp_err err = GP_OK;

	while (err == GP_OK && text.len > 0) {
		char byte = text.data[0];

		if (byte == '%') {
			err = text.len < 3 ? GP_ERR_SYNTAX
					   : decode_hex(slice_head(slice_from(text, 1), 2), out);
			text = slice_from(text, 3);
		} else {
			err = buf_append_byte(out, is_query && byte == '+' ? ' ' : byte);
			text = slice_from(text, 1);
		}
	}
	return err;
}

static json_t *integer_of(struct slice text)
{
	bool is_negative = text.len > 0 && text.data[0] == '-';
	struct slice digits = slice_from(text, is_negative ? 1 : 0);
	unsigned long long value = 0;

	if (digits.len > INTEGER_DIGITS || !slice_to_u64(digits, INT64_MAX, &value))
		return NULL;
	return json_integer(is_negative ? -(json_int_t)value : (json_int_t)value);
}

static json_t *value_of(char type, struct slice text)
{
	switch (type) {
	case 's':
		return json_stringn(text.data != NULL ? text.data : "", text.len);
	case 'i':
		return integer_of(text);
	case 'b':
		return slice_is(text, "true")    ? json_true()
		       : slice_is(text, "false") ? json_false()
						 : NULL;
	default:
		return NULL;
	}
}

/* From a URL, whose every text is what some type of argument is made of. */
static enum gp_err put_text(
	json_t *args, enum ops_id op, struct slice key, struct slice text, struct gp_why *why)
{
	char name[KEY_SIZE];
	char type = ops_argument_type(op, key);
	json_t *value = NULL;

	if (!slice_copy(key, name, sizeof name) || !text_is_printable(key) || type == '\0')
		return gp_why_set(why, GP_ERR_SYNTAX, "the path takes no such argument");
	if (type == 'p' || type == 'n')
		return gp_why_set(why, GP_ERR_SYNTAX, "\"%s\" is no matter for a URL", name);
	if (json_object_get(args, name) != NULL)
		return gp_why_set(why, GP_ERR_SYNTAX, "\"%s\" stands twice", name);
	if (slice_find(text, '\0') < 0)
		value = value_of(type, text);
	if (value == NULL || json_object_set_new(args, name, value) != 0)
		return gp_why_set(why, GP_ERR_SYNTAX, "\"%s\" has no value it can have", name);
	return GP_OK;
}

static enum gp_err put_escaped(json_t *args, enum ops_id op, struct slice key, struct slice escaped,
	bool is_query, struct gp_why *why)
{
	struct buf text;
	enum gp_err err;

	buf_init(&text, VALUE_MAX);
	err = arguments_unescape(escaped, is_query, &text);
	if (err == GP_OK)
		err = put_text(args, op, key, buf_slice(&text), why);
	else
		err = gp_why_set(why, GP_ERR_SYNTAX, "malformed percent escape");
	buf_fini(&text);
	return err;
}

/* key=value&key=value; keys need no escapes. */
static enum gp_err put_query(json_t *args, enum ops_id op, struct slice query, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	while (err == GP_OK && query.len > 0) {
		ptrdiff_t and = slice_find(query, '&');
		size_t len = and < 0 ? query.len : (size_t) and;
		struct slice pair = slice_head(query, len);
		ptrdiff_t equals = slice_find(pair, '=');

		query = slice_from(query, len + 1);
		if (pair.len == 0)
			continue;
		if (equals < 0)
			return gp_why_set(why, GP_ERR_SYNTAX, "a part of the query has no \"=\"");
		err = put_escaped(args, op, slice_head(pair, (size_t)equals),
			slice_from(pair, (size_t)equals + 1), true, why);
	}
	return err;
}

static enum gp_err put_path(json_t *args, const struct route_match *match, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	for (unsigned i = 0; err == GP_OK && i < match->count; i++)
		err = put_escaped(
			args, match->route->op, match->keys[i], match->values[i], false, why);
	return err;
}

static enum gp_err put_fixed(json_t *args, const struct route *route, struct gp_why *why)
{
	char *text = mem_printf("{%s}", route->fixed);
	json_t *fixed = json_loads(text, 0, NULL);
	const char *key = NULL;
	json_t *value = NULL;
	enum gp_err err = GP_OK;

	GP_ASSERT(json_is_object(fixed));
	json_object_foreach(fixed, key, value)
	{
		if (json_object_get(args, key) != NULL)
			err = gp_why_set(why, GP_ERR_SYNTAX, "the path takes no \"%s\"", key);
	}
	GP_ASSERT(json_object_update(args, fixed) == 0);
	json_decref(fixed);
	mem_free(text);
	return err;
}

/* Every list that can be long comes in pages, whether or not somebody asks for one. */
static enum gp_err take_page(
	json_t *args, const struct route *route, size_t *ret_page, struct gp_why *why)
{
	const json_t *limit = json_object_get(args, "limit");
	json_int_t page = json_is_integer(limit) ? json_integer_value(limit) : 0;

	*ret_page = 0;
	if (route->cursor[0] == '\0')
		return GP_OK;
	if (limit == NULL) {
		page = ARGUMENTS_PAGE;
		GP_ASSERT(json_object_set_new(args, "limit", json_integer(page)) == 0);
	}
	if (page < 1 || page > ARGUMENTS_PAGE_MAX)
		return gp_why_set(
			why, GP_ERR_SYNTAX, "\"limit\" must be 1 to %d", ARGUMENTS_PAGE_MAX);
	*ret_page = (size_t)page;
	return GP_OK;
}

/* The parser's own words are not passed on: they quote the input, and a password may be in there.
 */
static json_t *load_body(struct slice body)
{
	json_t *args = NULL;

	if (body.len == 0)
		return json_object();
	args = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(args))
		return args;
	json_decref(args);
	return NULL;
}

static int append(const char *data, size_t len, void *out)
{
	return buf_append(out, slice_of(data, len)) == GP_OK ? 0 : -1;
}

enum gp_err arguments_build(const struct route_match *match, struct slice query, struct slice body,
	struct buf *out, size_t *ret_page, struct gp_why *why)
{
	const struct route *route = match->route;
	json_t *args = load_body(body);
	size_t page = 0;
	enum gp_err err = GP_OK;

	if (args == NULL)
		return gp_why_set(why, GP_ERR_SYNTAX, "the body is no JSON object");
	if (route->method == ROUTE_GET)
		err = put_query(args, route->op, query, why);
	else if (query.len > 0)
		err = gp_why_set(why, GP_ERR_SYNTAX, "the arguments of a change are its body");
	if (err == GP_OK)
		err = put_path(args, match, why);
	if (err == GP_OK)
		err = put_fixed(args, route, why);
	if (err == GP_OK)
		err = take_page(args, route, &page, why);
	if (err == GP_OK && json_dump_callback(args, append, out, JSON_COMPACT) != 0)
		err = gp_why_set(why, GP_ERR_LIMIT, "the arguments are too long");
	json_decref(args);
	if (err == GP_OK)
		*ret_page = page;
	return err;
}
