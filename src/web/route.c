/* SPDX-License-Identifier: ISC */
#include "web/route.h"

#include <stdio.h>

#include "base/check.h"

const struct route routes[] = {
#define ROUTE(method, path, op, form, fixed, cursor) \
	{ ROUTE_##method, path, OPS_##op, ROUTE_##form, fixed, cursor },
#include "web/routes.def"
#undef ROUTE
};
const size_t route_count = GP_ARRAY_LEN(routes);

/* Cuts the next piece and the slash before it off the front of *rest. */
static struct slice cut_piece(struct slice *rest)
{
	struct slice piece = slice_from(*rest, 1);
	ptrdiff_t slash = slice_find(piece, '/');

	if (slash >= 0)
		piece = slice_head(piece, (size_t)slash);
	*rest = slice_from(*rest, piece.len + 1);
	return piece;
}

static bool take_argument(struct slice name, struct slice piece, struct route_match *match)
{
	GP_ASSERT(match->count < ROUTE_ARGUMENTS_MAX);
	match->keys[match->count] = slice_head(slice_from(name, 1), name.len - 2);
	match->values[match->count] = piece;
	match->count++;
	return piece.len > 0;
}

static bool match_path(const struct route *route, struct slice path, struct route_match *match)
{
	struct slice pattern = slice_str(route->path);

	*match = (struct route_match){ .route = route };
	while (pattern.len > 0 && path.len > 0) {
		struct slice name = cut_piece(&pattern);
		struct slice piece = cut_piece(&path);
		bool is_same = name.len > 0 && name.data[0] == '{'
				       ? take_argument(name, piece, match)
				       : slice_equal(name, piece);

		if (!is_same)
			return false;
	}
	return pattern.len == 0 && path.len == 0;
}

static bool is_method(struct slice method, enum route_method wanted)
{
	switch (wanted) {
	case ROUTE_GET:
		return slice_is(method, "GET") || slice_is(method, "HEAD");
	case ROUTE_POST:
		return slice_is(method, "POST");
	case ROUTE_DELETE:
		return slice_is(method, "DELETE");
	case ROUTE_METHODS:
		break;
	}
	return false;
}

static void list_methods(const bool has[static ROUTE_METHODS], char out[static ROUTE_ALLOW_SIZE])
{
	static const char *const names[ROUTE_METHODS] = { "GET, HEAD", "POST", "DELETE" };
	size_t len = 0;

	for (unsigned method = 0; method < ROUTE_METHODS; method++) {
		if (has[method])
			len += (size_t)snprintf(out + len, ROUTE_ALLOW_SIZE - len, "%s%s",
				len > 0 ? ", " : "", names[method]);
	}
}

enum route_found route_find(struct slice method, struct slice path, struct route_match *ret_match)
{
	bool has[ROUTE_METHODS] = { false };
	bool is_known = false;
	struct route_match match;

	if (path.len == 0 || path.data[0] != '/')
		return ROUTE_NO_PATH;
	for (size_t i = 0; i < route_count; i++) {
		if (!match_path(&routes[i], path, &match))
			continue;
		if (is_method(method, routes[i].method)) {
			*ret_match = match;
			return ROUTE_FOUND;
		}
		is_known = true;
		has[routes[i].method] = true;
	}
	if (!is_known)
		return ROUTE_NO_PATH;
	list_methods(has, ret_match->allow);
	return ROUTE_NO_METHOD;
}
