/* SPDX-License-Identifier: ISC */
/*
 * Recursive descent over the tokens of lex.h:
 *
 *	file      = *( statement [";"] )
 *	statement = NAME "=" value / SECTION TITLE "{" *( NAME "=" value [";"] ) "}"
 *	value     = WORD / "{" [ WORD *( "," WORD ) [","] ] "}"
 *
 * Each value is checked where it stands; what follows from other values comes after the last token:
 * defaults (default.c), then everything that must fit together (verify.c).
 */
#include "config/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/default.h"
#include "config/guess.h"
#include "config/section.h"
#include "config/value.h"
#include "config/value_text.h"
#include "config/verify.h"

enum {
	NAME_SIZE = 65,      /* an option or section name and its NUL */
	SECTIONS_MAX = 4096, /* of one kind */
};

enum gp_err parse_fail(const struct parse *parse, unsigned line, const char *format, ...)
{
	char *text = parse->error->text;
	size_t size = sizeof parse->error->text;
	int used = snprintf(text, size, "%s:%u: ", parse->file_name, line);
	va_list args;

	va_start(args, format);
	if (used >= 0 && (size_t)used < size)
		(void)vsnprintf(text + used, size - (size_t)used, format, args);
	va_end(args);
	return GP_ERR_CONFIG;
}

static enum gp_err advance(struct parse *parse)
{
	struct gp_why why;
	enum gp_err err = lex_next(&parse->lex, &parse->token, &why);

	return err == GP_OK ? GP_OK : parse_fail(parse, parse->token.line, "%s", why.text);
}

static enum gp_err unexpected(const struct parse *parse, const char *wanted)
{
	struct gp_why room;

	return parse_fail(parse, parse->token.line, "%s expected, not %s", wanted,
		lex_token_text(&parse->token, &room));
}

/* A word cut to what can be a name at all; what is longer is none anyway. */
static void take_name(const struct parse *parse, char name[static NAME_SIZE])
{
	text_escape(parse->token.text, name, NAME_SIZE);
}

/* ---- options ---- */

/* The section this is an option of, or SECTION_MAX. */
static enum schema_section home_of(const char *name)
{
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		if (strcmp(schema_options[i].name, name) == 0)
			return schema_options[i].section;
	}
	return SECTION_MAX;
}

static enum gp_err unknown_option(
	const struct parse *parse, enum schema_section section, const char *name, unsigned line)
{
	bool is_global = section == SECTION_GLOBAL;
	const char *kind = is_global ? "" : schema_facts(section)->name;
	enum schema_section home = home_of(name);
	struct guess guess;
	struct gp_why room;

	if (home == SECTION_GLOBAL)
		return parse_fail(
			parse, line, "\"%s\" belongs outside of sections, not in a %s", name, kind);
	if (home != SECTION_MAX)
		return parse_fail(parse, line, "\"%s\" belongs in a %s section", name,
			schema_facts(home)->name);
	guess_begin(&guess, name);
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		if (schema_options[i].section == section)
			guess_try(&guess, schema_options[i].name);
	}
	return parse_fail(parse, line, "unknown %s%soption \"%s\"%s", kind, is_global ? "" : " ",
		name, guess_text(&guess, &room));
}

/* The token is the value, or an item of it. */
static enum gp_err take_value(struct parse *parse, const struct schema_option *option, void *object)
{
	struct gp_why why;

	if (parse->token.kind != LEX_WORD)
		return unexpected(parse, "a value");
	if (value_set(option, object, parse->token.text, &why) != GP_OK)
		return parse_fail(parse, parse->token.line, "%s: %s", option->name, why.text);
	return advance(parse);
}

/* The token is the "{". */
static enum gp_err take_list(struct parse *parse, const struct schema_option *option, void *object)
{
	enum gp_err err;

	if (!schema_is_list(option->type))
		return parse_fail(
			parse, parse->token.line, "%s takes one value, not a list", option->name);
	err = advance(parse);
	while (err == GP_OK && parse->token.kind != LEX_CLOSE) {
		err = take_value(parse, option, object);
		if (err == GP_OK && parse->token.kind == LEX_COMMA)
			err = advance(parse);
		else if (err == GP_OK && parse->token.kind != LEX_CLOSE)
			err = unexpected(parse, "\",\" or \"}\"");
	}
	return err == GP_OK ? advance(parse) : err;
}

/* The token is the "=". */
static enum gp_err take_option(struct parse *parse, enum schema_section section, void *object,
	struct parse_lines *lines, const char *name, unsigned line)
{
	const struct schema_option *option = schema_option(section, slice_str(name));
	unsigned *set_on;
	enum gp_err err;

	if (option == NULL)
		return unknown_option(parse, section, name, line);
	set_on = &lines->option[option - schema_options];
	if (*set_on != 0)
		return parse_fail(parse, line, "%s is set twice; first on line %u", name, *set_on);
	*set_on = line;
	value_clear(option, object);
	err = advance(parse);
	if (err != GP_OK)
		return err;
	if (parse->token.kind == LEX_OPEN)
		return take_list(parse, option, object);
	return take_value(parse, option, object);
}

static enum gp_err skip_semicolon(struct parse *parse)
{
	return parse->token.kind == LEX_SEMICOLON ? advance(parse) : GP_OK;
}

/* ---- sections ---- */

static enum gp_err unknown_section(const struct parse *parse, const char *name, unsigned line)
{
	struct guess guess;
	struct gp_why room;

	if (schema_option(SECTION_GLOBAL, slice_str(name)) != NULL)
		return unexpected(parse, "\"=\"");
	guess_begin(&guess, name);
	for (unsigned i = SECTION_LISTENER; i < SECTION_MAX; i++)
		guess_try(&guess, schema_facts((enum schema_section)i)->name);
	return parse_fail(parse, line, "unknown section \"%s\"%s", name, guess_text(&guess, &room));
}

/* The token is the title, checked and made what it is kept as. */
static enum gp_err take_title(
	struct parse *parse, enum schema_section section, char title[static CONFIG_HOST_SIZE])
{
	const struct schema_facts *facts = schema_facts(section);
	struct slice text = parse->token.text;
	struct gp_why room;
	bool fits;

	if (parse->token.kind != LEX_WORD)
		return parse_fail(parse, parse->token.line,
			"a %s section needs a %s: %s %s { ... }", facts->name, facts->title,
			facts->name, facts->title);
	fits = section == SECTION_ROUTE ? slice_is(text, "*") || value_text_is_domain(text)
					: value_text_is_name(text);
	if (!fits || !slice_copy(text, title, CONFIG_HOST_SIZE))
		return parse_fail(parse, parse->token.line, "%s is not a %s for a %s section",
			lex_token_text(&parse->token, &room), facts->title, facts->name);
	if (section == SECTION_ROUTE)
		text_lower_all(title);
	for (size_t i = 0; i < section_count(parse->config, section); i++) {
		if (strcmp(section_title(parse->config, section, i), title) == 0)
			return parse_fail(parse, parse->token.line,
				"there is a %s \"%s\" already, on line %u", facts->name, title,
				parse->lines[section][i].section);
	}
	if (section_count(parse->config, section) == SECTIONS_MAX)
		return parse_fail(parse, parse->token.line, "more than %d %s sections",
			(int)SECTIONS_MAX, facts->name);
	return advance(parse);
}

static enum gp_err take_body(
	struct parse *parse, enum schema_section section, void *object, struct parse_lines *lines)
{
	const char *kind = schema_facts(section)->name;
	enum gp_err err = GP_OK;

	while (err == GP_OK && parse->token.kind != LEX_CLOSE) {
		char name[NAME_SIZE];
		unsigned line = parse->token.line;

		if (parse->token.kind == LEX_END)
			return parse_fail(parse, line,
				"\"}\" is missing for the %s section of line %u", kind,
				lines->section);
		if (parse->token.kind != LEX_WORD)
			return unexpected(parse, "an option");
		take_name(parse, name);
		err = advance(parse);
		if (err == GP_OK && parse->token.kind != LEX_EQUALS) {
			if (schema_section_by_name(slice_str(name)) != SECTION_MAX)
				return parse_fail(parse, line,
					"%s section inside the %s section of line %u; is a \"}\" "
					"missing?",
					name, kind, lines->section);
			return unexpected(parse, "\"=\"");
		}
		if (err == GP_OK)
			err = take_option(parse, section, object, lines, name, line);
		if (err == GP_OK)
			err = skip_semicolon(parse);
	}
	return err;
}

/* The token is the title. */
static enum gp_err take_section(struct parse *parse, const char *name, unsigned line)
{
	enum schema_section section = schema_section_by_name(slice_str(name));
	char title[CONFIG_HOST_SIZE];
	struct parse_lines *lines;
	void *object;
	size_t count;
	enum gp_err err;

	if (section == SECTION_MAX)
		return unknown_section(parse, name, line);
	err = take_title(parse, section, title);
	if (err != GP_OK)
		return err;
	if (parse->token.kind != LEX_OPEN)
		return unexpected(parse, "\"{\"");
	object = section_add(parse->config, section, slice_str(title));
	count = section_count(parse->config, section);
	parse->lines[section] =
		mem_resize(parse->lines[section], count, sizeof *parse->lines[section]);
	lines = &parse->lines[section][count - 1];
	*lines = (struct parse_lines){ .section = line };
	err = advance(parse);
	if (err == GP_OK)
		err = take_body(parse, section, object, lines);
	return err == GP_OK ? advance(parse) : err;
}

static enum gp_err take_file(struct parse *parse)
{
	enum gp_err err = advance(parse);

	while (err == GP_OK && parse->token.kind != LEX_END) {
		char name[NAME_SIZE];
		unsigned line = parse->token.line;

		if (parse->token.kind == LEX_CLOSE)
			return parse_fail(parse, line, "\"}\" without a section");
		if (parse->token.kind != LEX_WORD)
			return unexpected(parse, "an option or a section");
		take_name(parse, name);
		err = advance(parse);
		if (err == GP_OK && parse->token.kind == LEX_EQUALS)
			err = take_option(parse, SECTION_GLOBAL, parse->config,
				parse->lines[SECTION_GLOBAL], name, line);
		else if (err == GP_OK)
			err = take_section(parse, name, line);
		if (err == GP_OK)
			err = skip_semicolon(parse);
	}
	return err;
}

/* ---- the end of it ---- */

static enum gp_err fill_default(struct parse *parse, const struct schema_option *option,
	void *object, const struct parse_lines *lines)
{
	struct buf text;
	struct gp_why why;
	enum gp_err err;

	if (option->is_required && value_is_unset(option, object))
		return parse_fail(
			parse, lines->section, "%s is missing: %s", option->name, option->help);
	if (lines->option[option - schema_options] != 0 || option->preset != NULL)
		return GP_OK;
	buf_init(&text, LEX_WORD_MAX * 2);
	err = default_text(option, parse->config, object, &text);
	if (err == GP_OK && value_set(option, object, buf_slice(&text), &why) != GP_OK)
		err = parse_fail(parse, lines->section, "%s is missing, and its default %s",
			option->name, why.text);
	else if (err == GP_ERR_NOT_FOUND && option->type == SCHEMA_CHOICE)
		err = parse_fail(parse, lines->section,
			"%s is missing: %s; a section named after one of its values needs none",
			option->name, option->help);
	else if (err == GP_ERR_NOT_FOUND)
		err = GP_OK;
	buf_fini(&text);
	return err;
}

/* In the order of schema.def, on which default.c relies: what a default is made of comes first. */
static enum gp_err fill_defaults(struct parse *parse)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < SCHEMA_OPTION_COUNT; i++) {
		const struct schema_option *option = &schema_options[i];
		enum schema_section section = option->section;
		size_t count =
			section == SECTION_GLOBAL ? 1 : section_count(parse->config, section);

		for (size_t k = 0; err == GP_OK && k < count; k++)
			err = fill_default(parse, option,
				section == SECTION_GLOBAL ? parse->config
							  : section_at(parse->config, section, k),
				&parse->lines[section][k]);
	}
	return err;
}

static void fini(struct parse *parse)
{
	lex_fini(&parse->lex);
	for (unsigned i = SECTION_GLOBAL; i < SECTION_MAX; i++)
		mem_free(parse->lines[i]);
	config_free(&parse->config);
}

enum gp_err config_parse(struct slice text, const char *file_name, struct config **ret_config,
	struct config_error *error)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct parse parse = { .file_name = file_name, .error = error };
	struct gp_why why;
	unsigned line = 1;
	enum gp_err err;

	if (slice_starts_nocase(text, bom))
		text = slice_from(text, sizeof bom - 1);
	lex_init(&parse.lex, text);
	parse.config = mem_new(1, sizeof *parse.config);
	parse.lines[SECTION_GLOBAL] = mem_new(1, sizeof *parse.lines[SECTION_GLOBAL]);
	parse.lines[SECTION_GLOBAL]->section = 1;
	section_preset(SECTION_GLOBAL, parse.config);
	section_preset(SECTION_PLAN, &parse.config->default_plan);
	if (text.len > CONFIG_TEXT_MAX)
		err = parse_fail(&parse, 1, "the file is longer than 1 MiB");
	else if (lex_check_text(text, &line, &why) != GP_OK)
		err = parse_fail(&parse, line, "%s", why.text);
	else
		err = take_file(&parse);
	if (err == GP_OK)
		err = fill_defaults(&parse);
	if (err == GP_OK)
		err = verify(&parse);
	if (err == GP_OK) {
		*ret_config = parse.config;
		parse.config = NULL;
	}
	fini(&parse);
	return err;
}
