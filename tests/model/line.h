/* SPDX-License-Identifier: ISC */
/*
 * A network without sockets: net/conn.h, event/loop.h and front/dialer.h on memory alone, so that
 * the SMTP half of a front runs as it is, in an order that the test decides. A line is one
 * connection, seen from the far end: the client, or a next hop.
 */
#ifndef GP_TEST_LINE_H
#define GP_TEST_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "net/conn.h"

enum {
	LINES_MAX = 256,
};

struct line {
	struct conn *conn; /* the front's end; NULL: not there yet, or gone */
	struct buf sent;   /* by the far end, not arrived */
	struct buf got;    /* from the front, not read by the far end */
	bool is_closing;   /* the far end closes once all it sent has arrived */
	bool is_dropped;   /* the front closed without finishing */
	bool is_finished;  /* the front said all it had to say */
	struct dial *dial; /* waits for line_answer_dial() */
};

/* The lines of this dialogue, in the order they were made. */
extern struct line lines[LINES_MAX];
extern size_t lines_count;

/* Ends all lines; the next dialogue begins. */
void lines_reset(void);
/* A new line whose number stands for its descriptor. */
int line_new(void);
/* What is sent has not arrived, and the front would take it now. */
bool line_can_arrive(const struct line *line);
/* At most this many bytes of it arrive. */
void line_arrive(struct line *line, size_t max);
/* The far end reads all it got. */
void line_take(struct line *line, struct buf *out);
bool line_can_close(const struct line *line);
void line_close(struct line *line);
void line_answer_dial(struct line *line, int errno_value);

/* Callbacks that are due, then what was deferred, as at the end of a loop's turn. */
void turn_run(void);

#endif
