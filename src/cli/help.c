/* SPDX-License-Identifier: ISC */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum {
	NAME_SIZE = 48,
	NAME_WIDTH = 24
};

static const char global_text[] =
	"Options of all commands:\n"
	"  --config FILE           configuration instead of /etc/gatepost/gatepost.conf\n"
	"  --socket PATH           gatepostd's control socket, instead of the configuration's\n"
	"  --json                  one JSON object or array on standard output\n"
	"  --help                  explains the command and does nothing\n"
	"  --version               prints the version\n";

static bool is_used(const struct param *param)
{
	return param->name != NULL;
}

/* "--role ROLE", "ADDRESS". */
static const char *param_name(const struct param *param, char name[static NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%s%s%s", param->name, param->value != NULL ? " " : "",
		param->value != NULL ? param->value : "");
	return name;
}

static enum gp_err format_usage(const struct verb *verb, struct buf *out)
{
	char name[NAME_SIZE];
	enum gp_err err = buf_printf(out, "usage: gatepost %s%s%s", verb->noun,
		verb->verb != NULL ? " " : "", verb->verb != NULL ? verb->verb : "");

	for (size_t i = 0; err == GP_OK && i < VERB_PARAMS_MAX && is_used(&verb->params[i]); i++) {
		const struct param *param = &verb->params[i];

		err = buf_printf(out, " %s%s%s%s", param->is_required ? "" : "[",
			param_name(param, name), param->is_required ? "" : "]",
			param->kind == PARAM_TEXTS ? "..." : "");
	}
	return err == GP_OK ? buf_append_str(out, "\n\n") : err;
}

static enum gp_err format_verb(const struct verb *verb, struct buf *out)
{
	char name[NAME_SIZE];
	enum gp_err err = format_usage(verb, out);

	if (err == GP_OK)
		err = buf_printf(out, "%s\n\n", verb_summary(verb));
	for (size_t i = 0; err == GP_OK && i < VERB_PARAMS_MAX && is_used(&verb->params[i]); i++)
		err = buf_printf(out, "  %-*s%s\n", NAME_WIDTH, param_name(&verb->params[i], name),
			verb->params[i].help);
	if (err == GP_OK && is_used(&verb->params[0]))
		err = buf_append_byte(out, '\n');
	if (err == GP_OK)
		err = buf_printf(out, "Example:\n  %s\n\n", verb->example);
	return err == GP_OK ? buf_append_str(out, global_text) : err;
}

static enum gp_err format_line(const struct verb *verb, struct buf *out)
{
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof name, "%s%s%s", verb->noun, verb->verb != NULL ? " " : "",
		verb->verb != NULL ? verb->verb : "");
	return buf_printf(out, "  %-*s%s\n", NAME_WIDTH, name, verb_summary(verb));
}

/* Of one noun, or of all. */
static enum gp_err format_verbs(const char *noun, struct buf *out)
{
	enum gp_err err = buf_printf(out,
		"usage: gatepost [--config FILE | --socket PATH] [--json] %s VERB ...\n\n",
		noun != NULL ? noun : "NOUN");

	for (size_t i = 0; err == GP_OK && i < verb_count; i++) {
		bool is_new = i > 0 && strcmp(verbs[i].noun, verbs[i - 1].noun) != 0 &&
			      (verbs[i].verb != NULL || verbs[i - 1].verb != NULL);

		if (noun != NULL && strcmp(noun, verbs[i].noun) != 0)
			continue;
		if (noun == NULL && is_new)
			err = buf_append_byte(out, '\n');
		if (err == GP_OK)
			err = format_line(&verbs[i], out);
	}
	if (err == GP_OK)
		err = buf_printf(out, "\n%s\ngatepost NOUN VERB --help explains one command.\n",
			global_text);
	return err;
}

enum gp_err help_format(const char *noun, const struct verb *verb, struct buf *out)
{
	return verb != NULL ? format_verb(verb, out) : format_verbs(noun, out);
}
