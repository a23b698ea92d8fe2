/* SPDX-License-Identifier: ISC */
/*
 * Runs SMTP dialogues through the SMTP half of a front, its own code from session.c down to the
 * engines, without a kernel between: the network is line.c, core is core.c, the next hops are
 * next_hop.c. A dialogue is played in an order that its seed decides: how bytes are cut, who
 * answers when, what waits.
 *
 * Standard input, for each dialogue a line and the client's bytes:
 *	NAME SERVICE SEED CUT FLAGS DIAL MAIL RCPT DATA END LENGTH
 * CUT: whole, byte, line (each awaits its answer), any. FLAGS: letters of l (next hop "a" is LMTP),
 * n (it has no PIPELINING), g (the client is gone at the end of its bytes), s (time passes, so that
 * connections to next hops rest), or "-". DIAL: letters,
 * f for a connection that fails. The others: next_hop.h; "-" for none.
 *
 * Standard output for each:
 *	NAME MESSAGES RECIPIENTS OPEN FAULT LENGTH DELIVERED METERED
 * MESSAGES and RECIPIENTS as core counted them; OPEN: 1 if the connection lived on; FAULT: "-" or
 * what went wrong, spaces as "_"; METERED: recipients by the books of core.h; then what the client
 * was told (LENGTH bytes) and what was delivered (DELIVERED bytes, next_hop.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core.h"
#include "front/dialer.h"
#include "front/session.h"
#include "front/smtp_pool.h"
#include "next_hop.h"

enum {
	HEAD_MAX = 1024,
	BYTES_MAX = 16 * 1024 * 1024,
	STEPS_MAX = 2000000,
	CHOICES_MAX = 3 * LINES_MAX + 4,
};

static const char config_text[] = "hostname = \"mail.example.test\"\n"
				  "portal_url = \"https://mail.example.test/\"\n"
				  "state_dir = \"/nonexistent\"\n"
				  "message_recipients = 5\n"
				  "message_size = 200000\n"
				  "login_commands = 1000\n"
				  "listener \"smtp\" { service = smtp\n"
				  " plaintext_networks = {\"0.0.0.0/1\", \"128.0.0.0/1\"} }\n"
				  "listener \"submission\" { service = submission\n"
				  " plaintext_networks = {\"0.0.0.0/1\", \"128.0.0.0/1\"} }\n"
				  "backend \"a\" { protocol = smtp\n hosts = {\"127.0.0.1:25\"} }\n"
				  "backend \"b\" { protocol = smtp\n hosts = {\"127.0.0.1:26\"} }\n"
				  "route \"*\" { smtp = \"a\" }\n";

enum cut {
	CUT_WHOLE,
	CUT_BYTE,
	CUT_LINE,
	CUT_ANY
};

struct dialogue {
	char name[64];
	unsigned listener;
	uint64_t random;
	enum cut cut;
	bool is_lmtp;
	bool is_gone;
	bool is_slow;
	char dial[64];
	unsigned dialed;
	struct next_hop_script script;
	struct buf bytes;
	size_t at;
	struct buf told;
	struct child child;
	struct front front;
	struct core_link core;
	struct next_hop *hops[LINES_MAX]; /* by line; 0 is the client */
};

static unsigned choose(struct dialogue *dialogue, size_t count)
{
	uint64_t x = dialogue->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	dialogue->random = x;
	return (unsigned)((x >> 16) % count);
}

/* ---- what can happen next ---- */

enum happening {
	EVENT_ARRIVE,
	EVENT_CLOSE,
	EVENT_READ,
	EVENT_DIAL,
	EVENT_CORE,
	EVENT_CLIENT,
};

struct choice {
	enum happening event;
	size_t line;
};

static size_t add_line(const struct dialogue *dialogue, size_t n, struct choice *choices)
{
	const struct line *line = &lines[n];
	size_t count = 0;

	if (line_can_arrive(line))
		choices[count++] = (struct choice){ EVENT_ARRIVE, n };
	if (line_can_close(line))
		choices[count++] = (struct choice){ EVENT_CLOSE, n };
	if (dialogue->hops[n] != NULL && next_hop_can_read(dialogue->hops[n]))
		choices[count++] = (struct choice){ EVENT_READ, n };
	if (line->dial != NULL)
		choices[count++] = (struct choice){ EVENT_DIAL, n };
	return count;
}

static size_t list_choices(const struct dialogue *dialogue, struct choice *choices)
{
	size_t count = 0;

	for (size_t n = 0; n < lines_count; n++)
		count += add_line(dialogue, n, choices + count);
	if (dialogue->core.has_answer)
		choices[count++] = (struct choice){ EVENT_CORE, 0 };
	if (dialogue->at < dialogue->bytes.len && lines[0].conn != NULL &&
		(dialogue->cut != CUT_LINE || count == 0))
		choices[count++] = (struct choice){ EVENT_CLIENT, 0 };
	return count;
}

static size_t piece_len(struct dialogue *dialogue)
{
	struct slice rest = slice_from(buf_slice(&dialogue->bytes), dialogue->at);
	ptrdiff_t end;

	switch (dialogue->cut) {
	case CUT_WHOLE:
		return rest.len;
	case CUT_BYTE:
		return 1;
	case CUT_LINE:
		end = slice_find(rest, '\n');
		return end >= 0 ? (size_t)end + 1 : rest.len;
	case CUT_ANY:
		break;
	}
	return 1 + choose(dialogue, choose(dialogue, 4) == 0 ? 8 : 200);
}

static void send_client(struct dialogue *dialogue)
{
	struct slice rest = slice_from(buf_slice(&dialogue->bytes), dialogue->at);
	struct slice piece = slice_head(rest, piece_len(dialogue));

	if (dialogue->is_slow)
		clock_fake(clock_wall(), clock_steady() + 2 * SMTP_HOP_FRESH_MS);
	GP_ASSERT(buf_append(&lines[0].sent, piece) == GP_OK);
	dialogue->at += piece.len;
	lines[0].is_closing = dialogue->is_gone && dialogue->at == dialogue->bytes.len;
}

static void dial(struct dialogue *dialogue, size_t n)
{
	unsigned number = dialogue->dialed++;
	bool fails = number < strlen(dialogue->dial) && dialogue->dial[number] == 'f';
	bool is_a = lines[n].dial->request == 0;

	if (!fails)
		dialogue->hops[n] =
			next_hop_new(&dialogue->script, &lines[n], is_a && dialogue->is_lmtp);
	line_answer_dial(&lines[n], fails ? 111 : 0);
}

static void perform(struct dialogue *dialogue, struct choice choice)
{
	struct line *line = &lines[choice.line];
	bool is_whole = dialogue->cut == CUT_WHOLE || dialogue->cut == CUT_LINE;

	switch (choice.event) {
	case EVENT_ARRIVE:
		line_arrive(line, is_whole ? SIZE_MAX : 1 + choose(dialogue, 100));
		break;
	case EVENT_CLOSE:
		line_close(line);
		break;
	case EVENT_READ:
		next_hop_read(dialogue->hops[choice.line]);
		break;
	case EVENT_DIAL:
		dial(dialogue, choice.line);
		break;
	case EVENT_CORE:
		core_answer(&dialogue->core);
		break;
	case EVENT_CLIENT:
		send_client(dialogue);
		break;
	}
}

static void play(struct dialogue *dialogue)
{
	static struct choice choices[CHOICES_MAX];

	for (unsigned steps = 0;; steps++) {
		size_t count = list_choices(dialogue, choices);

		if (count == 0)
			return;
		if (steps == STEPS_MAX) {
			dialogue->script.fault = "it does not end";
			return;
		}
		perform(dialogue, choices[choose(dialogue, count)]);
		turn_run();
		line_take(&lines[0], &dialogue->told);
		turn_run();
	}
}

/* ---- a dialogue ---- */

static const char *fault_of(struct dialogue *dialogue)
{
	const char *fault =
		dialogue->core.fault != NULL ? dialogue->core.fault : dialogue->script.fault;
	static char text[128];

	if (fault == NULL)
		return "-";
	(void)snprintf(text, sizeof text, "%s", fault);
	for (char *at = text; *at != '\0'; at++)
		*at = *at == ' ' ? '_' : *at;
	return text;
}

static void report(struct dialogue *dialogue, bool is_open)
{
	const struct buf *delivered = &dialogue->script.delivered;
	struct slice told = buf_slice(&dialogue->told);

	printf("%s %u %u %d %s %zu %zu %u\n", dialogue->name, dialogue->core.messages,
		dialogue->core.recipients, is_open, fault_of(dialogue), told.len, delivered->len,
		dialogue->core.metered);
	GP_ASSERT(told.len == 0 || fwrite(told.data, 1, told.len, stdout) == told.len);
	GP_ASSERT(delivered->len == 0 ||
		  fwrite(buf_slice(delivered).data, 1, delivered->len, stdout) == delivered->len);
}

static void run(struct dialogue *dialogue, struct settings *settings)
{
	struct haproxy_header peer = { .client_port = 4000 };
	struct front *front = &dialogue->front;
	bool is_open;
	int fd;

	GP_ASSERT(ip_parse(SLICE_LIT("192.0.2.7"), &peer.client) == GP_OK);
	GP_ASSERT(ip_parse(SLICE_LIT("192.0.2.1"), &peer.local) == GP_OK);
	dialogue->core.front = front;
	front->child = &dialogue->child;
	front->settings = settings;
	front->core = &dialogue->core;
	front->sessions = session_table_new(front->loop);
	front->hops = smtp_pool_new(front);
	fd = line_new();
	session_new(front, settings, dialogue->listener, &fd, &peer);
	line_take(&lines[0], &dialogue->told);
	play(dialogue);
	is_open = lines[0].conn != NULL;
	/* The client goes; what the next hop still owes is awaited. */
	lines[0].is_closing = true;
	play(dialogue);
	smtp_pool_free(&front->hops);
	turn_run();
	if (session_count(front) > 0)
		dialogue->script.fault = "the session does not end";
	else
		session_table_free(&front->sessions);
	report(dialogue, is_open);
	for (size_t n = 0; n < LINES_MAX; n++)
		next_hop_free(&dialogue->hops[n]);
	lines_reset();
}

static void copy_letters(char *out, size_t size, const char *word)
{
	if (strcmp(word, "-") != 0)
		GP_ASSERT(slice_copy(slice_str(word), out, size));
}

/* false: the end of the input. */
static bool read_dialogue(struct dialogue *dialogue)
{
	static const char *const cuts[] = { "whole", "byte", "line", "any" };
	char head[HEAD_MAX];
	char service[16];
	char cut[16];
	char flags[16];
	char dial_letters[64];
	char letters[NEXT_HOP_VERBS][64];
	size_t len;

	if (fgets(head, sizeof head, stdin) == NULL)
		return false;
	GP_ASSERT(sscanf(head, "%63s %15s %lu %15s %15s %63s %63s %63s %63s %63s %zu",
			  dialogue->name, service, &dialogue->random, cut, flags, dial_letters,
			  letters[0], letters[1], letters[2], letters[3], &len) == 11);
	dialogue->listener = strcmp(service, "submission") == 0;
	dialogue->random |= 1;
	for (size_t i = 0; i < GP_ARRAY_LEN(cuts); i++) {
		if (strcmp(cut, cuts[i]) == 0)
			dialogue->cut = (enum cut)i;
	}
	dialogue->is_lmtp = strchr(flags, 'l') != NULL;
	dialogue->is_slow = strchr(flags, 's') != NULL;
	dialogue->is_gone = strchr(flags, 'g') != NULL;
	dialogue->script.has_pipelining = strchr(flags, 'n') == NULL;
	copy_letters(dialogue->dial, sizeof dialogue->dial, dial_letters);
	for (size_t i = 0; i < NEXT_HOP_VERBS; i++)
		copy_letters(dialogue->script.letters[i], sizeof letters[i], letters[i]);
	GP_ASSERT(buf_reserve(&dialogue->bytes, len + 1) == GP_OK);
	GP_ASSERT(fread(buf_tail(&dialogue->bytes), 1, len, stdin) == len);
	buf_added(&dialogue->bytes, len);
	return true;
}

int main(void)
{
	struct config *config = NULL;
	struct settings *settings = NULL;
	struct config_error error = { "" };
	struct gp_why why = { "" };
	bool goes_on = true;

	log_set_level(LOG_LEVEL_FATAL);
	clock_fake(1790000000, 1000000);
	if (config_parse(slice_str(config_text), "model.conf", &config, &error) != GP_OK ||
		settings_new(config, NULL, 0, &settings, &why) != GP_OK) {
		(void)fprintf(stderr, "%s%s\n", error.text, why.text);
		return EXIT_FAILURE;
	}
	while (goes_on) {
		struct dialogue *dialogue = mem_new(1, sizeof *dialogue);

		buf_init(&dialogue->bytes, BYTES_MAX);
		buf_init(&dialogue->told, BYTES_MAX);
		buf_init(&dialogue->script.delivered, BYTES_MAX);
		goes_on = read_dialogue(dialogue);
		if (goes_on) {
			/* LMTP is a property of the connection; the rest of the front need not
			 * know. */
			config->backends[0].protocol =
				dialogue->is_lmtp ? CONFIG_BACKEND_LMTP : CONFIG_BACKEND_SMTP;
			settings->backends[0].has_caps = false;
			settings->backends[1].has_caps = false;
			run(dialogue, settings);
		}
		buf_fini(&dialogue->bytes);
		buf_fini(&dialogue->told);
		buf_fini(&dialogue->script.delivered);
		mem_free(dialogue);
	}
	settings_release(&settings);
	config_free(&config);
	return EXIT_SUCCESS;
}
