/* SPDX-License-Identifier: ISC */
#include "config/config.h"

#include "config/default.h"
#include "config/lex.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/value.h"
#include "config/value_text.h"

/* The default as value_format() would give it; empty if there is none. */
static enum gp_err format_default(const struct schema_option *option, const struct config *config,
	const void *object, struct buf *out)
{
	struct buf text;
	enum gp_err err;

	buf_init(&text, LEX_WORD_MAX * 2);
	err = default_text(option, config, object, &text);
	if (err == GP_OK)
		err = buf_append_byte(&text, '\0');
	if (err == GP_ERR_NOT_FOUND)
		err = GP_OK;
	else if (err == GP_OK && schema_is_list(option->type))
		err = buf_printf(out, "{\"%s\"}", buf_slice(&text).data);
	else if (err == GP_OK && schema_is_text(option->type))
		err = value_text_quote(buf_slice(&text).data, out);
	else if (err == GP_OK)
		err = buf_append_str(out, buf_slice(&text).data);
	buf_fini(&text);
	return err;
}

static enum gp_err show_option(const struct schema_option *option, const struct config *config,
	const void *object, struct buf *out)
{
	const char *indent = option->section == SECTION_GLOBAL ? "" : "\t";
	struct buf value;
	struct buf preset;
	enum gp_err err;

	if (value_is_unset(option, object))
		return buf_printf(out, "%s# %s: %s\n", indent, option->name, option->unset);
	buf_init(&value, 4 * CONFIG_TEXT_MAX);
	buf_init(&preset, LEX_WORD_MAX * 4);
	err = value_format(option, object, &value);
	if (err == GP_OK)
		err = format_default(option, config, object, &preset);
	if (err == GP_OK)
		err = buf_printf(out, "%s%s%s = ", indent,
			slice_equal(buf_slice(&value), buf_slice(&preset)) ? "# " : "",
			option->name);
	if (err == GP_OK)
		err = buf_append(out, buf_slice(&value));
	if (err == GP_OK)
		err = buf_append_byte(out, '\n');
	buf_fini(&value);
	buf_fini(&preset);
	return err;
}

static enum gp_err show_section(enum schema_section section, const struct config *config,
	const void *object, struct buf *out)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < SCHEMA_OPTION_COUNT; i++) {
		if (schema_options[i].section == section)
			err = show_option(&schema_options[i], config, object, out);
	}
	return err;
}

enum gp_err config_show(const struct config *config, struct buf *out)
{
	enum gp_err err = buf_append_str(out, "# What stands behind a # is the default.\n");

	if (err == GP_OK)
		err = show_section(SECTION_GLOBAL, config, config, out);
	for (unsigned k = SECTION_LISTENER; err == GP_OK && k < SECTION_MAX; k++) {
		enum schema_section section = (enum schema_section)k;

		for (size_t i = 0; err == GP_OK && i < section_count(config, section); i++) {
			err = buf_printf(out, "\n%s ", schema_facts(section)->name);
			if (err == GP_OK)
				err = value_text_quote(section_title(config, section, i), out);
			if (err == GP_OK)
				err = buf_append_str(out, " {\n");
			if (err == GP_OK)
				err = show_section(
					section, config, section_at(config, section, i), out);
			if (err == GP_OK)
				err = buf_append_str(out, "}\n");
		}
	}
	return err;
}
