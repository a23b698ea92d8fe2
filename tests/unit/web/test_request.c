/* SPDX-License-Identifier: ISC */
/* Requests against a core that answers as each test wants. */
#include "web/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "web/caller.h"

enum {
	TEXT_SIZE = 512,
};

static char hostname[] = "mail.example.test";
static char portal_url[] = "https://mail.example.test/";
static const struct config config = { .hostname = hostname, .portal_url = portal_url };

/* What core was asked last. */
static struct {
	struct loop *loop;
	struct web web;
	struct chan *core;
	uint64_t request;
	unsigned asked;
	char name[TEXT_SIZE];
	char arguments[TEXT_SIZE];
	char credential[TEXT_SIZE];
	char client_name[TEXT_SIZE];
	char language[TEXT_SIZE];
	char idempotency[TEXT_SIZE];
	struct ip client;
	bool is_token;
	unsigned ready; /* on_ready() came */
} world;

static void on_core_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	const struct ipc_call *call = &message->call;

	(void)chan;
	(void)fd;
	(void)owner;
	assert_int_equal(message->type, IPC_CALL);
	world.asked++;
	world.request = call->request;
	assert_true(slice_copy(call->name, world.name, TEXT_SIZE));
	assert_true(slice_copy(call->arguments, world.arguments, TEXT_SIZE));
	assert_true(slice_copy(call->credential, world.credential, TEXT_SIZE));
	assert_true(slice_copy(call->client_name, world.client_name, TEXT_SIZE));
	assert_true(slice_copy(call->language, world.language, TEXT_SIZE));
	assert_true(slice_copy(call->idempotency, world.idempotency, TEXT_SIZE));
	world.client = call->client;
	world.is_token = call->is_token;
}

static void on_core_end(struct chan *chan, enum chan_end end, void *owner)
{
	(void)chan;
	(void)end;
	(void)owner;
}

static int setup(void **state)
{
	static const struct chan_ops ops = { on_core_message, on_core_end };
	int fds[2];

	(void)state;
	memset(&world, 0, sizeof world);
	world.loop = loop_new();
	world.web = (struct web){ .loop = world.loop, .config = &config };
	world.web.caller = caller_new(&world.web);
	assert_int_equal(chan_pair(fds), GP_OK);
	world.core = chan_new(world.loop, &fds[0], IPC_ROLE_CORE, IPC_ROLE_WEB, &ops, NULL);
	caller_connect(world.web.caller, 1, &fds[1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	chan_free(&world.core);
	caller_free(&world.web.caller);
	loop_free(&world.loop);
	return 0;
}

static void turn(void)
{
	for (unsigned i = 0; i < 4; i++)
		loop_turn(world.loop);
}

static void send_row(const char *row)
{
	struct ipc_message message = { .type = IPC_OP_ROW };

	message.op_row = (struct ipc_op_row){ .request = world.request, .row = slice_str(row) };
	assert_int_equal(chan_send(world.core, &message, -1), GP_OK);
}

static void send_done(enum gp_err err, const char *why)
{
	struct ipc_message message = { .type = IPC_OP_DONE };

	message.op_done = (struct ipc_op_done){
		.request = world.request, .err = (uint8_t)err, .why = slice_str(why)
	};
	assert_int_equal(chan_send(world.core, &message, -1), GP_OK);
	turn();
}

static void on_ready(struct request *request, void *owner)
{
	(void)request;
	assert_ptr_equal(owner, &world);
	world.ready++;
}

static struct request_facts facts_of(const char *method, const char *target)
{
	return (struct request_facts){ .client = { .family = IP_V4, .bytes = { 192, 0, 2, 7 } },
		.method = slice_str(method),
		.target = slice_str(target),
		.host = SLICE_LIT("mail.example.test"),
		.content_type = SLICE_LIT("application/json") };
}

static struct request *begin(const struct request_facts *facts)
{
	struct request *request = request_new(&world.web, facts, on_ready, &world);

	turn();
	return request;
}

static const char *field_of(const struct answer *answer, const char *name)
{
	for (unsigned i = 0; i < answer->field_count; i++) {
		if (strcmp(answer->fields[i].name, name) == 0)
			return answer->fields[i].value;
	}
	return "";
}

/* The answer to a request that needs no core. */
static unsigned status_of(const struct request_facts *facts, const char *code)
{
	struct request *request = begin(facts);
	const struct answer *answer = request_answer(request);
	char *member = mem_printf("\"code\":\"%s\"", code);
	struct slice body;
	unsigned status;

	assert_non_null(answer);
	assert_int_equal(world.asked, 0);
	assert_int_equal(world.ready, 0);
	status = answer->status;
	body = buf_slice(&answer->body);
	if (code[0] != '\0') {
		assert_non_null(memmem(body.data, body.len, member, strlen(member)));
		assert_string_equal(field_of(answer, "Content-Type"), "application/problem+json");
		assert_false(answer->is_page);
	}
	mem_free(member);
	request_free(&request);
	return status;
}

static void test_what_core_is_asked(void **state)
{
	struct request_facts facts = facts_of("POST", "/api/v1/accounts/a%40b/block");
	struct request *request;

	(void)state;
	facts.body = SLICE_LIT("{\"reason\":\"spam\"}");
	facts.origin = SLICE_LIT("https://mail.example.test");
	facts.cookie = SLICE_LIT("__Host-gatepost=abc");
	facts.user_agent = SLICE_LIT("Fire\nfox\\1");
	facts.accept_language = SLICE_LIT("DE-ch, en;q=0.5");
	facts.idempotency_key = SLICE_LIT("k-1");
	request = begin(&facts);
	assert_null(request_answer(request));
	assert_int_equal(world.asked, 1);
	assert_string_equal(world.name, "account.block");
	assert_string_equal(world.arguments, "{\"reason\":\"spam\",\"address\":\"a@b\"}");
	assert_string_equal(world.credential, "abc");
	assert_false(world.is_token);
	assert_string_equal(world.client_name, "Fire\\x0afox\\\\1");
	assert_string_equal(world.language, "de");
	assert_string_equal(world.idempotency, "k-1");
	assert_true(ip_equal(&world.client, &facts.client));
	send_done(GP_OK, "");
	assert_int_equal(world.ready, 1);
	assert_int_equal(request_answer(request)->status, 204);
	request_free(&request);
}

static void test_token(void **state)
{
	struct request_facts facts = facts_of("GET", "/api/v1/bans");
	struct request *request;

	(void)state;
	facts.authorization = SLICE_LIT("Bearer gp_1.x");
	facts.cookie = SLICE_LIT("__Host-gatepost=abc");
	request = begin(&facts);
	assert_string_equal(world.credential, "gp_1.x");
	assert_true(world.is_token);
	send_row("{\"source\":\"192.0.2.1\"}");
	send_done(GP_OK, "");
	assert_true(slice_is(buf_slice(&request_answer(request)->body),
		"{\"items\":[{\"source\":\"192.0.2.1\"}],\"next\":null}"));
	request_free(&request);
}

static void test_errors(void **state)
{
	static const struct {
		enum gp_err err;
		unsigned status;
		const char *code;
	} cases[] = {
		{ GP_ERR_SYNTAX, 400, "syntax" },
		{ GP_ERR_SIGNIN, 401, "signin" },
		{ GP_ERR_DENIED, 403, "wrong" },
		{ GP_ERR_ROLE, 403, "role" },
		{ GP_ERR_NOT_FOUND, 404, "not_found" },
		{ GP_ERR_EXISTS, 409, "exists" },
		{ GP_ERR_LIMIT, 429, "limit" },
		{ GP_ERR_UNSUPPORTED, 501, "unsupported" },
		{ GP_ERR_BUSY, 503, "unavailable" },
		{ GP_ERR_STORE, 503, "unavailable" },
		{ GP_ERR_TIMEOUT, 503, "unavailable" },
		{ GP_ERR_CLOSED, 503, "unavailable" },
		{ GP_ERR_INTERNAL, 500, "internal" },
		{ GP_ERR_IO, 500, "internal" },
	};
	struct request_facts facts = facts_of("GET", "/api/v1/session");

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct request *request = begin(&facts);
		char *member = mem_printf(
			"\"code\":\"%s\",\"detail\":\"say \\\"why\\\"\"}", cases[i].code);
		struct slice body;

		/* What came before it is not told. */
		send_row("{\"a\":\"b\"}");
		send_done(cases[i].err, "say \"why\"");
		assert_int_equal(request_answer(request)->status, cases[i].status);
		body = buf_slice(&request_answer(request)->body);
		assert_non_null(memmem(body.data, body.len, member, strlen(member)));
		assert_null(memmem(body.data, body.len, "\"b\"", 3));
		mem_free(member);
		request_free(&request);
	}
}

static void test_refused_here(void **state)
{
	struct request_facts facts = facts_of("GET", "/api/v1/session");

	(void)state;
	facts.host = SLICE_LIT("evil.test");
	assert_int_equal(status_of(&facts, "host"), 421);
	facts = facts_of("GET", "/");
	facts.host = SLICE_LIT("evil.test");
	assert_int_equal(status_of(&facts, "host"), 421);
	facts = facts_of("GET", "/api/v1/nothing");
	assert_int_equal(status_of(&facts, "not_found"), 404);
	facts = facts_of("GET", "/nothing.js");
	assert_int_equal(status_of(&facts, "not_found"), 404);
	facts = facts_of("PUT", "/api/v1/session");
	assert_int_equal(status_of(&facts, "method"), 405);
	facts = facts_of("POST", "/");
	assert_int_equal(status_of(&facts, "method"), 405);
	facts = facts_of("POST", "/api/v1/bans");
	facts.content_type = SLICE_LIT("text/plain");
	assert_int_equal(status_of(&facts, "content_type"), 415);
	facts = facts_of("POST", "/api/v1/bans");
	facts.cookie = SLICE_LIT("__Host-gatepost=abc");
	assert_int_equal(status_of(&facts, "origin"), 403);
	facts = facts_of("GET", "/api/v1/session");
	facts.authorization = SLICE_LIT("Basic abc");
	assert_int_equal(status_of(&facts, "signin"), 401);
	facts = facts_of("GET", "/api/v1/session?x=y");
	assert_int_equal(status_of(&facts, "syntax"), 400);
	facts = facts_of("POST", "/api/v1/bans");
	facts.idempotency_key = SLICE_LIT("a\tb");
	assert_int_equal(status_of(&facts, "syntax"), 400);
	facts = facts_of("GET", "/?utm=x");
	assert_int_equal(status_of(&facts, ""), 200);
}

/* Core is gone: at once, or while it is asked. */
static void test_core_gone(void **state)
{
	struct request_facts facts = facts_of("GET", "/api/v1/session");
	struct request *request = begin(&facts);

	(void)state;
	assert_null(request_answer(request));
	chan_free(&world.core);
	turn();
	assert_int_equal(world.ready, 1);
	assert_int_equal(request_answer(request)->status, 503);
	request_free(&request);
	request = begin(&facts);
	assert_int_equal(request_answer(request)->status, 503);
	assert_string_equal(field_of(request_answer(request), "Retry-After"), "1");
	request_free(&request);
}

/* Whoever has left is not told, and what core still says is nobody's. */
static void test_given_up(void **state)
{
	struct request_facts facts = facts_of("GET", "/api/v1/session");
	struct request *request = begin(&facts);

	(void)state;
	request_free(&request);
	send_row("{\"a\":1}");
	send_done(GP_OK, "");
	assert_int_equal(world.ready, 0);
}

static void test_too_long(void **state)
{
	static char text[REQUEST_BODY_MAX];
	struct request_facts facts = facts_of("POST", "/api/v1/bans");

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "{\"source\":\"", 11);
	memcpy(text + sizeof text - 2, "\"}", 2);
	facts.body = slice_of(text, sizeof text);
	assert_int_equal(status_of(&facts, "size"), 413);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_core_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_here, setup, teardown),
		cmocka_unit_test_setup_teardown(test_core_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
