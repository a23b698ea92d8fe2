/* SPDX-License-Identifier: ISC */
/*
 * API tokens of hosting panels. The token itself is shown once; the store has a keyed tag of it, so
 * that whoever reads the database holds none. Rows: ops/ops.def.
 */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypt/once.h"
#include "policy/signin.h"
#include "store/store_token.h"
#include "vault/desk.h"

enum {
	TOKEN_DAYS_DEFAULT = 365,
	TOKEN_DAYS_MAX = 3650,
	DAY_S = 24 * 60 * 60,
};

_Static_assert((int)ONCE_TAG_SIZE == (int)STORE_TAG_SIZE, "the store keeps the tag");

static void tag_token(const struct vault *vault, struct slice token, uint8_t *out)
{
	once_tag(secret_slice(vault->pepper), "api token", 0, token, out);
}

/* Appends a word to a list with spaces between. */
static bool add_word(char *list, size_t size, const char *word)
{
	size_t len = strlen(list);

	if (len > 0 && len + 1 < size) {
		list[len++] = ' ';
		list[len] = '\0';
	}
	return slice_copy(slice_str(word), list + len, size - len);
}

static enum gp_err take_scopes(struct desk_op *op, struct store_token *token)
{
	const json_t *scopes = json_object_get(op->args, "scopes");

	for (size_t i = 0; i < json_array_size(scopes); i++) {
		const char *scope = json_string_value(json_array_get(scopes, i));

		if (!ops_is_scope(slice_str(scope)))
			return gp_why_set(&op->why, GP_ERR_SYNTAX,
				"\"%.60s\" is no operation and no group of operations", scope);
		if (!add_word(token->scopes, sizeof token->scopes, scope))
			return gp_why_set(&op->why, GP_ERR_LIMIT, "too many scopes");
	}
	return GP_OK;
}

static enum gp_err take_domains(struct desk_op *op, struct store_token *token)
{
	const json_t *domains = json_object_get(op->args, "domains");

	for (size_t i = 0; i < json_array_size(domains); i++) {
		const char *typed = json_string_value(json_array_get(domains, i));
		char name[SIGNIN_DOMAIN_SIZE];
		struct store_domain domain;
		enum gp_err err = GP_ERR_NOT_FOUND;

		if (signin_domain(slice_str(typed), name))
			err = store_domain_find(op->vault->store, slice_str(name), &domain);
		if (err == GP_ERR_NOT_FOUND)
			return gp_why_set(&op->why, err, "no domain %.200s", typed);
		if (err != GP_OK)
			return err;
		if (!add_word(token->domains, sizeof token->domains, name))
			return gp_why_set(&op->why, GP_ERR_LIMIT, "too many domains");
	}
	return GP_OK;
}

static enum gp_err take_role(struct desk_op *op, struct store_token *token)
{
	struct slice typed = slice_str(desk_string(op, "role"));
	enum role role = role_by_name(typed);

	if (role == ROLE_MAX || role < ROLE_DOMAIN_ADMIN || role > ROLE_ADMIN)
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"the role of a token is domain-admin, staff or admin");
	if (role == ROLE_DOMAIN_ADMIN && token->domains[0] == '\0')
		return gp_why_set(
			&op->why, GP_ERR_SYNTAX, "a domain-admin needs the domains it is for");
	GP_ASSERT(slice_copy(typed, token->role, sizeof token->role));
	return GP_OK;
}

static enum gp_err take_arguments(struct desk_op *op, struct store_token *token)
{
	struct slice name = slice_trim(slice_str(desk_string(op, "name")));
	uint64_t days = 0;
	enum gp_err err = desk_number(op, "days", TOKEN_DAYS_DEFAULT, &days);

	if (err != GP_OK)
		return err;
	if (days < 1 || days > TOKEN_DAYS_MAX)
		return gp_why_set(
			&op->why, GP_ERR_SYNTAX, "\"days\" must be 1 to %d", TOKEN_DAYS_MAX);
	if (name.len == 0 || !text_is_printable(name) ||
		!slice_copy(name, token->name, sizeof token->name))
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"the name must be one line of 1 to %d bytes", STORE_NAME_SIZE - 1);
	token->created_at = clock_wall();
	token->expires_at = token->created_at + (int64_t)days * DAY_S;
	err = take_scopes(op, token);
	if (err == GP_OK)
		err = take_domains(op, token);
	return err == GP_OK ? take_role(op, token) : err;
}

static json_t *words(const char *list)
{
	struct slice rest = slice_str(list);
	json_t *array = json_array();

	for (struct slice word = slice_word(&rest); word.len > 0; word = slice_word(&rest))
		GP_ASSERT(json_array_append_new(array, desk_json_text(word)) == 0);
	return array;
}

static json_t *token_json(const struct store_token *token)
{
	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)token->id,
		"name", desk_json_text(slice_str(token->name)), "role", token->role, "scopes",
		words(token->scopes), "domains", words(token->domains), "created_at",
		desk_json_time(token->created_at), "expires_at", desk_json_time(token->expires_at),
		"used_at", desk_json_time(token->used_at));
}

enum gp_err op_token_add(struct desk_op *op)
{
	struct store_token token = { 0 };
	char text[ONCE_TOKEN_SIZE];
	uint8_t tag[ONCE_TAG_SIZE];
	json_t *row = NULL;
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = take_arguments(op, &token);
	if (err != GP_OK)
		return err;
	once_make_token(text);
	tag_token(op->vault, slice_str(text), tag);
	err = store_token_add(op->vault->store, &token, tag, &token.id);
	if (err == GP_ERR_LIMIT)
		err = gp_why_set(&op->why, err, "there are %d tokens already", STORE_TOKENS_MAX);
	if (err == GP_OK) {
		row = token_json(&token);
		GP_ASSERT(json_object_set_new(row, "token", json_string(text)) == 0);
		err = desk_row(op, row);
	}
	mem_wipe(text, sizeof text);
	mem_wipe(tag, sizeof tag);
	return err;
}

static enum gp_err list_one(const struct store_token *token, void *arg)
{
	return desk_row(arg, token_json(token));
}

enum gp_err op_token_list(struct desk_op *op)
{
	uint64_t after = 0;
	uint64_t limit = UINT64_MAX;
	enum gp_err err = desk_number(op, "after", 0, &after);

	if (err == GP_OK && json_object_get(op->args, "limit") != NULL)
		err = desk_limit(op, &limit);
	return err == GP_OK ? store_token_each(op->vault->store, after, limit, list_one, op) : err;
}

enum gp_err op_token_remove(struct desk_op *op)
{
	uint64_t id = 0;
	enum gp_err err = desk_number(op, "id", 0, &id);

	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = store_token_remove(op->vault->store, id);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, err, "there is no such token");
	return err;
}

/* Core asks whose token it was shown. */
enum gp_err op_token_check(struct desk_op *op)
{
	struct slice text = slice_str(desk_string(op, "token"));
	struct store_token token = { 0 };
	uint8_t tag[ONCE_TAG_SIZE];
	enum gp_err err = GP_ERR_NOT_FOUND;

	if (once_is_token(text)) {
		tag_token(op->vault, text, tag);
		err = store_token_find(op->vault->store, tag, clock_wall(), &token);
		mem_wipe(tag, sizeof tag);
	}
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, GP_ERR_DENIED, "no such token, or it has expired");
	if (err == GP_OK)
		err = store_token_use(op->vault->store, token.id, clock_wall());
	if (err != GP_OK)
		return err;
	return desk_row(op, json_pack("{s:I, s:s, s:s, s:s, s:s}", "id", (json_int_t)token.id,
				    "name", token.name, "role", token.role, "scopes", token.scopes,
				    "domains", token.domains));
}
