/* SPDX-License-Identifier: ISC */
/* One TCP connection of a coroutine, with or without TLS: blocking to look at. */
#ifndef GP_BENCH_STREAM_H
#define GP_BENCH_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STREAM_BUFFER = 64 * 1024,
	STREAM_LINE = 4096,
	STREAM_SAYINGS = 1024
};

struct stream {
	int fd;   /* -1: not open */
	SSL *ssl; /* NULL: plain */
	char *in; /* received; NULL while nothing is */
	size_t at;
	size_t len;
	size_t said;                  /* bytes of sayings */
	double patience;              /* seconds that one wait may take; 0: for ever */
	const char *fault;            /* what went wrong, NULL: nothing */
	char sayings[STREAM_SAYINGS]; /* wait until something is awaited */
	char line[STREAM_LINE];       /* as stream_line() read it last, without its end */
};

/* fd: a non-blocking socket, or -1 for stream_connect(). */
void stream_init(struct stream *stream, int fd, double patience);
/* Loopback only. source: of which address in host order, 0: any. */
bool stream_connect(struct stream *stream, uint16_t port, uint32_t source);
bool stream_start_tls(struct stream *stream, SSL_CTX *context, bool is_server);
/* is_abrupt: with a reset, so that no port stays in TIME_WAIT. */
void stream_close(struct stream *stream, bool is_abrupt);

/* Whatever has come, at least a byte; 0: the peer has ended or failed. */
size_t stream_read(struct stream *stream, char *out, size_t size);
bool stream_write(struct stream *stream, const char *bytes, size_t len);
/* Short text that goes out before the next wait for the peer, the next write or stream_flush(). */
bool stream_say(struct stream *stream, const char *text);
bool stream_flush(struct stream *stream);
bool stream_line(struct stream *stream);
bool stream_skip(struct stream *stream, size_t len);
/* Without waiting: 0 if there is nothing now; *ret_ended if there never will be. */
size_t stream_try_read(struct stream *stream, char *out, size_t size, bool *ret_ended);
size_t stream_try_write(struct stream *stream, const char *bytes, size_t len, bool *ret_ended);

/* A listening socket on loopback; ends the program if that cannot be. */
int stream_listen(uint16_t port);
/* Runs serve() in a coroutine of its own for each connection. Returns when all is to stop. */
void stream_accept_all(int listener, void (*serve)(struct stream *stream, const void *context),
	const void *context);
/* A number of the command line; ends the program if it is none of at most max. */
unsigned long stream_number(const char *text, unsigned long max);

#endif
