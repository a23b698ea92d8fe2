/* SPDX-License-Identifier: ISC */
/* The portal's pages, scripts and texts, embedded at build time (embed.py), each also compressed.
 */
#ifndef GP_WEB_FILES_H
#define GP_WEB_FILES_H

#include <stdbool.h>

#include "base/slice.h"
#include "web/answer.h"

struct files_file {
	const char *path; /* "/", "/app.js" */
	const char *type;
	const char *etag; /* without quotes */
	bool is_fixed;    /* its name changes with its content */
	struct slice plain;
	struct slice gzip; /* empty where it would be no shorter */
};

/* NULL if there is none. path: without query. */
const struct files_file *files_find(struct slice path);

/* The file, or 304 if the browser has it. accept and if_none_match: Accept-Encoding and
 * If-None-Match, "" for none. */
void files_answer(const struct files_file *file, struct slice accept, struct slice if_none_match,
	struct answer *answer);

#endif
