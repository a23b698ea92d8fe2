/* SPDX-License-Identifier: ISC */
/* session.list, session.kill. Rows: ops/ops.def. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "core/core.h"
#include "core/page.h"

enum {
	ID_DIGITS = 16
};

/* Which sessions are meant; what is not asked for fits all. */
struct choice {
	struct op_call *call;
	const char *account;
	bool has_source;
	struct ip source;
	bool has_id;
	uint64_t id;
	unsigned found;
	struct page page;
};

static enum gp_err parse_id(const char *text, uint64_t *ret_id, struct gp_why *why)
{
	static const char fault[] = "\"%.60s\" is no session: 16 hexadecimal digits";
	uint64_t id = 0;
	size_t len = 0;

	for (; text[len] != '\0'; len++) {
		char digit = text_lower(text[len]);
		bool is_letter = digit >= 'a' && digit <= 'f';

		if (len == ID_DIGITS || (!text_is_digit(digit) && !is_letter))
			return gp_why_set(why, GP_ERR_SYNTAX, fault, text);
		id = id << 4 | (uint64_t)(is_letter ? digit - 'a' + 10 : digit - '0');
	}
	if (len != ID_DIGITS)
		return gp_why_set(why, GP_ERR_SYNTAX, fault, text);
	*ret_id = id;
	return GP_OK;
}

static enum gp_err parse_choice(
	struct op_call *call, const json_t *args, struct choice *ret_choice, struct gp_why *why)
{
	const char *source = json_string_value(json_object_get(args, "source"));
	const char *id = json_string_value(json_object_get(args, "session"));
	struct choice choice = {
		.call = call,
		.account = json_string_value(json_object_get(args, "account")),
		.has_source = source != NULL,
		.has_id = id != NULL,
	};

	if (source != NULL && ip_parse_source(slice_str(source), &choice.source) != GP_OK)
		return gp_why_set(why, GP_ERR_SYNTAX,
			"\"%.60s\" is no address and no IPv6 /64 network", source);
	*ret_choice = choice;
	return id != NULL ? parse_id(id, &ret_choice->id, why) : GP_OK;
}

static bool is_meant(const struct choice *choice, const struct session *session)
{
	if (choice->has_id && session->id != choice->id)
		return false;
	if (choice->has_source && !ip_equal(&session->source->ip, &choice->source))
		return false;
	return choice->account == NULL ||
	       (session->address != NULL &&
		       slice_is_nocase(slice_str(session->address), choice->account));
}

static json_t *describe(const struct session *session)
{
	char id[ID_DIGITS + 1];
	char source[IP_TEXT_SIZE];

	(void)snprintf(id, sizeof id, "%016" PRIx64, session->id);
	return json_pack("{s:s, s:s, s:s, s:s}", "session", id, "account",
		session->address != NULL ? session->address : "", "service",
		service_name(session->service), "source",
		ip_format_source(&session->source->ip, source));
}

static void set_text(json_t *row, const char *key, const char *text)
{
	char shown[512];

	text_escape(slice_str(text), shown, sizeof shown);
	GP_ASSERT(json_object_set_new(row, key, json_string(shown)) == 0);
}

static void list_one(const void *item, void *arg)
{
	const struct session *session = item;
	struct choice *choice = arg;
	char since[CLOCK_TEXT_SIZE];
	char country[COUNTRY_TEXT_SIZE];
	json_t *row = describe(session);

	GP_ASSERT(row != NULL);
	set_text(row, "since", clock_format(session->since, since));
	set_text(row, "client_name", session->client_name);
	set_text(row, "tls", session->tls);
	set_text(row, "country", country_text(session->country, country));
	GP_ASSERT(json_object_set_new(row, "client_port", json_integer(session->client_port)) == 0);
	GP_ASSERT(
		json_object_set_new(row, "device", json_integer((json_int_t)session->device)) == 0);
	GP_ASSERT(json_object_set_new(
			  row, "front", json_integer((json_int_t)session->front->index)) == 0);
	op_row(choice->call, row);
}

/* As its sixteen digits are ordered. */
static struct slice key_of(uint64_t id, unsigned char out[static sizeof(uint64_t)])
{
	for (size_t i = 0; i < sizeof id; i++)
		out[i] = (unsigned char)(id >> (8 * (sizeof id - 1 - i)));
	return slice_of(out, sizeof id);
}

static void offer(struct map_node *node, void *arg)
{
	const struct session *session = MAP_ENTRY(node, struct session, node);
	unsigned char key[sizeof session->id];
	struct choice *choice = arg;

	if (session->state == SESSION_SIGNED_IN && is_meant(choice, session))
		page_offer(&choice->page, key_of(session->id, key), session);
}

enum gp_err op_session_list(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const char *after = json_string_value(json_object_get(args, "after"));
	unsigned char key[sizeof(uint64_t)];
	struct choice choice = { 0 };
	uint64_t id = 0;
	enum gp_err err = parse_choice(call, args, &choice, why);

	if (err == GP_OK && after != NULL)
		err = parse_id(after, &id, why);
	if (err == GP_OK)
		err = page_init(&choice.page, args, why);
	if (err != GP_OK)
		return err;
	if (after != NULL)
		page_set_after(&choice.page, key_of(id, key));
	map_each(&call->core->sessions.by_id, offer, &choice);
	page_each(&choice.page, list_one, &choice);
	page_fini(&choice.page);
	return GP_OK;
}

static void kill_one(struct map_node *node, void *arg)
{
	struct session *session = MAP_ENTRY(node, struct session, node);
	struct choice *choice = arg;

	if (session->state == SESSION_CLOSING || !is_meant(choice, session))
		return;
	choice->found++;
	op_row(choice->call, describe(session));
	session_close(choice->call->core, session, CLOSE_ADMIN, 0);
}

enum gp_err op_session_kill(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct choice choice = { 0 };
	enum gp_err err = parse_choice(call, args, &choice, why);

	if (err != GP_OK)
		return err;
	if (!choice.has_id && !choice.has_source && choice.account == NULL)
		return gp_why_set(why, GP_ERR_SYNTAX, "say which: session, account or source");
	map_each(&call->core->sessions.by_id, kill_one, &choice);
	return choice.found > 0 ? GP_OK : gp_why_set(why, GP_ERR_NOT_FOUND, "no such session");
}
