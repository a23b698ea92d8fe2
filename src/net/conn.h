/* SPDX-License-Identifier: ISC */
/*
 * One stream connection: bounded input and output buffers, TLS that can start at any point, a
 * deadline. Process: front. Owner: a session; nobody else keeps a pointer.
 *
 * Input is pulled: on_input() says that conn_input() has grown, the owner parses and consumes. When
 * the input buffer is full, reading rests until something is consumed. Output is pushed by
 * conn_write() and refused past its cap, so the owner pauses its source at conn_output_len() > its
 * high-water mark and goes on in on_drained().
 *
 * Callbacks run from the loop, never from inside a call of the owner. After on_closed() no callback
 * follows; the owner then calls conn_free(), which is allowed inside any callback (the memory goes
 * at the end of the loop's turn).
 */
#ifndef GP_NET_CONN_H
#define GP_NET_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "event/loop.h"
#include "net/tls_ctx.h"

struct conn;

/* Why a connection ended, for on_closed(). */
enum conn_end {
	CONN_END_EOF,          /* the peer closed cleanly (TLS: with or without close_notify) */
	CONN_END_RESET,        /* read or write failed */
	CONN_END_TIMEOUT,      /* conn_set_deadline() passed */
	CONN_END_TLS,          /* handshake or record failed: conn_tls_error() */
	CONN_END_PLAIN_ON_TLS, /* TLS was awaited, but the first bytes are plain text */
	CONN_END_HTTP_ON_TLS,  /* the same, and they are an HTTP request */
};

struct conn_ops {
	void (*on_input)(struct conn *conn, void *owner);
	/* The waiting output fell to half of CONN_HIGH_WATER or less after having been above it, or
	 * to nothing. Not told of what conn_allow_early() let go. */
	void (*on_drained)(struct conn *conn, void *owner);
	/* The handshake that conn_starttls_*() began is complete; plain input before it is
	 * impossible. */
	void (*on_tls)(struct conn *conn, void *owner);
	void (*on_closed)(struct conn *conn, enum conn_end end, void *owner);
};

enum {
	CONN_HIGH_WATER = 64 * 1024,
	CONN_TLS_ERROR_SIZE = 128,
};

/*
 * Takes *fd (set to -1), a non-blocking stream socket; of TCP one with TCP_NODELAY, for writes are
 * gathered here already. input_max and output_max: caps in bytes. The
 * input buffer is wiped when given back (passwords pass through it).
 */
struct conn *conn_new(struct loop *loop, int *fd, const struct conn_ops *ops, void *owner,
	size_t input_max, size_t output_max);
/* Closes at once; unsent output is lost. */
void conn_free(struct conn **pconn);
/* Hands the connection to a new owner (login shell -> relay). Input that waits is told to it from
 * the loop. New caps apply to what comes. */
void conn_set_owner(struct conn *conn, const struct conn_ops *ops, void *owner, size_t input_max,
	size_t output_max);

/* Bytes received and not consumed; valid until the next conn_consume() or return to the loop. */
struct slice conn_input(const struct conn *conn);
void conn_consume(struct conn *conn, size_t n);
/* Stops and restarts reading from the socket; starts unpaused. Resuming calls on_input() from the
 * loop if input waits already. */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);

/* GP_ERR_LIMIT if the cap would be passed: nothing was taken. GP_ERR_CLOSED after an end. */
enum gp_err conn_write(struct conn *conn, struct slice bytes) GP_CHECKED;
size_t conn_output_len(const struct conn *conn);
/* No more reads or writes for the owner; sends what waits (CONN_FLUSH_MS at most, else
 * on_closed(TIMEOUT)), then TLS close_notify and shutdown; then on_closed(EOF) once the peer closed
 * too or CONN_LINGER_MS passed. Takes the place of a deadline. */
enum {
	CONN_FLUSH_MS = 30 * 1000,
	CONN_LINGER_MS = 2000,
};
void conn_finish(struct conn *conn);

/*
 * The one door to TLS, as server or client. Waiting plain input that was not consumed is an
 * injection attempt: GP_ERR_PROTOCOL, and the caller closes. Output written before goes out in
 * plain first. server_name (client): checked against the certificate and sent as SNI; NULL: not
 * checked.
 */
enum gp_err conn_starttls_server(struct conn *conn, struct tls_ctx *ctx) GP_CHECKED;
enum gp_err conn_starttls_client(
	struct conn *conn, struct tls_ctx *ctx, const char *server_name) GP_CHECKED;
/*
 * In the turn of conn_starttls_server(): what was written since then may leave before the handshake
 * is over, in one segment with the server's own part of it, if the client's TLS has that (1.3; RFC
 * 8446 section 4.4.4) and its first hello would do; else it leaves after on_tls(). The client's
 * last word in the handshake is still out, so nothing is known of it: it may not even be there, and
 * its hello be one that somebody has recorded. Therefore only what every stranger is told by
 * connecting, a greeting or the refusal of one: never a byte that a client caused to be written,
 * nothing of a session, and nothing after STARTTLS.
 */
void conn_allow_early(struct conn *conn);
bool conn_is_tls(const struct conn *conn); /* handshake complete */
/* "TLSv1.3"; "" without TLS: a constant. */
const char *conn_tls_version(const struct conn *conn);
/* Cipher name, "" without TLS. */
const char *conn_tls_cipher(const struct conn *conn);
/* Name the client asked for, lower case; "" if none. */
const char *conn_sni(const struct conn *conn);
/* What failed, one line; for CONN_END_TLS. */
const char *conn_tls_error(const struct conn *conn);

/* on_closed(TIMEOUT) in ms from now unless moved; 0 clears it. */
void conn_set_deadline(struct conn *conn, int64_t ms);

#endif
