/* SPDX-License-Identifier: ISC */
/*
 * Runs dialogues from text files against an engine, so that a protocol can be read, and a case
 * added, without reading C. One item a line:
 *
 *	# comment, and empty lines
 *	SET: name value     configuration; these come first
 *	C: text             a line of the client
 *	S: text             a line of the server
 *	TELL: words         the shell's answer to what the engine has asked, handed to the engine
 *	LEFT: text          bytes the engine has not used, exactly these; they are dropped
 *	anything else       an action of the engine, as its runner writes it: "CLOSE", "STARTTLS",
 *	                    "ASK: SIGNIN plain alice@example.test secret"
 *
 * In C:, S: and LEFT: a CRLF is added; \r \n \0 \\ \xHH stand for bytes, and a line that ends in
 * one lone backslash gets no CRLF. For a server engine C: is what it is fed and S: what it must
 * say; for a client engine it is the other way round. Fed lines that follow each other arrive
 * together. What the engine says must be what is written, to the byte, nothing more and in this
 * order; likewise its actions.
 *
 * Every file runs three times: as written, a byte at a time, and in odd pieces; the outcome must be
 * the same.
 */
#ifndef GP_TESTS_TRANSCRIPT_H
#define GP_TESTS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

/* A protocol's runner: makes engines, and writes their actions as lines. */
struct transcript_engine {
	void *(*create)(void); /* the runner's state; the engine itself comes with start() */
	void (*destroy)(void *state);
	bool (*set)(void *state, const char *name, const char *value); /* false: unknown */
	void (*start)(void *state);                                    /* all SET lines are read */
	bool (*is_client)(const void *state);
	/* Gives bytes to the engine, appends its action, if any, to ret_action as one line without
	 * line end (at most 4 KiB), and returns how many bytes were used. */
	size_t (*input)(void *state, struct slice bytes, struct buf *ret_action);
	struct buf *(*output)(void *state); /* what the engine says; consumed by the caller */
	/* The expected action was seen: for what the shell does by itself (TLS is up now). */
	void (*performed)(void *state, const char *action);
	bool (*tell)(void *state, const char *words); /* false: not understood */
};

/* Runs the files and, in order of name, the *.txt files of folders in argv[1..]. Returns main()'s
 * exit code; what failed is on standard error. No file at all is a failure. */
int transcript_main(const struct transcript_engine *engine, int argc, char **argv);

#endif
