/* SPDX-License-Identifier: ISC */
/* What the parser knows beside the configuration: on which line everything was said. */
#ifndef GP_CONFIG_PARSE_H
#define GP_CONFIG_PARSE_H

#include "base/err.h"
#include "config/config.h"
#include "config/lex.h"
#include "config/schema.h"

struct parse_lines {
	unsigned section;                     /* where its name stands */
	unsigned option[SCHEMA_OPTION_COUNT]; /* 0: not set */
};

struct parse {
	struct lex lex;
	struct lex_token token; /* the next one */
	const char *file_name;
	struct config *config;
	struct config_error *error;
	struct parse_lines *lines[SECTION_MAX]; /* as the arrays in config; one for the file */
};

/* Writes "FILE:LINE: ..." into the error and returns GP_ERR_CONFIG. */
enum gp_err parse_fail(const struct parse *parse, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
