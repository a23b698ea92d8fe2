/* SPDX-License-Identifier: ISC */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/slice.h"
#include "co.h"

enum {
	BACKLOG = 4096
};

static struct sockaddr_in address_of(uint32_t host, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(host), .sin_port = htons(port)
	};
}

static void set_option(int fd, int level, int option)
{
	int one = 1;

	(void)setsockopt(fd, level, option, &one, sizeof one);
}

void stream_init(struct stream *stream, int fd, double patience)
{
	memset(stream, 0, offsetof(struct stream, sayings));
	stream->fd = fd;
	stream->patience = patience;
	stream->line[0] = '\0';
	if (fd < 0)
		return;
	set_option(fd, IPPROTO_TCP, TCP_NODELAY);
	co_watch(fd);
}

static bool await(struct stream *stream)
{
	if (co_wait(stream->patience > 0 ? co_now() + stream->patience : 0))
		return true;
	stream->fault = "timeout";
	return false;
}

bool stream_connect(struct stream *stream, uint16_t port, uint32_t source)
{
	struct sockaddr_in target = address_of(INADDR_LOOPBACK, port);
	int fault = 0;
	socklen_t size = sizeof fault;

	stream->fault = "connect";
	stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream->fd < 0)
		return false;
	set_option(stream->fd, IPPROTO_TCP, TCP_NODELAY);
	if (source != 0) {
		struct sockaddr_in own = address_of(source, 0);

		set_option(stream->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
		if (bind(stream->fd, (struct sockaddr *)&own, sizeof own) != 0)
			return false;
	}
	co_watch(stream->fd);
	if (connect(stream->fd, (struct sockaddr *)&target, sizeof target) != 0) {
		struct sockaddr_in peer;
		socklen_t len = sizeof peer;

		if (errno != EINPROGRESS)
			return false;
		do {
			if (!await(stream))
				return false;
			len = sizeof peer;
			getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &fault, &size);
		} while (
			fault == 0 && getpeername(stream->fd, (struct sockaddr *)&peer, &len) != 0);
	}
	if (fault == 0)
		stream->fault = NULL;
	return fault == 0;
}

/* What OpenSSL's refusal means: 1 try later, 0 the end. */
static bool is_blocked(struct stream *stream, int result)
{
	int error = SSL_get_error(stream->ssl, result);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return true;
	stream->fault = error == SSL_ERROR_ZERO_RETURN ? "closed" : "TLS";
	return false;
}

bool stream_start_tls(struct stream *stream, SSL_CTX *context, bool is_server)
{
	stream->ssl = SSL_new(context);
	if (stream->ssl == NULL || SSL_set_fd(stream->ssl, stream->fd) != 1)
		return false;
	if (is_server)
		SSL_set_accept_state(stream->ssl);
	else
		SSL_set_connect_state(stream->ssl);
	for (;;) {
		int result;

		ERR_clear_error();
		result = SSL_do_handshake(stream->ssl);
		if (result == 1)
			return true;
		if (!is_blocked(stream, result) || !await(stream))
			return false;
	}
}

void stream_close(struct stream *stream, bool is_abrupt)
{
	struct linger reset = { .l_onoff = 1 };

	SSL_free(stream->ssl);
	stream->ssl = NULL;
	mem_free(stream->in);
	stream->in = NULL;
	if (stream->fd < 0)
		return;
	if (is_abrupt)
		(void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(stream->fd);
	stream->fd = -1;
}

size_t stream_try_read(struct stream *stream, char *out, size_t size, bool *ret_ended)
{
	if (stream->ssl != NULL) {
		size_t n = 0;
		int result;

		ERR_clear_error();
		result = SSL_read_ex(stream->ssl, out, size, &n);
		*ret_ended = result != 1 && !is_blocked(stream, result);
		return result == 1 ? n : 0;
	}
	ssize_t n = read(stream->fd, out, size);

	*ret_ended = n == 0 || (n < 0 && errno != EAGAIN);
	if (*ret_ended)
		stream->fault = n == 0 ? "closed" : "reset";
	return n > 0 ? (size_t)n : 0;
}

size_t stream_try_write(struct stream *stream, const char *bytes, size_t len, bool *ret_ended)
{
	if (stream->ssl != NULL) {
		size_t n = 0;
		int result;

		ERR_clear_error();
		result = SSL_write_ex(stream->ssl, bytes, len, &n);
		*ret_ended = result != 1 && !is_blocked(stream, result);
		return result == 1 ? n : 0;
	}
	ssize_t n = send(stream->fd, bytes, len, MSG_NOSIGNAL);

	*ret_ended = n < 0 && errno != EAGAIN;
	if (*ret_ended)
		stream->fault = "reset";
	return n > 0 ? (size_t)n : 0;
}

size_t stream_read(struct stream *stream, char *out, size_t size)
{
	for (;;) {
		bool has_ended;
		size_t n = stream_try_read(stream, out, size, &has_ended);

		if (n > 0)
			return n;
		if (has_ended || !await(stream))
			return 0;
	}
}

static bool write_all(struct stream *stream, const char *bytes, size_t len)
{
	while (len > 0) {
		bool has_ended;
		size_t n = stream_try_write(stream, bytes, len, &has_ended);

		bytes += n;
		len -= n;
		if (n == 0 && (has_ended || !await(stream)))
			return false;
	}
	return true;
}

bool stream_flush(struct stream *stream)
{
	size_t len = stream->said;

	stream->said = 0;
	return write_all(stream, stream->sayings, len);
}

bool stream_write(struct stream *stream, const char *bytes, size_t len)
{
	return stream_flush(stream) && write_all(stream, bytes, len);
}

bool stream_say(struct stream *stream, const char *text)
{
	size_t len = strlen(text);

	if (len > sizeof stream->sayings - stream->said && !stream_flush(stream))
		return false;
	if (len > sizeof stream->sayings)
		return write_all(stream, text, len);
	memcpy(stream->sayings + stream->said, text, len);
	stream->said += len;
	return true;
}

/* More into the empty buffer, which an idle connection does without. */
static bool fill(struct stream *stream)
{
	static char area[STREAM_BUFFER];
	size_t n = stream_flush(stream) ? stream_read(stream, area, sizeof area) : 0;

	mem_free(stream->in);
	stream->in = NULL;
	stream->at = stream->len = 0;
	if (n == 0)
		return false;
	stream->in = mem_strndup(area, n);
	stream->at = 0;
	stream->len = n;
	return true;
}

/* Adds a byte to the line, which is cut at its room; true: that was its end. */
static bool end_line(struct stream *stream, size_t *have, char byte)
{
	if (byte != '\n') {
		if (*have < sizeof stream->line - 1)
			stream->line[(*have)++] = byte;
		return false;
	}
	if (*have > 0 && stream->line[*have - 1] == '\r')
		(*have)--;
	return true;
}

bool stream_line(struct stream *stream)
{
	size_t have = 0;
	bool has_ended = false;

	while (!has_ended && (stream->at < stream->len || fill(stream)))
		has_ended = end_line(stream, &have, stream->in[stream->at++]);
	stream->line[have] = '\0';
	return has_ended;
}

bool stream_skip(struct stream *stream, size_t len)
{
	while (len > 0) {
		size_t n = stream->len - stream->at;

		if (n == 0 && !fill(stream))
			return false;
		n = stream->len - stream->at;
		if (n > len)
			n = len;
		stream->at += n;
		len -= n;
	}
	return true;
}

int stream_listen(uint16_t port)
{
	struct sockaddr_in own = address_of(INADDR_LOOPBACK, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR);
	if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0 || listen(fd, BACKLOG) != 0) {
		fprintf(stderr, "port %u: %s\n", port, strerror(errno));
		exit(1);
	}
	return fd;
}

struct arrival {
	int fd;
	void (*serve)(struct stream *stream, const void *context);
	const void *context;
};

static void serve_arrival(void *arg)
{
	struct arrival arrival = *(struct arrival *)arg;
	struct stream stream;

	mem_free(arg);
	stream_init(&stream, arrival.fd, 0);
	arrival.serve(&stream, arrival.context);
	(void)stream_flush(&stream);
	stream_close(&stream, false);
}

void stream_accept_all(int listener, void (*serve)(struct stream *stream, const void *context),
	const void *context)
{
	co_watch(listener);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct arrival *arrival;

		if (fd < 0) {
			if (!co_wait(0))
				return;
			continue;
		}
		arrival = mem_new(1, sizeof *arrival);
		*arrival = (struct arrival){ fd, serve, context };
		co_start(serve_arrival, arrival);
	}
}

unsigned long stream_number(const char *text, unsigned long max)
{
	unsigned long long value;

	if (!slice_to_u64(slice_str(text), max, &value)) {
		fprintf(stderr, "%s is no number of at most %lu\n", text, max);
		exit(2);
	}
	return (unsigned long)value;
}
