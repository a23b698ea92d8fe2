/* SPDX-License-Identifier: ISC */
#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "cli/when.h"
#include "config/guess.h"

enum {
	SHOWN_MAX = 64
};

/* A walk over argv. */
struct walk {
	int argc;
	char *const *argv;
	int next;
	bool only_words; /* after "--" */
	unsigned positional;
	unsigned given; /* bit i: params[i] */
	struct args *args;
	struct gp_why *why;
};

static const char *const global_options[] = { "--config", "--socket", "--json", "--help",
	"--version" };

static enum gp_err usage(struct walk *walk, const char *what, const char *word, const char *hint)
{
	char shown[SHOWN_MAX];
	const struct args *args = walk->args;
	const char *noun = args->noun != NULL ? args->noun : "";
	const char *verb = args->verb != NULL && args->verb->verb != NULL ? args->verb->verb : "";

	text_escape(slice_str(word), shown, sizeof shown);
	return gp_why_set(walk->why, GP_ERR_SYNTAX, "%s%s%s%s (gatepost %s%s%s%s--help)", what,
		shown[0] != '\0' ? " " : "", shown, hint, noun, noun[0] != '\0' ? " " : "", verb,
		verb[0] != '\0' ? " " : "");
}

/* The value behind "=", or the next word; NULL, with the error set, if there is none. */
static const char *option_value(struct walk *walk, const char *inline_value, const char *name)
{
	if (inline_value != NULL)
		return inline_value;
	if (walk->next < walk->argc)
		return walk->argv[walk->next++];
	(void)usage(walk, "a value is missing after", name, "");
	return NULL;
}

static enum gp_err set_number(struct walk *walk, const struct param *param, const char *text)
{
	bool is_negative = text[0] == '-';
	unsigned long long number = 0;

	if (!slice_to_u64(slice_str(text + is_negative), INT64_MAX, &number))
		return usage(walk, "not a whole number:", text, "");
	(void)json_object_set_new(walk->args->values, param->key,
		json_integer(is_negative ? -(json_int_t)number : (json_int_t)number));
	return GP_OK;
}

static enum gp_err set_text(struct walk *walk, const struct param *param, const char *text)
{
	json_t *value = json_string(text); /* NULL if it is not UTF-8 */
	json_t *list;

	if (value == NULL)
		return usage(walk, "not UTF-8:", text, "");
	if (param->kind == PARAM_TEXT) {
		(void)json_object_set_new(walk->args->values, param->key, value);
		return GP_OK;
	}
	list = json_object_get(walk->args->values, param->key);
	if (list == NULL) {
		list = json_array();
		(void)json_object_set_new(walk->args->values, param->key, list);
	}
	(void)json_array_append_new(list, value);
	return GP_OK;
}

static enum gp_err set_param(struct walk *walk, size_t i, const char *text)
{
	const struct param *param = &walk->args->verb->params[i];
	char time[CLOCK_TEXT_SIZE];

	if ((walk->given & (1U << i)) != 0 && param->kind != PARAM_TEXTS)
		return usage(walk, "given twice:", param->name, "");
	walk->given |= 1U << i;
	switch (param->kind) {
	case PARAM_FLAG:
		if (param->key == NULL)
			walk->args->local |= 1U << i;
		else
			(void)json_object_set_new(walk->args->values, param->key, json_true());
		return GP_OK;
	case PARAM_YES:
		if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
			return usage(walk, "neither yes nor no:", text, "");
		(void)json_object_set_new(
			walk->args->values, param->key, json_boolean(strcmp(text, "yes") == 0));
		return GP_OK;
	case PARAM_NUMBER:
		return set_number(walk, param, text);
	case PARAM_TIME:
		if (!when_parse(text, time))
			return usage(walk, "not a time (30m, 2h, 3d, 2026-01-31 14:05):", text, "");
		return set_text(walk, &(struct param){ .key = param->key }, time);
	case PARAM_FILE:
		walk->args->file = text;
		return GP_OK;
	case PARAM_TEXT:
	case PARAM_TEXTS:
		break;
	}
	return set_text(walk, param, text);
}

/* Is it one that all verbs know? *ret_err is then what came of it. */
static bool take_global(
	struct walk *walk, const char *name, const char *inline_value, enum gp_err *ret_err)
{
	struct args *args = walk->args;
	bool takes_value = strcmp(name, "--config") == 0 || strcmp(name, "--socket") == 0;
	const char *value = NULL;
	size_t i = 0;

	while (i < GP_ARRAY_LEN(global_options) && strcmp(name, global_options[i]) != 0)
		i++;
	if (i == GP_ARRAY_LEN(global_options))
		return false;
	*ret_err = GP_OK;
	if (takes_value)
		value = option_value(walk, inline_value, name);
	if (takes_value ? value == NULL : inline_value != NULL) {
		*ret_err = takes_value ? GP_ERR_SYNTAX : usage(walk, "takes no value:", name, "");
		return true;
	}
	if (strcmp(name, "--config") == 0)
		args->config_path = value;
	else if (strcmp(name, "--socket") == 0)
		args->socket_path = value;
	args->is_json = args->is_json || strcmp(name, "--json") == 0;
	args->wants_help = args->wants_help || strcmp(name, "--help") == 0;
	args->wants_version = args->wants_version || strcmp(name, "--version") == 0;
	return true;
}

static enum gp_err unknown_option(struct walk *walk, const char *name)
{
	struct guess guess;
	struct gp_why room;

	guess_begin(&guess, name);
	for (size_t i = 0; i < GP_ARRAY_LEN(global_options); i++)
		guess_try(&guess, global_options[i]);
	for (size_t i = 0; walk->args->verb != NULL && i < VERB_PARAMS_MAX; i++) {
		const struct param *param = &walk->args->verb->params[i];

		if (param->name != NULL && param_is_option(param))
			guess_try(&guess, param->name);
	}
	return usage(walk, "unknown option", name, guess_text(&guess, &room));
}

static enum gp_err take_option(struct walk *walk, const char *word)
{
	static const struct {
		const char *brief;
		const char *name;
	} briefs[] = { { "-h", "--help" }, { "-c", "--config" }, { "-V", "--version" } };
	const char *equals = strchr(word, '=');
	char name[SHOWN_MAX];
	const char *value = equals != NULL ? equals + 1 : NULL;
	enum gp_err err = GP_OK;

	for (size_t i = 0; i < GP_ARRAY_LEN(briefs); i++) {
		if (strcmp(word, briefs[i].brief) == 0)
			word = briefs[i].name;
	}
	if (!slice_copy(slice_head(slice_str(word),
				value != NULL ? (size_t)(equals - word) : strlen(word)),
		    name, sizeof name))
		return usage(walk, "unknown option", word, "");
	if (take_global(walk, name, value, &err))
		return err;
	for (size_t i = 0; walk->args->verb != NULL && i < VERB_PARAMS_MAX; i++) {
		const struct param *param = &walk->args->verb->params[i];

		if (param->name == NULL || strcmp(param->name, name) != 0)
			continue;
		if (param->kind == PARAM_FLAG && value != NULL)
			return usage(walk, "takes no value:", name, "");
		if (param->kind != PARAM_FLAG)
			value = option_value(walk, value, name);
		if (param->kind != PARAM_FLAG && value == NULL)
			return GP_ERR_SYNTAX;
		return set_param(walk, i, value);
	}
	return unknown_option(walk, name);
}

static enum gp_err unknown_noun(struct walk *walk, const char *word)
{
	struct guess guess;
	struct gp_why room;

	guess_begin(&guess, word);
	for (size_t i = 0; i < verb_count; i++)
		guess_try(&guess, verbs[i].noun);
	return usage(walk, "unknown command", word, guess_text(&guess, &room));
}

static enum gp_err unknown_verb(struct walk *walk, const char *word)
{
	struct guess guess;
	struct gp_why room;

	guess_begin(&guess, word);
	for (size_t i = 0; i < verb_count; i++) {
		if (strcmp(verbs[i].noun, walk->args->noun) == 0)
			guess_try(&guess, verbs[i].verb);
	}
	return usage(walk, "unknown command", word, guess_text(&guess, &room));
}

static enum gp_err take_word(struct walk *walk, const char *word)
{
	struct args *args = walk->args;
	unsigned seen = 0;

	if (args->noun == NULL) {
		if (!verb_is_noun(word))
			return unknown_noun(walk, word);
		args->noun = word;
		args->verb = verb_find(word, NULL); /* of nouns that stand alone */
		return GP_OK;
	}
	if (args->verb == NULL) {
		args->verb = verb_find(args->noun, word);
		return args->verb != NULL ? GP_OK : unknown_verb(walk, word);
	}
	for (size_t i = 0; i < VERB_PARAMS_MAX; i++) {
		const struct param *param = &args->verb->params[i];

		if (param->name == NULL || param_is_option(param) || seen++ < walk->positional)
			continue;
		if (param->kind != PARAM_TEXTS) /* which takes all that follow */
			walk->positional++;
		return set_param(walk, i, word);
	}
	return usage(walk, "one word too many:", word, "");
}

static enum gp_err check_complete(struct walk *walk)
{
	const struct verb *verb = walk->args->verb;

	if (walk->args->noun == NULL)
		return usage(walk, "what is to be done?", "", "");
	if (verb == NULL)
		return usage(walk, "what is to be done with", walk->args->noun, "?");
	for (size_t i = 0; i < VERB_PARAMS_MAX; i++) {
		const struct param *param = &verb->params[i];

		if (param->name != NULL && param->is_required && (walk->given & (1U << i)) == 0)
			return usage(walk, "missing:", param->name, "");
	}
	return GP_OK;
}

enum gp_err args_parse(struct args *ret_args, int argc, char *const *argv, struct gp_why *why)
{
	struct args args = { .values = json_object() };
	struct walk walk = { .argc = argc, .argv = argv, .next = 1, .args = &args, .why = why };
	enum gp_err err = GP_OK;

	while (err == GP_OK && walk.next < argc) {
		const char *word = argv[walk.next++];
		bool is_number = word[0] == '-' && text_is_digit(word[1]);

		if (!walk.only_words && strcmp(word, "--") == 0)
			walk.only_words = true;
		else if (!walk.only_words && word[0] == '-' && word[1] != '\0' && !is_number)
			err = take_option(&walk, word);
		else
			err = take_word(&walk, word);
	}
	if (err == GP_OK && !args.wants_help && !args.wants_version)
		err = check_complete(&walk);
	if (err != GP_OK) {
		args_fini(&args);
		return err;
	}
	*ret_args = args;
	return GP_OK;
}

void args_fini(struct args *args)
{
	json_decref(args->values);
	*args = (struct args){ NULL };
}

bool args_has(const struct args *args, const char *name)
{
	for (size_t i = 0; i < VERB_PARAMS_MAX; i++) {
		const char *own = args->verb->params[i].name;

		if (own != NULL && strcmp(own, name) == 0)
			return (args->local & (1U << i)) != 0;
	}
	return false;
}
