/* SPDX-License-Identifier: ISC */
#include "web/reply.h"

#include "base/check.h"
#include "base/log.h"
#include "web/credential.h"

enum {
	KEY_SIZE = 64,
};

void reply_init(struct reply *reply)
{
	*reply = (struct reply){ .rows = json_array() };
	GP_ASSERT(reply->rows != NULL);
}

void reply_fini(struct reply *reply)
{
	json_decref(reply->rows);
	json_decref(reply->cookie);
	*reply = (struct reply){ 0 };
}

/* A row that has nothing else in it is no row of the answer. */
static bool take_cookie(struct reply *reply, json_t *row)
{
	json_t *cookie = json_object_get(row, "cookie");

	if (!json_is_string(cookie))
		return false;
	json_decref(reply->cookie);
	reply->cookie = json_incref(cookie);
	(void)json_object_del(row, "cookie");
	return json_object_size(row) == 0;
}

void reply_add(struct reply *reply, struct slice row)
{
	json_t *value = NULL;

	reply->bytes += row.len + 1;
	if (reply->bytes > ANSWER_BODY_MAX / 2)
		reply->is_full = true;
	if (reply->is_full || reply->is_bad)
		return;
	value = json_loadb(row.data, row.len, 0, NULL);
	if (!json_is_object(value))
		reply->is_bad = true;
	if (take_cookie(reply, value))
		json_decref(value);
	else if (value == NULL || json_array_append_new(reply->rows, value) != 0)
		reply->is_bad = true;
}

static void set_cookie(const struct reply *reply, struct answer *answer)
{
	const char *value = json_string_value(reply->cookie);

	if (value == NULL)
		return;
	answer_add_field(answer, "Set-Cookie",
		CREDENTIAL_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", value,
		value[0] == '\0' ? "; Max-Age=0" : "");
}

static int append(const char *data, size_t len, void *out)
{
	return buf_append(out, slice_of(data, len)) == GP_OK ? 0 : -1;
}

static void set_body(struct answer *answer, const json_t *body)
{
	if (body != NULL && json_dump_callback(body, append, &answer->body, JSON_COMPACT) == 0)
		answer_add_field(answer, "Content-Type", "application/json");
	else
		answer_problem(answer, PROBLEM_INTERNAL, SLICE_LIT("the answer is too long"));
}

/* Where the next page begins: the key of the last row that route->cursor names. */
static json_t *next_of(const struct reply *reply, const struct route *route, size_t page)
{
	const json_t *rows = reply->rows;
	struct slice cursor = slice_str(route->cursor);
	size_t count = json_array_size(rows);
	char key[KEY_SIZE];

	if (page == 0 || count == 0 || (count < page && !reply->is_full))
		return json_null();
	GP_ASSERT(slice_copy(
		slice_from(cursor, (size_t)slice_find(cursor, ':') + 1), key, sizeof key));
	return json_incref(json_object_get(json_array_get(rows, count - 1), key));
}

void reply_finish(
	struct reply *reply, const struct route *route, size_t page, struct answer *answer)
{
	json_t *first = json_array_get(reply->rows, 0);
	json_t *body = NULL;

	if (reply->is_bad || (reply->is_full && page == 0) ||
		(first == NULL && (route->form == ROUTE_ONE || route->form == ROUTE_CREATED))) {
		log_error(
			"reply_bad", LOG_STR("path", route->path), LOG_UINT("bytes", reply->bytes));
		answer_problem(answer, PROBLEM_INTERNAL, SLICE_LIT("no such answer can be given"));
		return;
	}
	set_cookie(reply, answer);
	switch (route->form) {
	case ROUTE_CREATED:
		answer->status = 201;
		set_body(answer, first);
		break;
	case ROUTE_ONE:
		set_body(answer, first);
		break;
	case ROUTE_LIST:
		body = json_pack(
			"{s:O, s:o?}", "items", reply->rows, "next", next_of(reply, route, page));
		set_body(answer, body);
		json_decref(body);
		break;
	case ROUTE_NONE:
		answer->status = 204;
		break;
	}
}
