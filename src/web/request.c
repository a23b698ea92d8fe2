/* SPDX-License-Identifier: ISC */
#include "web/request.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/arguments.h"
#include "web/caller.h"
#include "web/credential.h"
#include "web/files.h"
#include "web/gate.h"
#include "web/reply.h"
#include "web/route.h"
#include "web/setup.h"

#define API "/api/"

enum {
	/* As in CALL. */
	CLIENT_NAME_SIZE = 128,
	LANGUAGE_SIZE = 16,
	IDEMPOTENCY_MAX = 64,
};

struct request {
	struct web *web;
	struct ip client;
	enum ops_id op;            /* that core is asked for; OPS_MAX: none */
	const struct route *route; /* NULL: no call of the API */
	struct setup_ask setup;
	size_t page; /* of a list; 0: all at once */
	struct call call;
	struct reply reply;
	struct answer answer;
	bool has_answer;
	void (*on_ready)(struct request *request, void *owner);
	void *owner;
};

static void refuse(struct request *request, enum problem problem, struct slice detail)
{
	answer_problem(&request->answer, problem, detail);
	request->has_answer = true;
}

static bool is_read(struct slice method)
{
	return slice_is(method, "GET") || slice_is(method, "HEAD");
}

static bool pass_gate(struct request *request, const struct request_facts *facts,
	const struct credential *credential)
{
	struct gate_facts gate = { .is_change = !is_read(facts->method) &&
						!slice_is(facts->method, "OPTIONS"),
		.host = facts->host,
		.origin = facts->origin,
		.site = facts->site,
		.content_type = facts->content_type,
		.has_cookie = credential->text.len > 0 && !credential->is_token,
		.has_token = credential->is_token };

	switch (gate_check(request->web->config, &gate)) {
	case GATE_HOST:
		refuse(request, PROBLEM_HOST, facts->host);
		return false;
	case GATE_ORIGIN:
		refuse(request, PROBLEM_ORIGIN, facts->origin);
		return false;
	case GATE_CONTENT_TYPE:
		refuse(request, PROBLEM_CONTENT_TYPE, facts->content_type);
		return false;
	case GATE_OPEN:
		break;
	}
	return true;
}

/* Files. */

static void answer_file(
	struct request *request, const struct request_facts *facts, struct slice path)
{
	const struct files_file *file = files_find(path);

	if (file == NULL) {
		refuse(request, PROBLEM_NOT_FOUND, path);
	} else if (!is_read(facts->method)) {
		answer_add_field(&request->answer, "Allow", "GET, HEAD");
		refuse(request, PROBLEM_METHOD, facts->method);
	} else {
		files_answer(file, facts->accept_encoding, facts->if_none_match, &request->answer);
		request->has_answer = true;
	}
}

/* Operations. */

static void on_row(struct call *call, struct slice row)
{
	struct request *request = call->owner;

	reply_add(&request->reply, row);
}

static void on_done(struct call *call, enum gp_err err, struct slice why, struct slice fault)
{
	struct request *request = call->owner;

	if (request->route == NULL)
		setup_finish(request->web->config, &request->setup, err, why, &request->reply,
			&request->answer);
	else if (err == GP_OK)
		reply_finish(&request->reply, request->route, request->page, &request->answer);
	else
		answer_fault(&request->answer, answer_problem_of(err), why, fault);
	request->has_answer = true;
	request->on_ready(request, request->owner);
}

/* "de-CH, de;q=0.9": the first one, in lower case and without its region; "" if it is no language.
 */
static struct slice find_language(struct slice accept, char out[static LANGUAGE_SIZE])
{
	size_t len = 0;

	while (len < accept.len && text_is_alnum(accept.data[len]))
		len++;
	if (!slice_copy(slice_head(accept, len), out, LANGUAGE_SIZE))
		return SLICE_LIT("");
	text_lower_all(out);
	return slice_str(out);
}

static bool is_idempotency_key(struct slice key)
{
	return key.len <= IDEMPOTENCY_MAX && text_is_ascii(key) && text_is_printable(key);
}

static void ask_core(struct request *request, enum ops_id op, const struct request_facts *facts,
	const struct credential *credential, struct slice arguments)
{
	static const struct call_ops ops = { on_row, on_done };
	char client_name[CLIENT_NAME_SIZE];
	char language[LANGUAGE_SIZE];
	struct ipc_call question = { .name = slice_str(ops_entry(op)->name),
		.arguments = arguments,
		.credential = credential->text,
		.is_token = credential->is_token,
		.client = facts->client,
		.language = find_language(facts->accept_language, language),
		.idempotency = facts->idempotency_key };
	enum gp_err err;

	request->op = op;
	text_escape(facts->user_agent, client_name, sizeof client_name);
	question.client_name = slice_str(client_name);
	caller_init_call(request->web->caller, &request->call, &ops, request);
	reply_init(&request->reply);
	err = caller_start(&request->call, &question);
	if (err != GP_OK)
		refuse(request, answer_problem_of(err), slice_str(gp_err_text(err)));
}

static void call(struct request *request, const struct request_facts *facts,
	const struct credential *credential, const struct route_match *match, struct slice query)
{
	struct gp_why why = { "" };
	struct buf arguments;
	enum gp_err err;

	buf_init_secret(&arguments, ARGUMENTS_MAX);
	request->route = match->route;
	err = arguments_build(match, query, facts->body, &arguments, &request->page, &why);
	if (err == GP_ERR_LIMIT)
		refuse(request, PROBLEM_SIZE, slice_str(why.text));
	else if (err != GP_OK)
		refuse(request, PROBLEM_SYNTAX, slice_str(why.text));
	else
		ask_core(request, match->route->op, facts, credential, buf_slice(&arguments));
	buf_fini(&arguments);
}

static void answer_api(struct request *request, const struct request_facts *facts,
	const struct credential *credential, struct slice path, struct slice query)
{
	struct route_match match;

	switch (route_find(facts->method, path, &match)) {
	case ROUTE_NO_PATH:
		refuse(request, PROBLEM_NOT_FOUND, path);
		return;
	case ROUTE_NO_METHOD:
		answer_add_field(&request->answer, "Allow", "%s", match.allow);
		refuse(request, PROBLEM_METHOD, facts->method);
		return;
	case ROUTE_FOUND:
		break;
	}
	if (credential->is_malformed)
		refuse(request, PROBLEM_SIGNIN, SLICE_LIT("Authorization is no Bearer token"));
	else if (!is_idempotency_key(facts->idempotency_key))
		refuse(request, PROBLEM_SYNTAX, SLICE_LIT("malformed Idempotency-Key"));
	else
		call(request, facts, credential, &match, query);
}

/* Mail programs that set themselves up. Whoever asks, by whatever cookie, is a guest. */
static void answer_setup(struct request *request, const struct setup_route *route,
	const struct request_facts *facts, struct slice query)
{
	const struct setup_facts asked = { facts->method, facts->host, query, facts->body };
	const struct credential nobody = { .text = { NULL, 0 } };
	struct buf arguments;

	buf_init_secret(&arguments, SETUP_ARGUMENTS_MAX);
	if (setup_begin(request->web->config, route, &asked, &request->setup, &arguments,
		    &request->answer))
		ask_core(request, request->setup.op, facts, &nobody, buf_slice(&arguments));
	else
		request->has_answer = true;
	buf_fini(&arguments);
}

/* Life. */

struct request *request_new(struct web *web, const struct request_facts *facts,
	void (*on_ready)(struct request *request, void *owner), void *owner)
{
	struct request *request = mem_new(1, sizeof *request);
	struct credential credential = credential_find(facts->cookie, facts->authorization);
	ptrdiff_t mark = slice_find(facts->target, '?');
	struct slice path = mark < 0 ? facts->target : slice_head(facts->target, (size_t)mark);
	struct slice query = slice_from(facts->target, path.len + 1);
	struct setup_route setup = setup_route_find(path);

	request->web = web;
	request->op = OPS_MAX;
	request->client = facts->client;
	request->on_ready = on_ready;
	request->owner = owner;
	answer_init(&request->answer);
	if (setup.paper != SETUP_NONE) {
		answer_setup(request, &setup, facts, query);
		return request;
	}
	if (!pass_gate(request, facts, &credential))
		return request;
	if (slice_starts_nocase(path, API))
		answer_api(request, facts, &credential, path, query);
	else
		answer_file(request, facts, path);
	return request;
}

void request_free(struct request **prequest)
{
	struct request *request = *prequest;

	*prequest = NULL;
	if (request == NULL)
		return;
	/* The route and not the path: what stands in that is for nobody's log. */
	if (request->op != OPS_MAX)
		log_info("call", LOG_STR("operation", ops_entry(request->op)->name),
			LOG_IP("client", &request->client),
			LOG_UINT("status", request->has_answer ? request->answer.status : 0));
	caller_fini_call(&request->call);
	reply_fini(&request->reply);
	answer_fini(&request->answer);
	mem_free(request);
}

const struct answer *request_answer(const struct request *request)
{
	return request->has_answer ? &request->answer : NULL;
}
