/* SPDX-License-Identifier: ISC */
/* The answer of an operation on standard output: for people, for programs, for Prometheus. */
#ifndef GP_CLI_OUTPUT_H
#define GP_CLI_OUTPUT_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/args.h"

enum {
	OUTPUT_MAX = 1024 * 1024 * 1024 /* bytes; a list of some million accounts */
};

/* rows: array of all that came, in order. width: of the terminal, 0 if it is none. */
enum gp_err output_people(
	const struct args *args, json_t *rows, size_t width, struct buf *out) GP_CHECKED;
/* One array for a list, else one object; a line end. */
enum gp_err output_json(enum shape shape, json_t *rows, struct buf *out) GP_CHECKED;
/* Text format 0.0.4. row: that of the operation stats. */
enum gp_err output_prometheus(json_t *row, struct buf *out) GP_CHECKED;

/* template with {key} from row or else from values, escaped. */
enum gp_err output_sentence(
	const char *template, json_t *row, json_t *values, struct buf *out) GP_CHECKED;

#endif
