/* SPDX-License-Identifier: ISC */
/*
 * First byte: what kind of listener. Second: what the shell answers. Third: how the rest is cut.
 * The dialogue runs twice, cut and (as far as a shell may) whole; both must end the same.
 *
 * Beside what a sanitizer sees: a message that is taken holds no bare CR, bare LF or NUL and ends
 * in CRLF; it stands in the input byte for byte; each command gets one reply at most; nothing
 * follows the end; output is bounded.
 */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "fuzz.h"
#include "proto/smtp_server.h"

enum {
	TRACE_MAX = 16 * 1024 * 1024,
	OUTPUT_MAX = 64 * 1024,
};

struct shell {
	struct smtp_server_conf conf;
	struct smtp_server *server;
	uint32_t answers; /* decides what is said to each question */
	struct buf trace; /* what was done, and what was said, for comparison */
	struct buf said;
	struct buf message;
	struct slice all;
	size_t used;
	bool is_over;
};

static void trace(struct shell *shell, const char *what, struct slice text)
{
	GP_ASSERT(buf_append_str(&shell->trace, what) == GP_OK);
	GP_ASSERT(buf_append(&shell->trace, text) == GP_OK);
	GP_ASSERT(buf_append_byte(&shell->trace, '\n') == GP_OK);
}

static unsigned choose(struct shell *shell, unsigned choices)
{
	shell->answers = shell->answers * 1664525U + 1013904223U;
	return (shell->answers >> 20) % choices;
}

static void check_message(struct shell *shell)
{
	struct slice body = buf_slice(&shell->message);
	size_t dots = 0;

	/* It stands right before its end in the input. */
	GP_ASSERT(shell->used >= body.len + 3);
	GP_ASSERT(slice_equal(
		body, slice_head(slice_from(shell->all, shell->used - 3 - body.len), body.len)));
	GP_ASSERT(body.len == 0 || (body.len > 1 && body.data[body.len - 1] == '\n'));
	for (size_t i = 0; i < body.len; i++) {
		GP_ASSERT(body.data[i] != '\0');
		GP_ASSERT(body.data[i] != '\r' || (i + 1 < body.len && body.data[i + 1] == '\n'));
		GP_ASSERT(body.data[i] != '\n' || (i > 0 && body.data[i - 1] == '\r'));
		dots += body.data[i] == '.' && (i == 0 || body.data[i - 1] == '\n');
	}
	/* No line of it is a lone dot, and it is within the limit. */
	GP_ASSERT(body.len == 0 || memmem(body.data, body.len, "\r\n.\r\n", 5) == NULL);
	GP_ASSERT(!slice_is(slice_head(body, 3), ".\r\n"));
	GP_ASSERT(smtp_server_message_size(shell->server) == body.len - dots);
	GP_ASSERT(shell->conf.message_size == 0 || body.len - dots <= shell->conf.message_size);
	trace(shell, "message ", body);
	buf_clear(&shell->message);
}

static void reply(struct shell *shell, unsigned code)
{
	struct smtp_reply said;

	smtp_reply_set(&said, code, "", "two\nlines");
	if (smtp_server_owed(shell->server) > 1 && choose(shell, 2) == 0)
		smtp_server_refuse(shell->server, &said);
	else
		smtp_server_answer(shell->server, &said);
}

/* To MAIL, RCPT, VRFY, DATA or a message: now or later. */
static void answer(struct shell *shell, enum engine_action_type type)
{
	static const unsigned codes[] = { 250, 250, 250, 250, 250, 450, 550, 421 };
	unsigned code = codes[choose(shell, GP_ARRAY_LEN(codes))];

	if (type == ENGINE_MAIL)
		smtp_server_pipeline_data(shell->server, choose(shell, 2) == 0);
	/* What is owed comes in before DATA, whatever the cuts, so this stays the same. */
	if (type != ENGINE_DATA && type != ENGINE_BODY_END && code != 421 &&
		choose(shell, 3) == 0) {
		smtp_server_proceed(shell->server);
		return;
	}
	while (smtp_server_owed(shell->server) > 1)
		smtp_server_answer(shell->server,
			&(struct smtp_reply){ .code = choose(shell, 4) == 0 ? 550 : 250 });
	reply(shell, type == ENGINE_DATA && code == 250 ? 354 : code);
}

static void sign_in(struct shell *shell, const struct engine_signin *signin)
{
	struct engine_answer verdict = { .verdict = (enum verdict)choose(shell, VERDICT_MAX) };

	GP_ASSERT(signin->login.len > 0 && signin->secret.len > 0);
	trace(shell, "login ", signin->login);
	trace(shell, "secret ", signin->secret);
	smtp_server_answer_signin(shell->server, &verdict);
}

static void perform(struct shell *shell, const struct engine_action *action)
{
	GP_ASSERT(!shell->is_over);
	switch (action->type) {
	case ENGINE_NONE:
		return;
	case ENGINE_BODY:
		GP_ASSERT(action->bytes.len > 0);
		GP_ASSERT(buf_append(&shell->message, action->bytes) == GP_OK);
		return;
	case ENGINE_BODY_END:
		GP_ASSERT(smtp_server_recipients(shell->server) > 0);
		check_message(shell);
		answer(shell, action->type);
		return;
	case ENGINE_SIGNIN:
		sign_in(shell, &action->signin);
		return;
	case ENGINE_STARTTLS:
		trace(shell, "starttls", slice_of(NULL, 0));
		smtp_server_tls_started(shell->server);
		return;
	case ENGINE_NOTE:
		trace(shell, "note ", action->note.detail);
		return;
	case ENGINE_CLOSE:
		trace(shell, "close", slice_of(NULL, 0));
		shell->is_over = true;
		return;
	case ENGINE_MAIL:
	case ENGINE_RCPT:
		trace(shell, "path ", action->path.address);
		trace(shell, "params ", action->path.params);
		answer(shell, action->type);
		return;
	case ENGINE_DATA:
		GP_ASSERT(smtp_server_recipients(shell->server) > 0 ||
			  smtp_server_owed(shell->server) > 1);
		answer(shell, action->type);
		return;
	case ENGINE_RSET:
		trace(shell, "rset", slice_of(NULL, 0));
		return;
	case ENGINE_VRFY:
		trace(shell, "vrfy ", action->bytes);
		answer(shell, action->type);
		return;
	}
}

/* What was said goes to the trace: the same bytes in all, however the input is cut. */
static void drain(struct shell *shell)
{
	struct buf *output = smtp_server_output(shell->server);
	struct slice said = buf_slice(output);

	GP_ASSERT(said.len <= OUTPUT_MAX);
	GP_ASSERT(said.len == 0 || said.data[said.len - 1] == '\n');
	GP_ASSERT(buf_append(&shell->said, said) == GP_OK);
	buf_clear(output);
}

/* Lets the engine work on what has arrived until it can do nothing more. */
static void work(struct shell *shell, size_t arrived)
{
	struct engine_action action;
	size_t used;

	do {
		used = smtp_server_input(shell->server,
			slice_from(slice_head(shell->all, arrived), shell->used), &action);
		GP_ASSERT(used <= arrived - shell->used);
		shell->used += used;
		drain(shell);
		perform(shell, &action);
	} while (!shell->is_over && (used > 0 || action.type != ENGINE_NONE));
	drain(shell);
}

static void run(struct shell *shell, struct slice all, uint32_t seed, bool is_cut)
{
	size_t arrived = is_cut ? 0 : all.len;

	shell->server = smtp_server_new(&shell->conf);
	smtp_server_set_caps(shell->server, ~0U, 0);
	shell->all = all;
	drain(shell); /* the greeting goes out at once */
	for (;;) {
		work(shell, arrived);
		if (shell->is_over)
			return;
		if (arrived < all.len) {
			size_t piece = fuzz_piece(&seed);

			arrived = piece < all.len - arrived ? arrived + piece : all.len;
			continue;
		}
		/* What was put off is answered once nothing else can happen. */
		if (smtp_server_owed(shell->server) == 0)
			return;
		smtp_server_answer(shell->server, &(struct smtp_reply){ .code = 250 });
	}
}

static void begin(struct shell *shell, unsigned kind, unsigned answers)
{
	*shell = (struct shell){
		.conf = {
			.common = {
				.hostname = "mail.example.test",
				.portal_url = "https://mail.example.test/",
				.service = (enum service)(kind % 3),
				.client_address = SLICE_LIT("192.0.2.7"),
				.ban_failures = 5,
				.can_starttls = (kind & 4) != 0,
				.is_tls = (kind & 8) != 0,
				.plaintext_signin = (kind & 16) != 0,
				.old_clients = (kind & 32) != 0,
				.is_banned = (kind & 64) != 0,
				.max_commands = 20,
				.max_attempts = 3,
				.reference = 0x7654321,
				.ban_reference = 0x1234567,
			},
			.message_size = (kind & 128) != 0 ? 2000 : 0,
			.message_recipients = 10,
			.may_relay = (answers & 1) != 0,
		},
		.answers = answers,
	};
	buf_init(&shell->trace, TRACE_MAX);
	buf_init(&shell->said, TRACE_MAX);
	buf_init(&shell->message, TRACE_MAX);
}

static void end(struct shell *shell)
{
	smtp_server_free(&shell->server);
	buf_fini(&shell->trace);
	buf_fini(&shell->said);
	buf_fini(&shell->message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	unsigned kind = fuzz_byte(&rest);
	unsigned answers = fuzz_byte(&rest);
	unsigned seed = fuzz_byte(&rest);
	struct shell cut;
	struct shell whole;

	begin(&cut, kind, answers);
	begin(&whole, kind, answers);
	run(&cut, rest, seed, true);
	run(&whole, rest, seed, false);
	/* Two things do depend on the cuts: whether bytes came together with STARTTLS, and which of
	 * two faults of a message is found first. */
	if (!cut.conf.common.can_starttls && cut.conf.message_size == 0) {
		GP_ASSERT(slice_equal(buf_slice(&cut.trace), buf_slice(&whole.trace)));
		GP_ASSERT(slice_equal(buf_slice(&cut.said), buf_slice(&whole.said)));
	}
	end(&cut);
	end(&whole);
	return 0;
}
