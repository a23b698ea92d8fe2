/* SPDX-License-Identifier: ISC */
/*
 * The arguments of an operation, gathered from path, query, body and the route itself. Each may
 * come from one place only, and no secret from a URL. Pure.
 */
#ifndef GP_WEB_ARGUMENTS_H
#define GP_WEB_ARGUMENTS_H

#include "base/buf.h"
#include "base/err.h"
#include "web/route.h"

enum {
	ARGUMENTS_MAX = 12 * 1024, /* as in CALL */
	ARGUMENTS_PAGE = 100,      /* rows of a page, where nobody says how many */
	ARGUMENTS_PAGE_MAX = 1000,
};

/* Appends the JSON object to out. ret_page: how many rows make a page; 0: all come at once.
 * GP_ERR_SYNTAX with why, GP_ERR_LIMIT: they are too long. */
enum gp_err arguments_build(const struct route_match *match, struct slice query, struct slice body,
	struct buf *out, size_t *ret_page, struct gp_why *why) GP_CHECKED;

/* Percent escapes undone, and "+" for a space where it is a query's, appended. GP_ERR_SYNTAX,
 * GP_ERR_LIMIT. */
enum gp_err arguments_unescape(struct slice text, bool is_query, struct buf *out) GP_CHECKED;

#endif
