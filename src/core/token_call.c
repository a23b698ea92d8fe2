/* SPDX-License-Identifier: ISC */
#include "core/token_call.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/core.h"

enum {
	ACTOR_SIZE = 128
};

static const char no_such_token[] = "no such token, or it has expired";

/* A question that waits; its packet is kept as it came, so that nothing of it is forgotten. */
struct token_call {
	TAILQ_ENTRY(token_call) link;
	uint64_t id;
	uint64_t asker; /* may be gone by now */
	struct buf packet;
	/* The vault's word. */
	enum role role; /* ROLE_GUEST until it came */
	char *scopes;
	char *domains;
	char actor[ACTOR_SIZE];
};

static void answer(
	struct core *core, const struct token_call *wait, enum gp_err err, const char *why)
{
	struct ipc_message call;
	struct ipc_message message = { .type = IPC_OP_DONE };

	GP_ASSERT(ipc_decode(buf_slice(&wait->packet), &call) == GP_OK);
	message.op_done = (struct ipc_op_done){
		.request = call.call.request, .err = (uint8_t)err, .why = slice_str(why)
	};
	asker_send(core, wait->asker, &message);
}

static void wait_free(struct core *core, struct token_call *wait)
{
	TAILQ_REMOVE(&core->token_calls.waiting, wait, link);
	core->token_calls.count--;
	buf_fini(&wait->packet);
	mem_free(wait->scopes);
	mem_free(wait->domains);
	mem_free(wait);
}

static struct token_call *find(struct core *core, uint64_t id)
{
	struct token_call *wait = NULL;

	TAILQ_FOREACH (wait, &core->token_calls.waiting, link) {
		if (wait->id == id)
			break;
	}
	return wait;
}

static char *copy_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return mem_strdup(text != NULL ? text : "");
}

/* "token:3 panel" */
static void name_actor(struct token_call *wait, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	char shown[ACTOR_SIZE / 2];

	text_escape(slice_str(name != NULL ? name : ""), shown, sizeof shown);
	(void)snprintf(wait->actor, sizeof wait->actor, "token:%lld %s",
		(long long)json_integer_value(json_object_get(row, "id")), shown);
}

static void on_row(struct op *op, struct slice text)
{
	struct token_call *wait = find(op->core, op->session);
	json_t *row = json_loadb(text.data, text.len, 0, NULL);
	const char *role = json_string_value(json_object_get(row, "role"));
	enum role known = role != NULL ? role_by_name(slice_str(role)) : ROLE_MAX;

	if (wait != NULL && wait->scopes == NULL && known >= ROLE_DOMAIN_ADMIN &&
		known <= ROLE_ADMIN) {
		wait->role = known;
		wait->scopes = copy_text(row, "scopes");
		wait->domains = copy_text(row, "domains");
		/* Who is bound to domains sees nothing beyond them. */
		if (wait->domains[0] != '\0')
			wait->role = ROLE_DOMAIN_ADMIN;
		name_actor(wait, row);
	}
	json_decref(row);
}

/* The token is good: the call goes the way of all calls. */
static void go_on(struct core *core, const struct token_call *wait)
{
	struct asker *asker = asker_find(core, wait->asker);
	struct ipc_message message;
	const struct ipc_call *call = &message.call;
	enum ops_id id;

	if (asker == NULL)
		return;
	GP_ASSERT(ipc_decode(buf_slice(&wait->packet), &message) == GP_OK);
	id = ops_by_name(call->name);
	if (id < OPS_MAX && !ops_is_in_scopes(id, slice_str(wait->scopes))) {
		answer(core, wait, GP_ERR_ROLE, "the token's scopes do not hold this operation");
		return;
	}
	control_on_ask(asker,
		&(struct caller){ .role = wait->role,
			.actor = slice_str(wait->actor),
			.domains = slice_str(wait->domains),
			.source = call->client,
			.client_name = call->client_name,
			.language = call->language,
			.idempotency = call->idempotency },
		&(struct control_ask){ call->request, call->name, call->arguments, -1 });
}

static void on_done(struct op *op, enum gp_err err, struct slice why)
{
	struct core *core = op->core;
	struct token_call *wait = find(core, op->session);

	(void)why;
	if (wait == NULL)
		return;
	if (err == GP_ERR_DENIED)
		answer(core, wait, GP_ERR_SIGNIN, no_such_token);
	else if (err != GP_OK || wait->scopes == NULL)
		answer(core, wait, GP_ERR_STORE,
			"no vault is there to say whose token it is; try again");
	else
		go_on(core, wait);
	wait_free(core, wait);
}

static bool ask_vault(struct core *core, const struct token_call *wait, struct slice token)
{
	static const struct op_events events = { on_row, on_done };
	json_t *args = json_pack("{s:s%}", "token", token.data, token.len);
	bool has_asked;

	GP_ASSERT(args != NULL);
	has_asked = control_ask_vault(core, OPS_token_check, args, &events, wait->id);
	json_decref(args);
	return has_asked;
}

void token_call_begin(struct asker *asker, const struct ipc_call *call)
{
	struct core *core = asker->core;
	struct token_call *wait = mem_new(1, sizeof *wait);
	const struct ipc_message message = { .type = IPC_CALL, .call = *call };
	enum gp_err err;

	wait->id = ++core->token_calls.last_id;
	wait->asker = asker->id;
	buf_init_secret(&wait->packet, IPC_PACKET_MAX);
	err = ipc_encode(&message, &wait->packet);
	GP_ASSERT(err == GP_OK);
	TAILQ_INSERT_TAIL(&core->token_calls.waiting, wait, link);
	core->token_calls.count++;
	if (core->token_calls.count > TOKEN_CALLS_MAX) {
		answer(core, wait, GP_ERR_BUSY, "too many calls at once; try again");
		wait_free(core, wait);
	} else if (call->credential.len == 0 || !text_is_printable(call->credential)) {
		answer(core, wait, GP_ERR_SIGNIN, no_such_token);
		wait_free(core, wait);
	} else if (!ask_vault(core, wait, call->credential)) {
		answer(core, wait, GP_ERR_STORE,
			"no vault is there to say whose token it is; try again");
		wait_free(core, wait);
	}
}

void token_call_init(struct core *core)
{
	TAILQ_INIT(&core->token_calls.waiting);
}

void token_call_fini(struct core *core)
{
	while (!TAILQ_EMPTY(&core->token_calls.waiting))
		wait_free(core, TAILQ_FIRST(&core->token_calls.waiting));
}
