/* SPDX-License-Identifier: ISC */
/*
 * First byte: what kind of next hop. Second: what is asked of it. Third: how the rest, which is all
 * that the next hop says, is cut. The dialogue runs twice, cut and whole; both must end the same.
 *
 * Beside what a sanitizer sees: codes are in range, texts printable and bounded, at most one reply
 * for each command and in their order, output nothing but whole lines, and nothing after the end.
 */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "fuzz.h"
#include "proto/smtp_client.h"

enum {
	TRACE_MAX = 16 * 1024 * 1024,
	ASKED_MAX = 32,
};

struct shell {
	struct smtp_client *client;
	uint32_t wishes;
	struct buf trace;
	enum smtp_command asked[ASKED_MAX]; /* without a reply, oldest first */
	unsigned count;
	bool is_ready;
	bool is_data;
	bool is_over;
};

static void trace(struct shell *shell, const char *what, const struct smtp_reply *reply)
{
	GP_ASSERT(buf_append_str(&shell->trace, what) == GP_OK);
	if (reply == NULL)
		return;
	GP_ASSERT(reply->code >= 200 && reply->code <= 599);
	GP_ASSERT(strlen(reply->enhanced) < sizeof reply->enhanced);
	for (const char *line = reply->text; line != NULL;) {
		size_t len = strcspn(line, "\n");

		GP_ASSERT(len <= REPLY_LINE_MAX && text_is_printable(slice_of(line, len)));
		line = line[len] == '\n' ? line + len + 1 : NULL;
	}
	GP_ASSERT(smtp_reply_append(&shell->trace, reply));
}

static void drain(struct shell *shell)
{
	struct buf *output = smtp_client_output(shell->client);
	struct slice said = buf_slice(output);

	GP_ASSERT(said.len == 0 || said.data[said.len - 1] == '\n');
	GP_ASSERT(buf_append(&shell->trace, said) == GP_OK);
	buf_clear(output);
}

static enum gp_err ask(struct shell *shell, enum smtp_command command)
{
	struct slice address = SLICE_LIT("a@example.test");

	switch (command) {
	case SMTP_COMMAND_MAIL:
		return smtp_client_mail(
			shell->client, address, SLICE_LIT("SIZE=1 BODY=8BITMIME RET=FULL"));
	case SMTP_COMMAND_RCPT:
		return smtp_client_rcpt(shell->client, address, SLICE_LIT("NOTIFY=NEVER"));
	case SMTP_COMMAND_DATA:
		return smtp_client_data(shell->client);
	case SMTP_COMMAND_BODY:
		return smtp_client_body_end(shell->client);
	case SMTP_COMMAND_RSET:
		return smtp_client_rset(shell->client);
	case SMTP_COMMAND_VRFY:
		return smtp_client_vrfy(shell->client, address);
	case SMTP_COMMAND_NOOP:
		return smtp_client_noop(shell->client);
	case SMTP_COMMAND_QUIT:
		return smtp_client_quit(shell->client);
	case SMTP_COMMAND_NONE:
	case SMTP_COMMAND_PART:
		break;
	}
	return GP_ERR_AGAIN;
}

/* Some commands, mostly in the order of a message. */
static void ask_some(struct shell *shell)
{
	static const enum smtp_command usual[] = { SMTP_COMMAND_MAIL, SMTP_COMMAND_RCPT,
		SMTP_COMMAND_RCPT, SMTP_COMMAND_DATA };

	for (unsigned i = 0; i < GP_ARRAY_LEN(usual) && shell->count < ASKED_MAX; i++) {
		enum smtp_command command = usual[i];
		enum gp_err err;

		shell->wishes = shell->wishes * 1664525U + 1013904223U;
		if (shell->is_data)
			command = SMTP_COMMAND_BODY;
		else if ((shell->wishes >> 24) % 8 == 0)
			command = (enum smtp_command)((shell->wishes >> 16) % 9);
		err = ask(shell, command);
		GP_ASSERT(err == GP_OK || err == GP_ERR_AGAIN || err == GP_ERR_LIMIT);
		if (err != GP_OK)
			continue;
		shell->is_data = false;
		shell->asked[shell->count++] = command;
		GP_ASSERT(smtp_client_owed(shell->client) == shell->count);
	}
}

static void on_reply(struct shell *shell, const struct smtp_client_event *event)
{
	GP_ASSERT(shell->is_ready && shell->count > 0 && event->reply != NULL);
	GP_ASSERT(event->reply->code != 421);
	if (event->command == SMTP_COMMAND_PART) {
		GP_ASSERT(shell->asked[0] == SMTP_COMMAND_BODY);
		trace(shell, "part ", event->reply);
		return;
	}
	GP_ASSERT(event->command == shell->asked[0]);
	shell->count--;
	memmove(shell->asked, shell->asked + 1, shell->count * sizeof shell->asked[0]);
	shell->is_data = event->command == SMTP_COMMAND_DATA && event->reply->code == 354;
	trace(shell, "reply ", event->reply);
	if (shell->count == 0)
		ask_some(shell);
}

static void perform(struct shell *shell, const struct smtp_client_event *event)
{
	GP_ASSERT(!shell->is_over);
	switch (event->type) {
	case ENGINE_EVENT_NONE:
		return;
	case ENGINE_EVENT_STARTTLS:
		trace(shell, "starttls\n", NULL);
		smtp_client_tls_started(shell->client);
		return;
	case ENGINE_EVENT_READY:
		GP_ASSERT(!shell->is_ready);
		shell->is_ready = true;
		trace(shell, "ready\n", NULL);
		ask_some(shell);
		return;
	case ENGINE_EVENT_REFUSED:
	case ENGINE_EVENT_FAILED:
		trace(shell, "failed ", event->reply);
		shell->is_over = true;
		return;
	case ENGINE_EVENT_REPLY:
		on_reply(shell, event);
		return;
	}
}

static void run(struct shell *shell, struct slice all, uint32_t seed, bool is_cut)
{
	size_t arrived = is_cut ? 0 : all.len;
	size_t start = 0;
	struct smtp_client_event event;

	while (!shell->is_over) {
		size_t used = smtp_client_input(
			shell->client, slice_from(slice_head(all, arrived), start), &event);

		GP_ASSERT(used <= arrived - start);
		start += used;
		drain(shell);
		perform(shell, &event);
		drain(shell);
		if (used > 0 || event.type != ENGINE_EVENT_NONE)
			continue;
		if (arrived == all.len)
			break;
		arrived += fuzz_piece(&seed);
		arrived = arrived < all.len ? arrived : all.len;
	}
	smtp_client_closed(shell->client, &event);
	GP_ASSERT(!shell->is_over || event.type == ENGINE_EVENT_NONE);
	/* Nobody is left waiting: while a reply is owed, but for QUIT's, the end is a fault. */
	GP_ASSERT(shell->is_over || shell->count == 0 || shell->asked[0] == SMTP_COMMAND_QUIT ||
		  event.type == ENGINE_EVENT_FAILED);
	GP_ASSERT(smtp_client_noop(shell->client) == GP_ERR_CLOSED);
}

static void begin(struct shell *shell, unsigned kind, unsigned wishes)
{
	const struct smtp_client_identity identity = {
		.address = (kind & 16) != 0 ? "2001:db8::9" : "192.0.2.9",
		.port = 50123,
		.login = "alice@example.test",
		.helo = (kind & 32) != 0 ? "client.example" : "\xc3\xa4\x01",
		.proto = "ESMTP",
	};
	const struct smtp_client_conf conf = {
		.is_lmtp = (kind & 1) != 0,
		.helo_name = "gatepost.example.test",
		.want_starttls = (kind & 2) != 0,
		.auth_user = (kind & 4) != 0 ? "gatepost" : NULL,
		.auth_password = SLICE_LIT("secret"),
		.identity = (kind & 8) != 0 ? &identity : NULL,
	};

	*shell = (struct shell){ .wishes = wishes };
	shell->client = smtp_client_new(&conf);
	buf_init(&shell->trace, TRACE_MAX);
}

static void end(struct shell *shell)
{
	smtp_client_free(&shell->client);
	buf_fini(&shell->trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	unsigned kind = fuzz_byte(&rest);
	unsigned wishes = fuzz_byte(&rest);
	unsigned seed = fuzz_byte(&rest);
	struct shell cut;
	struct shell whole;

	begin(&cut, kind, wishes);
	begin(&whole, kind, wishes);
	run(&cut, rest, seed, true);
	run(&whole, rest, seed, false);
	/* With STARTTLS it matters whether bytes came together with its 220. */
	if ((kind & 2) == 0)
		GP_ASSERT(slice_equal(buf_slice(&cut.trace), buf_slice(&whole.trace)));
	end(&cut);
	end(&whole);
	return 0;
}
