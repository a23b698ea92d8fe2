/* SPDX-License-Identifier: ISC */
#include "web/request.h"

#include "base/mem.h"
#include "web/credential.h"
#include "web/files.h"
#include "web/gate.h"

struct request {
	struct web *web;
	struct answer answer;
	bool has_answer;
	void (*on_ready)(struct request *request, void *owner);
	void *owner;
};

static bool is_read(struct slice method)
{
	return slice_is(method, "GET") || slice_is(method, "HEAD");
}

static bool pass_gate(struct request *request, const struct request_facts *facts)
{
	struct credential credential = credential_find(facts->cookie, facts->authorization);
	struct gate_facts gate = { .is_change = !is_read(facts->method) &&
						!slice_is(facts->method, "OPTIONS"),
		.host = facts->host,
		.origin = facts->origin,
		.site = facts->site,
		.content_type = facts->content_type,
		.has_cookie = credential.text.len > 0 && !credential.is_token,
		.has_token = credential.is_token };

	switch (gate_check(request->web->config, &gate)) {
	case GATE_HOST:
		answer_problem(&request->answer, PROBLEM_HOST, facts->host);
		return false;
	case GATE_ORIGIN:
		answer_problem(&request->answer, PROBLEM_ORIGIN, facts->origin);
		return false;
	case GATE_CONTENT_TYPE:
		answer_problem(&request->answer, PROBLEM_CONTENT_TYPE, facts->content_type);
		return false;
	case GATE_OPEN:
		break;
	}
	return true;
}

static void answer_file(struct request *request, const struct request_facts *facts)
{
	ptrdiff_t query = slice_find(facts->target, '?');
	struct slice path = query < 0 ? facts->target : slice_head(facts->target, (size_t)query);
	const struct files_file *file = files_find(path);

	if (file == NULL) {
		answer_problem(&request->answer, PROBLEM_NOT_FOUND, path);
	} else if (!is_read(facts->method)) {
		answer_add_field(&request->answer, "Allow", "GET, HEAD");
		answer_problem(&request->answer, PROBLEM_METHOD, facts->method);
	} else {
		files_answer(file, facts->accept_encoding, facts->if_none_match, &request->answer);
	}
}

struct request *request_new(struct web *web, const struct request_facts *facts,
	void (*on_ready)(struct request *request, void *owner), void *owner)
{
	struct request *request = mem_new(1, sizeof *request);

	request->web = web;
	request->on_ready = on_ready;
	request->owner = owner;
	answer_init(&request->answer);
	if (pass_gate(request, facts))
		answer_file(request, facts);
	request->has_answer = true;
	return request;
}

void request_free(struct request **prequest)
{
	struct request *request = *prequest;

	*prequest = NULL;
	if (request == NULL)
		return;
	answer_fini(&request->answer);
	mem_free(request);
}

const struct answer *request_answer(const struct request *request)
{
	return request->has_answer ? &request->answer : NULL;
}
