/* SPDX-License-Identifier: ISC */
/* A loop, self-signed certificates made in memory, socket pairs, and an owner that takes notes. */
#ifndef GP_TESTS_NET_FIXTURE_H
#define GP_TESTS_NET_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "net/conn.h"
#include "net/tls_ctx.h"

enum {
	FIXTURE_CAP = 64 * 1024,
	FIXTURE_TURNS = 20000, /* a dialogue that takes more hangs */
};

struct fixture_pem {
	char *chain;
	char *key;
};

/* Owner of a conn: keeps what came, counts callbacks. */
struct peer {
	struct conn *conn;
	struct buf got;
	bool keeps_input; /* leaves input unconsumed */
	bool echoes;
	unsigned inputs;
	unsigned drained;
	unsigned tls;
	unsigned closed;
	enum conn_end end;
	void (*on_input)(struct peer *peer);   /* instead of all that; NULL: the above */
	void (*on_drained)(struct peer *peer); /* once; NULL: nothing */
	void *context;
};

extern const struct conn_ops peer_ops;

/* A self-signed certificate for the DNS names ("a.test,*.b.test"), P-256, or RSA if they begin with
 * "rsa."; freed by the caller. */
struct fixture_pem fixture_certificate(const char *names);
void fixture_pem_free(struct fixture_pem *pem);

/* A server context with one certificate for each of the names (each a single DNS name). */
struct tls_ctx *fixture_server_ctx(const char *const *names, size_t count, char **ret_trust);

/* Two ends of a non-blocking stream; small_buffers makes the kernel's as small as it allows. */
void fixture_pair(int fds[2], bool small_buffers);
void peer_open(struct peer *peer, struct loop *loop, int fd);
void peer_close(struct peer *peer);

#define FIXTURE_NAME "mail.example.test"

/* A server and a client of ours, or a server alone with a bare socket at the other end. */
struct tls_setup {
	struct loop *loop;
	struct tls_ctx *server_ctx;
	struct tls_ctx *client_ctx;
	struct peer server;
	struct peer client;
	int raw;
};

void tls_set_up_ctx(struct tls_setup *s); /* no connections yet */
void tls_set_up_pair(struct tls_setup *s, bool small_buffers);
void tls_set_up_raw(struct tls_setup *s);
void tls_tear_down(struct tls_setup *s);
void tls_start(struct tls_setup *s, const char *name);
void tls_start_and_wait(struct tls_setup *s);

/* Carries one byte from a socket to another, if there is one. */
void fixture_dribble(int from, int to);

/* Turns the loop until *flag is at least n; fails the test if that never comes. */
void fixture_until(struct loop *loop, const unsigned *flag, unsigned n);
void fixture_until_got(struct loop *loop, struct peer *peer, size_t len);
/* Some turns, for what must not happen. */
void fixture_turns(struct loop *loop, unsigned count);

#endif
