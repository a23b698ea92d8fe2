/* SPDX-License-Identifier: ISC */
/*
 * The reference lines of the bench: what the machine asks for by itself.
 *
 *	bare handshake CERT KEY              CPU ms of a server's full TLS 1.3 handshake, in memory
 *	bare accept PORT                     accepts and closes, for ever
 *	bare relay PORT TARGET [CERT KEY]    copies between two sockets, for ever; with TLS on PORT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "co.h"
#include "stream.h"

enum {
	HANDSHAKES = 2000,
	WARM_UP = 100,
	PIPE = 17000, /* of the BIO pair, more than one record */
};

static SSL_CTX *server_context;
static uint16_t listen_port;
static uint16_t target_port;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "bare: %s\n", what);
	exit(1);
}

static void load_context(const char *chain, const char *key)
{
	server_context = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_chain_file(server_context, chain) != 1 ||
		SSL_CTX_use_PrivateKey_file(server_context, key, SSL_FILETYPE_PEM) != 1)
		fail("cannot use the certificate");
	SSL_CTX_set_session_cache_mode(server_context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(server_context, 0);
	SSL_CTX_set_mode(server_context, SSL_MODE_ENABLE_PARTIAL_WRITE |
						 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						 SSL_MODE_RELEASE_BUFFERS);
}

static double cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* One handshake; returns the server's CPU seconds, making and freeing included. */
static double shake_hands(SSL_CTX *client_context)
{
	BIO *near, *far;
	SSL *client = SSL_new(client_context);
	SSL *server;
	double spent = 0;
	bool is_over = false;

	if (BIO_new_bio_pair(&near, PIPE, &far, PIPE) != 1)
		fail("out of memory");
	SSL_set_bio(client, near, near);
	SSL_set_connect_state(client);
	spent -= cpu_now();
	server = SSL_new(server_context);
	SSL_set_bio(server, far, far);
	SSL_set_accept_state(server);
	spent += cpu_now();
	while (!is_over) {
		(void)SSL_do_handshake(client);
		spent -= cpu_now();
		is_over = SSL_do_handshake(server) == 1;
		spent += cpu_now();
	}
	spent -= cpu_now();
	SSL_free(server);
	spent += cpu_now();
	SSL_free(client);
	return spent;
}

static void measure_handshakes(void)
{
	SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
	double spent = 0;

	SSL_CTX_set_verify(client_context, SSL_VERIFY_NONE, NULL);
	for (int i = 0; i < WARM_UP; i++)
		(void)shake_hands(client_context);
	for (int i = 0; i < HANDSHAKES; i++)
		spent += shake_hands(client_context);
	printf("%.4f\n", spent * 1e3 / HANDSHAKES);
	SSL_CTX_free(client_context);
}

static void accept_and_close(void)
{
	int listener = stream_listen(listen_port);

	/* The listener of the coroutines does not block; here it shall. */
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			close(fd);
		else {
			fd_set set;

			FD_ZERO(&set);
			FD_SET(listener, &set);
			(void)select(listener + 1, &set, NULL, NULL, NULL);
		}
	}
}

/* One direction: what was read of from and not yet taken by to. */
struct pipe {
	struct stream *from;
	struct stream *to;
	char bytes[STREAM_BUFFER];
	size_t at;
	size_t len;
};

/* Moves what can be moved now; false once there is nothing more to come. */
static bool pump(struct pipe *pipe, bool *ret_moved)
{
	bool has_ended = false;

	if (pipe->at == pipe->len) {
		pipe->at = 0;
		pipe->len = stream_try_read(pipe->from, pipe->bytes, STREAM_BUFFER, &has_ended);
	}
	if (pipe->at < pipe->len && !has_ended) {
		size_t n = stream_try_write(
			pipe->to, pipe->bytes + pipe->at, pipe->len - pipe->at, &has_ended);

		pipe->at += n;
		*ret_moved = *ret_moved || n > 0;
	}
	return !has_ended;
}

static void relay(struct stream *client, const void *context)
{
	struct stream target;
	struct pipe *there = mem_new(2, sizeof *there);
	struct pipe *back = there + 1;
	bool is_open = true;

	(void)context;
	stream_init(&target, -1, 0);
	there->from = back->to = client;
	there->to = back->from = &target;
	if ((server_context == NULL || stream_start_tls(client, server_context, true)) &&
		stream_connect(&target, target_port, 0)) {
		while (is_open) {
			bool has_moved = false;

			is_open = pump(there, &has_moved) && pump(back, &has_moved);
			if (is_open && !has_moved)
				is_open = co_wait(0);
		}
	}
	stream_close(&target, false);
	mem_free(there);
}

static void serve_relay(void *arg)
{
	(void)arg;
	stream_accept_all(stream_listen(listen_port), relay, NULL);
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "handshake") == 0) {
		load_context(argv[2], argv[3]);
		measure_handshakes();
		return 0;
	}
	if (argc < 3)
		fail("handshake CERT KEY | accept PORT | relay PORT TARGET [CERT KEY]");
	listen_port = (uint16_t)stream_number(argv[2], UINT16_MAX);
	if (strcmp(argv[1], "accept") == 0)
		accept_and_close();
	if (argc < 4 || strcmp(argv[1], "relay") != 0)
		fail("unknown arguments");
	target_port = (uint16_t)stream_number(argv[3], UINT16_MAX);
	if (argc == 6)
		load_context(argv[4], argv[5]);
	co_start(serve_relay, NULL);
	co_loop();
	return 0;
}
