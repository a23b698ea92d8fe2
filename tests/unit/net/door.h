/* SPDX-License-Identifier: ISC */
/*
 * A server of ours and a client that is bare OpenSSL and moves only when it is told to; and what
 * the server's side asked the kernel for (link with --wrap=send and --wrap=setsockopt).
 */
#ifndef GP_TESTS_NET_DOOR_H
#define GP_TESTS_NET_DOOR_H

#include <openssl/ssl.h>

#include "net_fixture.h"

#define GREETING "* OK [CAPABILITY IMAP4rev1] ready\r\n"
#define RSA_NAME "rsa.example.test"

struct door {
	struct loop *loop;
	struct tls_ctx *ctx;
	struct peer server;
	SSL_CTX *client_ctx;
	SSL *client;
	int fd; /* the client's */
};

extern struct door_asked {
	int fd;
	unsigned sends;
	unsigned gathered; /* of these, with MSG_MORE */
	unsigned quick_acks;
} asked;

/* A certificate for a name, and itself so many times as its chain. */
struct tls_ctx *door_ctx(const char *name, unsigned length);
void door_open(struct door *door, const char *name);
void door_close(struct door *door);
/* A further client in the place of the one that hung up; its session stays good. */
void door_hang_up(struct door *door);
void door_connect(struct door *door, bool is_small);

/* The server greets early, and echoes what comes. */
void door_greet(struct door *door);
void door_greet_with(struct door *door, struct slice greeting);
void door_open_and_greet(struct door *door, const char *name);
/* The client has shaken hands and read the greeting; of its last part the server knows nothing. */
void door_come_in(struct door *door, const char *name);

void door_turn(struct door *door); /* the server's loop */
/* One step of the client, then the server's; whether the client has done its part. */
bool door_shake(struct door *door);

void door_reads(struct door *door, const char *text);
void door_reads_nothing(struct door *door);
void door_says(struct door *door, const char *text);
/* The dialogue goes on under TLS. */
void door_check_echo(struct door *door);

#endif
