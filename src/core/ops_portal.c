/* SPDX-License-Identifier: ISC */
/* portal.show, .signout, .signout_all, .list, .end. Rows: ops/ops.def. */
#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "core/core.h"

enum {
	SHOWN_SIZE = 512
};

static void set_text(json_t *row, const char *key, struct slice text)
{
	char shown[SHOWN_SIZE];

	text_escape(text, shown, sizeof shown);
	GP_ASSERT(json_object_set_new(row, key, json_string(shown)) == 0);
}

static void send_no_cookie(struct op_call *call)
{
	op_row(call, json_pack("{s:s}", "cookie", ""));
}

enum gp_err op_portal_show(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const struct caller *caller = call->caller;
	const struct config *config = call->core->config;
	const struct portal_session *session = portal_find_number(call->core, caller->portal);
	struct ip source = ip_source(&caller->source);
	char text[IP_TEXT_SIZE];
	json_t *row = json_pack("{s:s, s:s}", "state",
		session != NULL ? portal_state_name(session->state) : "guest", "role",
		role_name(caller->role));

	(void)args;
	(void)why;
	GP_ASSERT(row != NULL);
	set_text(row, "address", caller->address);
	set_text(row, "language", caller->language);
	set_text(row, "source", slice_str(ip_format_source(&source, text)));
	set_text(row, "hostname", slice_str(config->hostname));
	set_text(row, "portal_url", slice_str(config->portal_url));
	op_row(call, row);
	return GP_OK;
}

enum gp_err op_portal_signout(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct portal_session *session = portal_find_number(call->core, call->caller->portal);

	(void)args;
	(void)why;
	if (session != NULL)
		portal_end(call->core, &session);
	send_no_cookie(call);
	return GP_OK;
}

struct owner {
	struct core *core;
	uint64_t account;
};

static void close_one(struct map_node *node, void *arg)
{
	struct session *session = MAP_ENTRY(node, struct session, node);
	const struct owner *owner = arg;

	if (session->state == SESSION_SIGNED_IN && session->account == owner->account)
		session_close(owner->core, session, CLOSE_ADMIN, 0);
}

enum gp_err op_portal_signout_all(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct core *core = call->core;
	struct owner owner = { core, call->caller->account };

	(void)why;
	if (json_is_true(json_object_get(args, "mail")))
		map_each(&core->sessions.by_id, close_one, &owner);
	portal_end_others(core, owner.account, 0);
	send_no_cookie(call);
	return GP_OK;
}

static void send_session(
	struct op_call *call, const struct portal_session *session, uint64_t this_one)
{
	char since[CLOCK_TEXT_SIZE];
	char used[CLOCK_TEXT_SIZE];
	char source[IP_TEXT_SIZE];
	int64_t idle = (clock_steady() - session->used) / 1000;
	json_t *row = json_pack("{s:I, s:s, s:s, s:s, s:b}", "id", (json_int_t)session->number,
		"since", clock_format(session->since, since), "used_at",
		clock_format(clock_wall() - idle, used), "source",
		ip_format_source(&session->source, source), "is_this",
		(int)(session->number == this_one));

	GP_ASSERT(row != NULL);
	set_text(row, "client_name", slice_str(session->client_name));
	op_row(call, row);
}

enum gp_err op_portal_list(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const struct portal_session *session = NULL;
	uint64_t this_one = call->caller->portal;
	uint64_t account = call->caller->account;

	(void)args;
	(void)why;
	TAILQ_FOREACH (session, &call->core->portal.all, link) {
		if (session->account == account && session->state != PORTAL_PENDING)
			send_session(call, session, this_one);
	}
	return GP_OK;
}

enum gp_err op_portal_end(struct op_call *call, const json_t *args, struct gp_why *why)
{
	json_int_t id = json_integer_value(json_object_get(args, "id"));
	struct portal_session *session = NULL;
	uint64_t account = call->caller->account;
	bool is_this = id > 0 && (uint64_t)id == call->caller->portal;

	if (id > 0)
		session = portal_find_number(call->core, (uint64_t)id);
	if (session == NULL || session->account != account)
		return gp_why_set(why, GP_ERR_NOT_FOUND, "you have no such session");
	portal_end(call->core, &session);
	if (is_this)
		send_no_cookie(call);
	return GP_OK;
}
