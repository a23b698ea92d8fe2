/* SPDX-License-Identifier: ISC */
/* The routes of the API (routes.def) and how a method and a path find theirs. Pure. */
#ifndef GP_WEB_ROUTE_H
#define GP_WEB_ROUTE_H

#include "base/slice.h"
#include "ops/ops.h"

enum route_method {
	ROUTE_GET,
	ROUTE_POST,
	ROUTE_DELETE,
	ROUTE_METHODS
};

enum route_form {
	ROUTE_ONE,
	ROUTE_CREATED,
	ROUTE_LIST,
	ROUTE_NONE
};

struct route {
	enum route_method method;
	const char *path;
	enum ops_id op;
	enum route_form form;
	const char *fixed;  /* members of a JSON object, without its braces */
	const char *cursor; /* "before:id", or "" */
};

enum {
	ROUTE_ARGUMENTS_MAX = 2,
	ROUTE_ALLOW_SIZE = 32,
};

struct route_match {
	const struct route *route;
	unsigned count;
	struct slice keys[ROUTE_ARGUMENTS_MAX];
	struct slice values[ROUTE_ARGUMENTS_MAX]; /* as in the path, escapes and all; not empty */
	char allow[ROUTE_ALLOW_SIZE]; /* "GET, HEAD, POST": what the path takes; with NO_METHOD */
};

enum route_found {
	ROUTE_FOUND,
	ROUTE_NO_PATH,
	ROUTE_NO_METHOD,
};

/* path: without query. */
enum route_found route_find(struct slice method, struct slice path, struct route_match *ret_match);

extern const struct route routes[];
extern const size_t route_count;

#endif
