/* SPDX-License-Identifier: ISC */
#include "door.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

struct door_asked asked;

ssize_t __real_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
	ssize_t n = __real_send(fd, bytes, len, flags);

	if (fd == asked.fd && n > 0) {
		asked.sends++;
		asked.gathered += (flags & MSG_MORE) != 0;
	}
	return n;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int on = 0;

	if (fd != asked.fd || level != IPPROTO_TCP || name != TCP_QUICKACK)
		return __real_setsockopt(fd, level, name, value, len);
	assert_int_equal(len, sizeof on);
	memcpy(&on, value, sizeof on);
	assert_int_equal(on, 1);
	asked.quick_acks++;
	errno = EOPNOTSUPP; /* a socket of another family says so */
	return -1;
}

struct tls_ctx *door_ctx(const char *name, unsigned length)
{
	struct fixture_pem pem = fixture_certificate(name);
	struct tls_ctx *ctx = tls_ctx_new_server();
	struct buf chain;
	struct gp_why why;

	buf_init(&chain, 1024 * 1024);
	for (unsigned i = 0; i < length; i++)
		assert_int_equal(buf_append_str(&chain, pem.chain), GP_OK);
	assert_int_equal(
		tls_ctx_add(ctx, name, buf_slice(&chain), slice_str(pem.key), &why), GP_OK);
	buf_fini(&chain);
	fixture_pem_free(&pem);
	return ctx;
}

void door_connect(struct door *door, bool is_small)
{
	int fds[2];

	fixture_pair(fds, is_small);
	asked.fd = fds[0];
	peer_open(&door->server, door->loop, fds[0]);
	door->fd = fds[1];
	door->client = SSL_new(door->client_ctx);
	assert_int_equal(SSL_set_fd(door->client, door->fd), 1);
	SSL_set_connect_state(door->client);
	asked.sends = asked.gathered = asked.quick_acks = 0;
}

void door_hang_up(struct door *door)
{
	/* Its session stays good. */
	SSL_set_shutdown(door->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(door->client);
	(void)close(door->fd);
	peer_close(&door->server);
	door->server = (struct peer){ .conn = NULL };
}

void door_open(struct door *door, const char *name)
{
	*door = (struct door){ .loop = loop_new() };
	door->ctx = door_ctx(name, 1);
	door->client_ctx = SSL_CTX_new(TLS_client_method());
	door_connect(door, false);
}

void door_close(struct door *door)
{
	door_hang_up(door);
	SSL_CTX_free(door->client_ctx);
	tls_ctx_free(&door->ctx);
	loop_free(&door->loop);
}

void door_greet_with(struct door *door, struct slice greeting)
{
	assert_int_equal(conn_starttls_server(door->server.conn, door->ctx), GP_OK);
	assert_int_equal(conn_write(door->server.conn, greeting), GP_OK);
	conn_allow_early(door->server.conn);
}

void door_greet(struct door *door)
{
	door_greet_with(door, SLICE_LIT(GREETING));
	door->server.echoes = true;
}

void door_turn(struct door *door)
{
	fixture_turns(door->loop, 5);
}

/* One step of the client, then the server's; whether the client has done its part. */
bool door_shake(struct door *door)
{
	bool is_done = SSL_do_handshake(door->client) == 1;

	if (!is_done) {
		door_turn(door);
		is_done = SSL_do_handshake(door->client) == 1;
	}
	return is_done;
}

void door_reads(struct door *door, const char *text)
{
	char got[256];
	size_t n = 0;

	assert_int_equal(SSL_read_ex(door->client, got, sizeof got, &n), 1);
	assert_true(slice_is(slice_of(got, n), text));
}

void door_open_and_greet(struct door *door, const char *name)
{
	door_open(door, name);
	door_greet(door);
}

/* The client has shaken hands and read the greeting; of its last part the server knows nothing. */
void door_come_in(struct door *door, const char *name)
{
	door_open_and_greet(door, name);
	assert_true(door_shake(door));
	door_reads(door, GREETING);
}

void door_reads_nothing(struct door *door)
{
	char byte;

	assert_int_equal(SSL_read(door->client, &byte, 1), -1);
	assert_int_equal(SSL_get_error(door->client, -1), SSL_ERROR_WANT_READ);
}

void door_says(struct door *door, const char *text)
{
	assert_int_equal(SSL_write(door->client, text, (int)strlen(text)), strlen(text));
}

/* The dialogue goes on under TLS. */
void door_check_echo(struct door *door)
{
	door_says(door, "a1 NOOP\r\n");
	door_turn(door);
	door_reads(door, "a1 NOOP\r\n");
}
