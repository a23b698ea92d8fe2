/* SPDX-License-Identifier: ISC */
/*
 * What the protocol engines share. An engine is sans-I/O: the shell (src/front) hands it the bytes
 * that have arrived, gets back how many were used and at most one action to perform, and sends what
 * stands in the engine's output. No socket, no clock, no TLS library: an engine runs from a text
 * file, from a fuzzer, and in a unit test.
 *
 * The shell's loop, for servers and clients alike:
 *
 *	do {
 *		used = xxx_input(engine, waiting bytes, &action);
 *		perform(action);              -- its slices borrow from the bytes and the engine
 *		send xxx_output(engine); drop the used bytes;
 *	} while (used > 0 || action.type != ENGINE_NONE);
 *
 * An action that asks something (SIGNIN, MAIL, ...) pauses the engine: xxx_input() then uses
 * nothing until the shell has answered. So there is never a queue of unparsed commands.
 *
 * A line is used whole or not at all, so the shell must be able to hold ENGINE_LINE_MAX + 2 bytes
 * of input that wait.
 *
 * Only CRLF ends a line. Output is bounded: an engine stops using input while its output is full.
 */
#ifndef GP_PROTO_ENGINE_H
#define GP_PROTO_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/terms.h"

enum {
	ENGINE_LINE_MAX = 12288, /* longest line taken: SASL in SMTP, RFC 4954 section 4 */
	ENGINE_CLIENT_NAME_SIZE = 128,
};

/* What a server engine asks its shell to do. The SMTP_* ones are for smtp_server alone. */
enum engine_action_type {
	ENGINE_NONE,     /* nothing: more input or an answer is needed */
	ENGINE_STARTTLS, /* send the output, then conn_starttls_server(); then xxx_tls_started() */
	ENGINE_SIGNIN,   /* .signin: ask core, then xxx_answer_signin() */
	ENGINE_NOTE,     /* .note: tell core; no answer */
	ENGINE_CLOSE,    /* send the output, then close */
	ENGINE_MAIL,     /* .path: envelope sender and parameters */
	ENGINE_RCPT,     /* .path: recipient and parameters */
	ENGINE_DATA,     /* all earlier replies are out and a recipient was accepted */
	ENGINE_BODY, /* .bytes: part of the message as on the wire (dots still doubled); no answer
		      */
	ENGINE_BODY_END, /* the message is complete; the answer is the next hop's reply to it */
	ENGINE_RSET, /* the transaction, if any, is off; no answer: the engine has replied 250 */
	ENGINE_VRFY, /* .bytes: the argument */
};

struct engine_signin {
	enum mechanism mechanism;
	struct slice login;  /* as typed */
	struct slice secret; /* wiped by the engine at xxx_answer_signin() */
};

struct engine_path {
	struct slice address; /* without <>; "" for the null sender */
	struct slice params; /* as typed, checked and known: "SIZE=100 BODY=8BITMIME"; "" if none */
	uint64_t size;       /* of MAIL: SIZE=, 0 if not given */
};

struct engine_note {
	enum reason reason;
	struct slice detail;
};

struct engine_action {
	enum engine_action_type type;
	union {
		struct engine_signin signin;
		struct engine_path path;
		struct engine_note note;
		struct slice bytes;
	};
};

/* The answer to ENGINE_SIGNIN. */
struct engine_answer {
	enum verdict verdict;
	struct slice capabilities; /* IMAP, VERDICT_OK: what the backend offers, space-separated;
				      else "" */
	struct slice text;         /* VERDICT_OK: the backend's own words, "" for ours */
	unsigned ban_minutes;      /* VERDICT_BANNED, VERDICT_DENY_BANNED: rounded up */
	uint64_t ban_reference;    /* likewise */
};

/* What is the same for every connection of a listener; borrowed, outlives the engine. */
struct engine_server_conf {
	const char *hostname;   /* in greetings */
	const char *portal_url; /* in replies */
	enum service service;
	struct slice client_address; /* text, for the ban replies; borrowed as long as the engine
					lives */
	unsigned ban_failures;       /* number in the ban reply */
	bool can_starttls;           /* offer it until it is done */
	bool is_tls;                 /* implicit TLS, already up */
	bool plaintext_signin;       /* may sign in without TLS (listed network) */
	bool old_clients;            /* AUTH= line, RFC 2554's predecessor */
	bool is_banned;         /* SMTP, service smtp: serves mail for own domains, refuses AUTH */
	unsigned ban_minutes;   /* is_banned: left, rounded up */
	uint64_t ban_reference; /* is_banned: the ban's */
	uint64_t reference;     /* of all other refusals of this connection; 0: none is told */
	unsigned max_commands;  /* before sign-in */
	unsigned max_attempts;  /* sign-ins tried */
};

/* What a client engine (towards a backend) tells its shell. */
enum engine_event_type {
	ENGINE_EVENT_NONE,
	ENGINE_EVENT_STARTTLS, /* conn_starttls_client(), then xxx_tls_started() */
	ENGINE_EVENT_READY,    /* signed in (IMAP, POP3), or a next hop that takes MAIL (SMTP) */
	ENGINE_EVENT_REFUSED,  /* .reply: the backend said no to the credential */
	ENGINE_EVENT_FAILED,   /* .reply or "": down, busy, babbling, wrong protocol: a temporary
				  fault */
	ENGINE_EVENT_REPLY,    /* SMTP: .reply to the oldest command without one */
};

#endif
