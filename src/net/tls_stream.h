/* SPDX-License-Identifier: ISC */
/*
 * TLS over a non-blocking stream socket: what conn.c needs of OpenSSL and nothing more. Reads and
 * writes the descriptor itself, without SIGPIPE. Process: front. Owner: a conn; the descriptor
 * stays the owner's.
 */
#ifndef GP_NET_TLS_STREAM_H
#define GP_NET_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"
#include "net/tls_ctx.h"

struct tls_stream;

enum tls_step {
	TLS_STEP_DONE,
	TLS_STEP_WANT_READ,  /* again when the socket is readable */
	TLS_STEP_WANT_WRITE, /* again when it is writable */
	TLS_STEP_EOF,        /* the peer closed */
	TLS_STEP_RESET,      /* the socket failed */
	TLS_STEP_FAILED,     /* TLS failed: tls_stream_error() */
	TLS_STEP_PLAIN,      /* server, handshake: the first bytes are plain text */
	TLS_STEP_HTTP,       /* the same, an HTTP request */
	TLS_STEP_EARLY,      /* server, handshake: tls_stream_set_early() */
};

struct tls_stream *tls_stream_new_server(struct tls_ctx *ctx, int fd);
/* server_name: see conn_starttls_client(). GP_ERR_SYNTAX if it can be no name. */
enum gp_err tls_stream_new_client(struct tls_ctx *ctx, int fd, const char *server_name,
	struct tls_stream **ret_stream) GP_CHECKED;
void tls_stream_free(struct tls_stream **pstream);

/* Whether the socket may be asked for more: yes once it is reported readable, until it comes back
 * short or the caller has had enough for one turn of the loop. */
void tls_stream_set_readable(struct tls_stream *stream, bool is_readable);

/* What it writes is held, and so is what is written after it: the caller ends its turn with
 * tls_stream_flush(), whatever came out. */
enum tls_step tls_stream_handshake(struct tls_stream *stream);
/*
 * Server, before the first tls_stream_handshake(): this comes back once with TLS_STEP_EARLY if the
 * client speaks TLS 1.3 and its first hello would do, when the server has said all of its own part
 * and nothing is known of the client yet (RFC 8446 section 4.4.4). One tls_stream_write() may
 * follow, then the handshake goes on. Early data of clients stay refused.
 */
void tls_stream_set_early(struct tls_stream *stream);
/* One record at most. *ret_n is set with TLS_STEP_DONE only. */
enum tls_step tls_stream_read(struct tls_stream *stream, char *out, size_t size, size_t *ret_n);
/* Received bytes wait inside, though the socket may not be readable any more. */
bool tls_stream_has_more(const struct tls_stream *stream);
/* A read would find nothing, neither inside nor, by what the last recv(2) gave, in the socket. */
bool tls_stream_is_exhausted(const struct tls_stream *stream);
/* After WANT_READ or WANT_WRITE the next call must begin with the same bytes. */
enum tls_step tls_stream_write(struct tls_stream *stream, struct slice bytes, size_t *ret_n);
/* Sends close_notify, and all that is held before it; does not wait for the peer's. */
enum tls_step tls_stream_shutdown(struct tls_stream *stream);

/* What is written from now on, TLS_HELD_MAX bytes at most, waits for tls_stream_flush(), so that
 * it leaves in one piece. */
void tls_stream_hold(struct tls_stream *stream);
bool tls_stream_has_held(const struct tls_stream *stream); /* bytes that wait so */
/* The end of holding. WANT_WRITE: again when the socket is writable. */
enum tls_step tls_stream_flush(struct tls_stream *stream);
enum {
	TLS_HELD_MAX = 32 * 1024
};

/* "TLSv1.3": a constant. */
const char *tls_stream_version(const struct tls_stream *stream);
/* Valid until tls_stream_free(). */
const char *tls_stream_cipher(const struct tls_stream *stream);
const char *tls_stream_error(const struct tls_stream *stream);
const char *tls_stream_sni(const struct tls_stream *stream); /* lower case, "" if none */

#endif
