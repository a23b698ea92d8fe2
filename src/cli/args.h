/* SPDX-License-Identifier: ISC */
/* The command line, taken apart by the table of verb.h. */
#ifndef GP_CLI_ARGS_H
#define GP_CLI_ARGS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "cli/verb.h"

struct args {
	const char *config_path; /* NULL: the default */
	const char *socket_path; /* NULL: as the configuration says */
	bool is_json;
	bool wants_help;
	bool wants_version;
	const char *noun;        /* as given, for the help; NULL: none */
	const struct verb *verb; /* NULL with wants_help or wants_version */
	json_t *values;          /* arguments of the operation */
	unsigned local;          /* bit i: params[i], for gatepost itself, was given */
	const char *file;        /* PARAM_FILE */
};

/* Borrows from argv. On GP_ERR_SYNTAX why says what is wrong and where help is. */
enum gp_err args_parse(
	struct args *ret_args, int argc, char *const *argv, struct gp_why *why) GP_CHECKED;
void args_fini(struct args *args);

/* Was this flag for gatepost itself ("--yes") given? */
bool args_has(const struct args *args, const char *name);

#endif
