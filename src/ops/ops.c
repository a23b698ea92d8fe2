/* SPDX-License-Identifier: ISC */
#include "ops/ops.h"

#include <stdbool.h>

#include "base/check.h"

enum {
	KEY_SHOWN = 64, /* bytes of a wrong key that a message repeats */
};

static const struct ops_entry entries[OPS_MAX] = {
#define OP(id, name, role, place, arguments, what) \
	[OPS_##id] = { name, ROLE_##role, OPS_PLACE_##place, arguments, what },
#include "ops/ops.def"
#undef OP
};

struct argument {
	struct slice key;
	char type;
	bool is_required;
};

const struct ops_entry *ops_entry(enum ops_id id)
{
	GP_ASSERT(id < OPS_MAX);
	return &entries[id];
}

enum ops_id ops_by_name(struct slice name)
{
	for (unsigned id = 0; id < OPS_MAX; id++) {
		if (slice_is(name, entries[id].name))
			return (enum ops_id)id;
	}
	return OPS_MAX;
}

/* The next argument of an argument string; false at its end. The string is ours: see ops.def. */
static bool next_argument(struct slice *rest, struct argument *ret_argument)
{
	struct slice word = slice_word(rest);
	ptrdiff_t colon = slice_find(word, ':');

	if (word.len == 0)
		return false;
	GP_ASSERT(colon > 0 && (size_t)colon + 1 < word.len);
	ret_argument->key = slice_head(word, (size_t)colon);
	ret_argument->type = word.data[colon + 1];
	ret_argument->is_required = word.data[word.len - 1] == '!';
	return true;
}

static bool find_argument(enum ops_id id, struct slice key, struct argument *ret_argument)
{
	struct slice rest = slice_str(entries[id].arguments);
	struct argument argument;

	while (next_argument(&rest, &argument)) {
		if (slice_equal(argument.key, key)) {
			*ret_argument = argument;
			return true;
		}
	}
	return false;
}

char ops_argument_type(enum ops_id id, struct slice key)
{
	struct argument argument;

	GP_ASSERT(id < OPS_MAX);
	return find_argument(id, key, &argument) ? argument.type : '\0';
}

static bool is_array_of_strings(const json_t *value)
{
	if (!json_is_array(value))
		return false;
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!json_is_string(json_array_get(value, i)))
			return false;
	}
	return true;
}

/* What is awaited where the value has another type; NULL if it is right. */
static const char *type_fault(const json_t *value, char type)
{
	switch (type) {
	case 's':
	case 'p':
	case 'n':
		return json_is_string(value) ? NULL : "a string";
	case 'i':
		return json_is_integer(value) ? NULL : "an integer";
	case 'b':
		return json_is_boolean(value) ? NULL : "true or false";
	case 'a':
		return is_array_of_strings(value) ? NULL : "an array of strings";
	default:
		GP_ASSERT(!"argument type of ops.def");
		return NULL;
	}
}

static enum gp_err check_keys(enum ops_id id, json_t *args, struct gp_why *why)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach(args, key, value)
	{
		struct argument argument;
		const char *fault = NULL;

		if (!find_argument(id, slice_str(key), &argument))
			return gp_why_set(why, GP_ERR_SYNTAX, "%s takes no \"%.*s\"",
				entries[id].name, KEY_SHOWN, key);
		fault = type_fault(value, argument.type);
		if (fault != NULL)
			return gp_why_set(
				why, GP_ERR_SYNTAX, "\"%.*s\" must be %s", KEY_SHOWN, key, fault);
	}
	return GP_OK;
}

static enum gp_err check_required(enum ops_id id, const json_t *args, struct gp_why *why)
{
	struct slice rest = slice_str(entries[id].arguments);
	struct argument argument;

	while (next_argument(&rest, &argument)) {
		char key[KEY_SHOWN];

		GP_ASSERT(slice_copy(argument.key, key, sizeof key));
		if (argument.is_required && json_object_get(args, key) == NULL)
			return gp_why_set(why, GP_ERR_SYNTAX, "\"%s\" is missing", key);
	}
	return GP_OK;
}

enum gp_err ops_parse(enum ops_id id, struct slice arguments, json_t **ret_args, struct gp_why *why)
{
	json_error_t fault;
	json_t *args = NULL;
	enum gp_err err = GP_OK;

	GP_ASSERT(id < OPS_MAX);
	if (arguments.len == 0)
		arguments = SLICE_LIT("{}");
	/* The fault's text is not passed on: it quotes the input, and a password may be in there.
	 */
	args = json_loadb(arguments.data, arguments.len, JSON_REJECT_DUPLICATES, &fault);
	if (!json_is_object(args)) {
		err = gp_why_set(why, GP_ERR_SYNTAX, "the arguments are no JSON object");
		goto out;
	}
	err = check_keys(id, args, why);
	if (err == GP_OK)
		err = check_required(id, args, why);
	if (err == GP_OK) {
		*ret_args = args;
		args = NULL;
	}
out:
	json_decref(args);
	return err;
}

void ops_strip(enum ops_id id, json_t *args)
{
	struct slice rest = slice_str(ops_entry(id)->arguments);
	struct argument argument;

	while (next_argument(&rest, &argument)) {
		char key[KEY_SHOWN];

		GP_ASSERT(slice_copy(argument.key, key, sizeof key));
		if (argument.type == 'p' || argument.type == 'n')
			(void)json_object_del(args, key);
	}
}

bool ops_has_guess(enum ops_id id)
{
	struct slice rest = slice_str(ops_entry(id)->arguments);
	struct argument argument;

	while (next_argument(&rest, &argument)) {
		if (argument.type == 'p')
			return true;
	}
	return false;
}

static bool is_in_scope(enum ops_id id, struct slice scope)
{
	struct slice name = slice_str(ops_entry(id)->name);

	return slice_equal(name, scope) || (name.len > scope.len && name.data[scope.len] == '.' &&
						   slice_equal(slice_head(name, scope.len), scope));
}

bool ops_is_scope(struct slice scope)
{
	for (unsigned id = 0; id < OPS_MAX; id++) {
		if (scope.len > 0 && is_in_scope((enum ops_id)id, scope))
			return true;
	}
	return false;
}

bool ops_is_in_scopes(enum ops_id id, struct slice scopes)
{
	if (scopes.len == 0)
		return true;
	for (struct slice scope = slice_word(&scopes); scope.len > 0; scope = slice_word(&scopes)) {
		if (is_in_scope(id, scope))
			return true;
	}
	return false;
}
