/* SPDX-License-Identifier: ISC */
/* The rows of an operation, and the answer they become. */
#ifndef GP_WEB_REPLY_H
#define GP_WEB_REPLY_H

#include <jansson.h>

#include "web/answer.h"
#include "web/route.h"

struct reply {
	json_t *rows;   /* an array */
	json_t *cookie; /* the last one that a row had, or NULL */
	size_t bytes;
	bool is_full; /* more rows came than an answer may hold */
	bool is_bad;  /* a row was no JSON */
};

void reply_init(struct reply *reply);
void reply_fini(struct reply *reply);

void reply_add(struct reply *reply, struct slice row);
/* page: rows of a page, 0 if all come at once. A page of long rows has fewer, and goes on all the
 * same. A row's "cookie" leaves it and is set; what is empty then is no row. */
void reply_finish(
	struct reply *reply, const struct route *route, size_t page, struct answer *answer);

#endif
