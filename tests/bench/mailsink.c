/* SPDX-License-Identifier: ISC */
/*
 * A mail server that costs next to nothing, to stand behind the proxies of the bench: any sign-in
 * is right, IMAP serves one message of SIZE bytes, SMTP swallows.
 *
 *	mailsink SIZE IMAP-PORT POP3-PORT SMTP-PORT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/slice.h"
#include "co.h"
#include "stream.h"

enum {
	TAG_SIZE = 64,
	TEXT_LINE = 78, /* of the message, with its CRLF */
};

#define IMAP_CAPABILITIES                                \
	"CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE " \
	"AUTH=PLAIN AUTH=OAUTHBEARER AUTH=XOAUTH2"

static char *message;
static size_t message_len;

static void make_message(size_t size)
{
	message = mem_new(size + TEXT_LINE, 1);
	while (message_len + TEXT_LINE <= size) {
		memset(message + message_len, 'y', TEXT_LINE - 2);
		memcpy(message + message_len + TEXT_LINE - 2, "\r\n", 2);
		message_len += TEXT_LINE;
	}
}

static bool answer(struct stream *stream, const char *untagged, const char *tag, const char *result)
{
	char out[1024];

	snprintf(out, sizeof out, "%s%s %s\r\n", untagged, tag, result);
	return stream_say(stream, out);
}

static bool fetch(struct stream *stream, const char *tag)
{
	char head[128];

	snprintf(head, sizeof head, "* 1 FETCH (UID 1 BODY[] {%zu}\r\n", message_len);
	return stream_say(stream, head) && stream_write(stream, message, message_len) &&
	       answer(stream, ")\r\n", tag, "OK done");
}

/* A SASL exchange of any mechanism: the initial response, if it is not there, is asked for. */
static bool swallow_sasl(struct stream *stream, struct slice arguments, const char *prompt)
{
	(void)slice_word(&arguments);
	if (slice_word(&arguments).len > 0)
		return true;
	return stream_say(stream, prompt) && stream_line(stream);
}

/* A literal at the line's end is taken and forgotten, with the line that goes on after it. */
static bool swallow_literals(struct stream *stream)
{
	for (;;) {
		struct slice line = slice_str(stream->line);
		ptrdiff_t brace = slice_find_last(line, '{');
		unsigned long long len;
		bool is_sync;

		if (line.len == 0 || line.data[line.len - 1] != '}' || brace < 0)
			return true;
		line = slice_head(
			slice_from(line, (size_t)brace + 1), line.len - (size_t)brace - 2);
		is_sync = slice_find(line, '+') < 0;
		if (!slice_to_u64(slice_head(line, line.len - (is_sync ? 0 : 1)), 65536, &len))
			return false;
		if ((is_sync && !stream_say(stream, "+ go on\r\n")) ||
			!stream_skip(stream, (size_t)len) || !stream_line(stream))
			return false;
	}
}

static bool imap_command(struct stream *stream, const char *tag, struct slice command)
{
	if (slice_starts_nocase(command, "AUTHENTICATE ")) {
		(void)slice_word(&command);
		return swallow_sasl(stream, command, "+ \r\n") &&
		       answer(stream, "", tag, "OK [CAPABILITY IMAP4rev1 IDLE] in");
	}
	if (slice_starts_nocase(command, "LOGIN "))
		return swallow_literals(stream) &&
		       answer(stream, "", tag, "OK [CAPABILITY IMAP4rev1 IDLE] in");
	if (slice_starts_nocase(command, "CAPABILITY"))
		return answer(stream, "* " IMAP_CAPABILITIES "\r\n", tag, "OK done");
	if (slice_starts_nocase(command, "ID "))
		return answer(stream, "* ID NIL\r\n", tag, "OK done");
	if (slice_starts_nocase(command, "SELECT "))
		return answer(stream, "* FLAGS (\\Seen)\r\n* 1 EXISTS\r\n* 0 RECENT\r\n", tag,
			"OK [READ-WRITE] done");
	if (slice_starts_nocase(command, "FETCH "))
		return fetch(stream, tag);
	if (slice_starts_nocase(command, "IDLE"))
		return stream_say(stream, "+ idling\r\n") && stream_line(stream) &&
		       answer(stream, "", tag, "OK done");
	if (slice_starts_nocase(command, "LOGOUT")) {
		(void)answer(stream, "* BYE\r\n", tag, "OK bye");
		return false;
	}
	return answer(stream, "", tag, "OK done");
}

static void serve_imap(struct stream *stream)
{
	bool goes_on = stream_say(stream, "* OK [" IMAP_CAPABILITIES "] ready\r\n");

	while (goes_on && stream_line(stream)) {
		struct slice command = slice_str(stream->line);
		char tag[TAG_SIZE];

		goes_on = slice_copy(slice_word(&command), tag, sizeof tag) &&
			  imap_command(stream, tag, slice_trim(command));
	}
}

static void serve_pop3(struct stream *stream)
{
	bool goes_on = stream_say(stream, "+OK ready\r\n");

	while (goes_on && stream_line(stream)) {
		struct slice command = slice_str(stream->line);

		if (slice_starts_nocase(command, "CAPA"))
			goes_on = stream_say(stream,
				"+OK\r\nUSER\r\nSASL PLAIN OAUTHBEARER XOAUTH2\r\nUIDL\r\n.\r\n");
		else if (slice_starts_nocase(command, "AUTH ")) {
			(void)slice_word(&command);
			goes_on = swallow_sasl(stream, command, "+ \r\n") &&
				  stream_say(stream, "+OK in\r\n");
		} else
			goes_on = stream_say(stream, "+OK\r\n") &&
				  !slice_starts_nocase(command, "QUIT");
	}
}

/* Up to CRLF.CRLF, which the bench's bodies hold at their end alone. */
static bool swallow_body(struct stream *stream)
{
	static const char end[] = "\r\n.\r\n";
	size_t matched = 2; /* the line before was DATA */

	while (matched < sizeof end - 1) {
		const char *from = stream->in + stream->at;
		size_t left = stream->len - stream->at;

		if (left == 0) {
			/* A byte is read by hand to fill the buffer. */
			if (!stream_skip(stream, 1))
				return false;
			stream->at--;
			continue;
		}
		if (matched == 0) {
			const char *found = memchr(from, '\r', left);

			stream->at = found == NULL ? stream->len : (size_t)(found + 1 - stream->in);
			matched = found == NULL ? 0 : 1;
		} else {
			stream->at++;
			matched = *from == end[matched] ? matched + 1 : *from == '\r';
		}
	}
	return true;
}

static bool smtp_command(struct stream *stream, struct slice command)
{
	if (slice_starts_nocase(command, "EHLO"))
		return stream_say(stream,
			"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n"
			"250 SIZE 100000000\r\n");
	if (slice_starts_nocase(command, "AUTH ")) {
		(void)slice_word(&command);
		return swallow_sasl(stream, command, "334 \r\n") &&
		       stream_say(stream, "235 2.7.0 ok\r\n");
	}
	if (slice_starts_nocase(command, "DATA"))
		return stream_say(stream, "354 go on\r\n") && swallow_body(stream) &&
		       stream_say(stream, "250 2.0.0 swallowed\r\n");
	if (slice_starts_nocase(command, "QUIT")) {
		(void)stream_say(stream, "221 2.0.0 bye\r\n");
		return false;
	}
	return stream_say(stream, "250 2.0.0 ok\r\n");
}

static void serve_smtp(struct stream *stream)
{
	bool goes_on = stream_say(stream, "220 sink ESMTP\r\n");

	while (goes_on && stream_line(stream))
		goes_on = smtp_command(stream, slice_str(stream->line));
}

struct service {
	void (*serve)(struct stream *stream);
	uint16_t port;
};

static void serve(struct stream *stream, const void *context)
{
	const struct service *service = context;

	service->serve(stream);
}

static void run_service(void *arg)
{
	const struct service *service = arg;

	stream_accept_all(stream_listen(service->port), serve, service);
}

int main(int argc, char **argv)
{
	static struct service services[] = { { serve_imap, 0 }, { serve_pop3, 0 },
		{ serve_smtp, 0 } };

	if (argc != 5) {
		fprintf(stderr, "usage: mailsink SIZE IMAP-PORT POP3-PORT SMTP-PORT\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	make_message(stream_number(argv[1], 1UL << 30));
	for (size_t i = 0; i < GP_ARRAY_LEN(services); i++) {
		services[i].port = (uint16_t)stream_number(argv[i + 2], UINT16_MAX);
		co_start(run_service, &services[i]);
	}
	co_loop();
	mem_free(message);
	return 0;
}
