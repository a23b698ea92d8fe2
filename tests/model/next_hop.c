/* SPDX-License-Identifier: ISC */
#include "next_hop.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

enum {
	NAMES_MAX = 64 * 1024,
	INPUT_MAX = 16 * 1024 * 1024,
	LINE_LIMIT = 4096,
	RECIPIENTS_MAX = 1000,
};

struct next_hop {
	struct next_hop_script *script;
	struct line *line;
	bool is_lmtp;
	bool is_greeted;
	bool has_mail;
	bool is_in_body;
	unsigned recipients;
	struct buf input;
	struct buf sender;
	struct buf names; /* recipients, separated by commas */
};

static void say(struct next_hop *hop, const char *text)
{
	GP_ASSERT(buf_append_str(&hop->line->sent, text) == GP_OK);
	GP_ASSERT(buf_append_str(&hop->line->sent, "\r\n") == GP_OK);
}

static void fault(struct next_hop *hop, const char *what)
{
	if (hop->script->fault == NULL)
		hop->script->fault = what;
	hop->line->is_closing = true;
}

static void forget(struct next_hop *hop)
{
	hop->has_mail = false;
	hop->is_in_body = false;
	hop->recipients = 0;
	buf_clear(&hop->sender);
	buf_clear(&hop->names);
}

struct next_hop *next_hop_new(struct next_hop_script *script, struct line *line, bool is_lmtp)
{
	struct next_hop *hop = mem_new(1, sizeof *hop);

	hop->script = script;
	hop->line = line;
	hop->is_lmtp = is_lmtp;
	buf_init(&hop->input, INPUT_MAX);
	buf_init(&hop->sender, NAMES_MAX);
	buf_init(&hop->names, NAMES_MAX);
	say(hop, "220 hop.example.test ESMTP");
	return hop;
}

void next_hop_free(struct next_hop **phop)
{
	struct next_hop *hop = *phop;

	*phop = NULL;
	if (hop == NULL)
		return;
	buf_fini(&hop->input);
	buf_fini(&hop->sender);
	buf_fini(&hop->names);
	mem_free(hop);
}

/* Says what the script says; true: it accepted. */
static bool follow(struct next_hop *hop, enum next_hop_verb verb)
{
	static const char *const names[] = { "mail", "rcpt", "data", "end" };
	static const char *const classes[] = { "1.0", "1.5", "0.0", "0.0" };
	struct next_hop_script *script = hop->script;
	unsigned number = script->used[verb];
	char letter = number < strlen(script->letters[verb]) ? script->letters[verb][number] : 'a';
	bool is_data = verb == NEXT_HOP_DATA;
	char text[256];

	script->used[verb]++;
	switch (letter) {
	case 'm':
		(void)snprintf(text, sizeof text, "%s%s%s %s %u\r\n%s more",
			is_data ? "354-" : "250-2.", is_data ? "" : classes[verb],
			is_data ? "go" : "", names[verb], number, is_data ? "354" : "250");
		break;
	case 't':
		(void)snprintf(text, sizeof text, "450 4.%s later %s %u", classes[verb],
			names[verb], number);
		break;
	case 'p':
		(void)snprintf(
			text, sizeof text, "550 5.%s no %s %u", classes[verb], names[verb], number);
		break;
	case 'c':
		(void)snprintf(text, sizeof text, "421 4.3.2 closing %s %u", names[verb], number);
		break;
	case 'w':
		(void)snprintf(text, sizeof text, "%u odd %s %u", is_data ? 250 : 354, names[verb],
			number);
		break;
	case 'b':
		(void)snprintf(text, sizeof text, "HTTP/1.1 200 OK");
		break;
	case 'x':
		hop->line->is_closing = true;
		return false;
	default:
		(void)snprintf(text, sizeof text, "%s%s%s %s %u", is_data ? "354 " : "250 2.",
			is_data ? "" : classes[verb], is_data ? "go" : "", names[verb], number);
		break;
	}
	say(hop, text);
	hop->line->is_closing = strchr("bcdw", letter) != NULL;
	return letter == 'a' || letter == 'm';
}

/* ---- commands ---- */

/* The address in "VERB:<address> parameters". */
static bool take_address(struct slice line, const char *verb, struct slice *ret_address)
{
	ptrdiff_t end = slice_find_last(line, '>');

	if (!slice_starts_nocase(line, verb) || end < (ptrdiff_t)strlen(verb))
		return false;
	*ret_address = slice_from(slice_head(line, (size_t)end), strlen(verb));
	return true;
}

static void on_mail(struct next_hop *hop, struct slice line)
{
	struct slice address;

	if (!take_address(line, "MAIL FROM:<", &address)) {
		fault(hop, "a MAIL that is none");
		return;
	}
	if (hop->has_mail) {
		fault(hop, "MAIL within a transaction");
		return;
	}
	if (!follow(hop, NEXT_HOP_MAIL))
		return;
	hop->has_mail = true;
	GP_ASSERT(buf_append(&hop->sender, address) == GP_OK);
}

static void on_rcpt(struct next_hop *hop, struct slice line)
{
	struct slice address;

	if (!take_address(line, "RCPT TO:<", &address)) {
		fault(hop, "a RCPT that is none");
		return;
	}
	if (!hop->has_mail) {
		say(hop, "503 5.5.1 MAIL first");
		return;
	}
	if (!follow(hop, NEXT_HOP_RCPT))
		return;
	hop->recipients++;
	GP_ASSERT(buf_append(&hop->names, address) == GP_OK);
	GP_ASSERT(buf_append_byte(&hop->names, ',') == GP_OK);
}

static void on_data(struct next_hop *hop)
{
	if (hop->recipients == 0) {
		/* Pipelined with recipients that were all refused; else they should have been
		 * awaited. */
		if (!hop->script->has_pipelining)
			fault(hop, "DATA without a recipient");
		say(hop, "503 5.5.1 RCPT first");
		return;
	}
	hop->is_in_body = follow(hop, NEXT_HOP_DATA);
}

static void on_hello(struct next_hop *hop)
{
	hop->is_greeted = true;
	forget(hop);
	say(hop, "250-hop.example.test");
	if (hop->script->has_pipelining)
		say(hop, "250-PIPELINING");
	say(hop, "250-8BITMIME");
	say(hop, "250-SMTPUTF8");
	say(hop, "250-DSN");
	say(hop, "250 ENHANCEDSTATUSCODES");
}

static void on_line(struct next_hop *hop, struct slice line, bool is_followed)
{
	struct slice rest = line;
	struct slice verb = slice_word(&rest);
	bool is_mail = slice_is(verb, "MAIL");
	bool is_rcpt = slice_is(verb, "RCPT");
	bool is_rset = slice_is(verb, "RSET");

	if (is_followed && !(hop->script->has_pipelining && (is_mail || is_rcpt || is_rset))) {
		fault(hop, "bytes behind a command that nothing may follow");
		return;
	}
	if (slice_is(verb, hop->is_lmtp ? "LHLO" : "EHLO")) {
		on_hello(hop);
	} else if (!hop->is_greeted) {
		fault(hop, "a command before EHLO");
	} else if (is_mail) {
		on_mail(hop, line);
	} else if (is_rcpt) {
		on_rcpt(hop, line);
	} else if (slice_is(line, "DATA")) {
		on_data(hop);
	} else if (slice_is(line, "RSET")) {
		forget(hop);
		say(hop, "250 2.0.0 reset");
	} else if (slice_is(verb, "VRFY")) {
		say(hop, "252 2.5.2 perhaps");
	} else if (slice_is(line, "QUIT")) {
		say(hop, "221 2.0.0 bye");
		hop->line->is_closing = true;
	} else {
		fault(hop, "an unknown command");
	}
}

/* ---- messages ---- */

/* Anything in a message that another server could read as a line's end. */
static bool is_ambiguous(struct slice message)
{
	for (size_t i = 0; i < message.len; i++) {
		char byte = message.data[i];

		if (byte == '\0' ||
			(byte == '\r' && (i + 1 == message.len || message.data[i + 1] != '\n')) ||
			(byte == '\n' && (i == 0 || message.data[i - 1] != '\r')))
			return true;
	}
	return false;
}

static void deliver(struct next_hop *hop, struct slice message, struct slice names)
{
	GP_ASSERT(buf_printf(&hop->script->delivered, "deliver <%.*s> %.*s %zu\n",
			  SLICE_ARG(buf_slice(&hop->sender)), SLICE_ARG(names),
			  message.len) == GP_OK);
	GP_ASSERT(buf_append(&hop->script->delivered, message) == GP_OK);
}

/* One reply for each recipient; the message goes to those that were accepted. */
static void end_lmtp(struct next_hop *hop, struct slice message)
{
	struct slice rest = buf_slice(&hop->names);
	struct buf taken;

	buf_init(&taken, NAMES_MAX);
	while (rest.len > 0 && !hop->line->is_closing) {
		size_t len = (size_t)slice_find(rest, ',') + 1;

		if (follow(hop, NEXT_HOP_END))
			GP_ASSERT(buf_append(&taken, slice_head(rest, len)) == GP_OK);
		rest = slice_from(rest, len);
	}
	if (taken.len > 0)
		deliver(hop, message, buf_slice(&taken));
	buf_fini(&taken);
}

static void on_message(struct next_hop *hop, struct slice message)
{
	if (is_ambiguous(message))
		fault(hop, "a message with a bare CR, a bare LF or a NUL");
	else if (hop->is_lmtp)
		end_lmtp(hop, message);
	else if (follow(hop, NEXT_HOP_END))
		deliver(hop, message, buf_slice(&hop->names));
	forget(hop);
}

/* Bytes of the message and of the line with the dot behind it; 0: not all is there. */
static size_t message_end(struct slice bytes, size_t *ret_len)
{
	const char *dot;

	if (bytes.len >= 3 && memcmp(bytes.data, ".\r\n", 3) == 0) {
		*ret_len = 0;
		return 3;
	}
	dot = bytes.len > 0 ? memmem(bytes.data, bytes.len, "\r\n.\r\n", 5) : NULL;
	if (dot == NULL)
		return 0;
	*ret_len = (size_t)(dot - bytes.data) + 2;
	return *ret_len + 3;
}

/* A whole command, or a whole message, is there. */
static bool is_whole(const struct next_hop *hop)
{
	struct slice bytes = buf_slice(&hop->input);
	size_t len;

	return hop->is_in_body ? message_end(bytes, &len) > 0 : slice_find(bytes, '\n') >= 0;
}

bool next_hop_can_read(const struct next_hop *hop)
{
	return !hop->line->is_closing && (hop->line->got.len > 0 || is_whole(hop));
}

static size_t read_message(struct next_hop *hop, struct slice bytes)
{
	size_t len = 0;
	size_t used = message_end(bytes, &len);

	if (used < bytes.len)
		fault(hop, "bytes behind the end of a message");
	else
		on_message(hop, slice_head(bytes, len));
	return used;
}

static size_t read_line(struct next_hop *hop, struct slice bytes)
{
	size_t len = (size_t)slice_find(bytes, '\n');

	if (len == 0 || bytes.data[len - 1] != '\r' || len > LINE_LIMIT ||
		memchr(bytes.data, '\0', len) != NULL || memchr(bytes.data, '\r', len - 1) != NULL)
		fault(hop, "a line that is none");
	else
		on_line(hop, slice_head(bytes, len - 1), len + 1 < bytes.len);
	return len + 1;
}

void next_hop_read(struct next_hop *hop)
{
	struct slice bytes;

	line_take(hop->line, &hop->input);
	bytes = buf_slice(&hop->input);
	if (is_whole(hop))
		buf_consume(&hop->input,
			hop->is_in_body ? read_message(hop, bytes) : read_line(hop, bytes));
}
