/* SPDX-License-Identifier: ISC */
/* What conn.c (the owner's calls) and conn_io.c (the loop's) share. */
#ifndef GP_NET_CONN_PRIVATE_H
#define GP_NET_CONN_PRIVATE_H

#include "base/buf.h"
#include "net/conn.h"
#include "net/tls_stream.h"

enum phase {
	PHASE_PLAIN,
	PHASE_LAST_PLAIN,
	PHASE_HANDSHAKE,
	PHASE_TLS,
};

struct conn {
	struct loop *loop;
	const struct conn_ops *ops;
	void *owner;
	int fd;
	struct loop_io io;
	struct loop_timer timer; /* the deadline; after conn_finish() its own */
	struct loop_task task;
	struct buf input;
	struct buf output;
	struct slice view;   /* input in the scratch area, while on_input() runs */
	unsigned plain_left; /* LAST_PLAIN: bytes of output that go before the handshake */
	unsigned early_left; /* bytes of output after those that may go before it is over */
	struct tls_stream *tls;
	enum phase phase;
	unsigned read_waits;  /* the LOOP_ bits that reading (and the handshake) waits for */
	unsigned write_waits; /* the same of writing; 0 while nothing is blocked */
	enum conn_end end;
	bool is_paused;
	bool must_tell; /* input may wait that the owner shall be told of */
	bool was_high;  /* the waiting output has been above half of CONN_HIGH_WATER */
	bool is_ending; /* after what the socket has comes the end */
	bool has_eof;
	bool is_finishing;
	bool is_shut; /* finishing, and all is sent */
	bool has_ended;
	bool was_told; /* on_closed() called */
	bool is_dead;  /* conn_free() called; the task buries it */
};

/* Takes the descriptor under the loop's eyes. */
void conn_io_start(struct conn *conn);
/* At the end of this turn: what waits is told, sent, or ended. */
void conn_io_defer(struct conn *conn);
/* What is wanted of the loop may have become more. */
void conn_io_update_wanted(struct conn *conn);
/* Sends from the front of bytes until the socket is full; returns how much went. */
size_t conn_io_send(struct conn *conn, struct slice bytes);

#endif
