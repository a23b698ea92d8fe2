/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL reads and writes through a BIO of our own instead of its socket BIO, for four reasons:
 * MSG_NOSIGNAL; no second recv() after one that came back short; records that leave in one piece
 * though OpenSSL writes them one by one; and a look at the first bytes of a client, to tell plain
 * text from TLS before OpenSSL answers it.
 */
#include "net/tls_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	TLS_HANDSHAKE_RECORD = 0x16, /* RFC 8446 section 5.1 */
	FIRST_SIZE = 8,              /* enough to know "OPTIONS " */
	ERROR_SIZE = 128,
	NAME_SIZE = 256,   /* of a host, RFC 6066 section 3 */
	HELD_FIRST = 4096, /* what most servers say in a handshake fits: room taken at once */
	/* So much is received at once, once more than a record waits: four of them, with what TLS
	 * adds, as senders write 64 KiB. */
	BULK_BUFFER = 4 * (SSL3_RT_MAX_PLAIN_LENGTH + 64),
};

struct tls_stream {
	SSL *ssl;
	int fd;
	bool is_server;
	bool is_drained; /* the socket is not to be asked */
	bool has_eof;
	bool has_failed;         /* the socket */
	bool is_record_followed; /* by more at once */
	bool is_bulk;            /* what is received comes in heaps */
	bool is_holding;
	bool wants_early;
	bool is_early; /* what is written leaves before the handshake is over */
	unsigned char first_len;
	char first[FIRST_SIZE]; /* received, of a server */
	char *error;            /* NULL: none */
	char *sni;              /* NULL: none */
	struct buf *held;       /* records, NULL: none */
};

static void note_first(struct tls_stream *stream, struct slice bytes)
{
	size_t n = slice_head(bytes, (size_t)(FIRST_SIZE - stream->first_len)).len;

	memcpy(stream->first + stream->first_len, bytes.data, n);
	stream->first_len = (unsigned char)(stream->first_len + n);
}

static bool is_plain(const struct tls_stream *stream)
{
	return stream->first_len > 0 && stream->first[0] != TLS_HANDSHAKE_RECORD;
}

static int bio_read(BIO *bio, char *out, int size)
{
	struct tls_stream *stream = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (stream->is_drained) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = recv(stream->fd, out, (size_t)size, 0);
	stream->is_drained = n < size;
	stream->is_bulk |= n == size && size >= SSL3_RT_MAX_PLAIN_LENGTH;
	if (n > 0 && stream->is_server && stream->first_len < FIRST_SIZE)
		note_first(stream, slice_of(out, (size_t)n));
	if (n == 0)
		stream->has_eof = true;
	/* OpenSSL gets no plain text to see, so it has nothing to answer it. */
	else if ((n < 0 && (errno == EAGAIN || errno == EINTR)) || (n > 0 && is_plain(stream))) {
		BIO_set_retry_read(bio);
		return -1;
	} else if (n < 0)
		stream->has_failed = true;
	return (int)n;
}

/* is_followed: more is to be sent within this turn, so the kernel need not make a segment of it. */
static ssize_t send_bytes(struct tls_stream *stream, struct slice bytes, bool is_followed)
{
	ssize_t n = send(stream->fd, bytes.data, bytes.len,
		is_followed ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		stream->has_failed = true;
	return n;
}

/* Few have some for longer than a call, so that only these have room for it. */
static bool hold(struct tls_stream *stream, struct slice record)
{
	if (stream->held == NULL) {
		stream->held = mem_new(1, sizeof *stream->held);
		buf_init(stream->held, TLS_HELD_MAX);
		GP_ASSERT(buf_reserve(stream->held, HELD_FIRST) == GP_OK);
	}
	return buf_append(stream->held, record) == GP_OK;
}

static void drop_held(struct tls_stream *stream)
{
	if (stream->held == NULL)
		return;
	buf_fini(stream->held);
	mem_free(stream->held);
	stream->held = NULL;
}

static size_t held_room(const struct tls_stream *stream)
{
	return stream->held != NULL ? buf_room(stream->held) : TLS_HELD_MAX;
}

/* false: not all went. */
static bool send_held(struct tls_stream *stream, bool is_followed)
{
	while (stream->held != NULL && stream->held->len > 0) {
		ssize_t n = send_bytes(stream, buf_slice(stream->held), is_followed);

		if (n < 0)
			return false;
		buf_consume(stream->held, (size_t)n);
	}
	drop_held(stream);
	return true;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
	struct tls_stream *stream = BIO_get_data(bio);
	struct slice record = slice_of(bytes, (size_t)size);
	ssize_t n = -1;

	BIO_clear_retry_flags(bio);
	if (stream->is_holding && hold(stream, record))
		return size;
	if (send_held(stream, true))
		n = send_bytes(stream, record, stream->is_record_followed);
	if (n < 0 && !stream->has_failed)
		BIO_set_retry_write(bio);
	return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *arg)
{
	const struct tls_stream *stream = BIO_get_data(bio);

	(void)number, (void)arg;
	if (command == BIO_CTRL_EOF)
		return stream->has_eof;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *method;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatepost");
		GP_ASSERT(method != NULL && BIO_meth_set_read(method, bio_read) == 1 &&
			  BIO_meth_set_write(method, bio_write) == 1 &&
			  BIO_meth_set_ctrl(method, bio_ctrl) == 1);
	}
	return method;
}

static struct tls_stream *stream_new(struct tls_ctx *ctx, int fd)
{
	struct tls_stream *stream = mem_new(1, sizeof *stream);
	BIO *bio = BIO_new(bio_method());

	stream->fd = fd;
	stream->ssl = SSL_new(tls_ctx_get_ssl_ctx(ctx));
	GP_ASSERT(stream->ssl != NULL && bio != NULL);
	BIO_set_data(bio, stream);
	BIO_set_init(bio, 1);
	SSL_set_bio(stream->ssl, bio, bio);
	return stream;
}

struct tls_stream *tls_stream_new_server(struct tls_ctx *ctx, int fd)
{
	struct tls_stream *stream = stream_new(ctx, fd);

	stream->is_server = true;
	stream->is_drained = true; /* the client speaks first, when the loop says so */
	SSL_set_accept_state(stream->ssl);
	return stream;
}

/* A name is sent as SNI and looked for in the certificate; an address is looked for only. */
static bool expect_peer(SSL *ssl, const char *name)
{
	char copy[NAME_SIZE]; /* OpenSSL's macro casts const away */
	struct ip ip;

	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (ip_parse(slice_str(name), &ip) == GP_OK)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return slice_copy(slice_str(name), copy, sizeof copy) &&
	       SSL_set_tlsext_host_name(ssl, copy) == 1 && SSL_set1_host(ssl, copy) == 1;
}

enum gp_err tls_stream_new_client(
	struct tls_ctx *ctx, int fd, const char *server_name, struct tls_stream **ret_stream)
{
	struct tls_stream *stream = stream_new(ctx, fd);

	ERR_clear_error();
	SSL_set_connect_state(stream->ssl);
	if (server_name != NULL && !expect_peer(stream->ssl, server_name)) {
		tls_stream_free(&stream);
		return GP_ERR_SYNTAX;
	}
	*ret_stream = stream;
	return GP_OK;
}

void tls_stream_free(struct tls_stream **pstream)
{
	struct tls_stream *stream = *pstream;

	if (stream == NULL)
		return;
	*pstream = NULL;
	SSL_free(stream->ssl);
	mem_free(stream->error);
	mem_free(stream->sni);
	drop_held(stream);
	mem_free(stream);
}

void tls_stream_set_readable(struct tls_stream *stream, bool is_readable)
{
	stream->is_drained = !is_readable;
}

static void set_error(struct tls_stream *stream, const char *text)
{
	char line[ERROR_SIZE];

	text_escape(slice_str(text), line, sizeof line);
	mem_free(stream->error);
	stream->error = mem_strdup(line);
}

static void set_openssl_error(struct tls_stream *stream)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
	long verdict = SSL_get_verify_result(stream->ssl);
	char line[ERROR_SIZE];

	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
		(void)snprintf(line, sizeof line, "certificate not accepted: %s",
			X509_verify_cert_error_string(verdict));
		reason = line;
	}
	set_error(stream, reason != NULL ? reason : "unknown TLS error");
}

/* What a call of OpenSSL that did not succeed came to. */
static enum tls_step failed_step(struct tls_stream *stream, int result)
{
	switch (SSL_get_error(stream->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_STEP_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_STEP_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_STEP_EOF;
	case SSL_ERROR_SYSCALL:
		if (stream->has_eof && !stream->has_failed)
			return TLS_STEP_EOF;
		return TLS_STEP_RESET;
	default:
		set_openssl_error(stream);
		return TLS_STEP_FAILED;
	}
}

/* What the plain text is that came instead of TLS; TLS_STEP_WANT_READ: more of it would tell. */
static enum tls_step name_plain(struct slice bytes)
{
	static const char *const methods[] = { "GET ", "POST ", "HEAD ", "PUT ", "DELETE ",
		"CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PRI " };
	enum tls_step step = TLS_STEP_PLAIN;

	for (size_t i = 0; i < GP_ARRAY_LEN(methods); i++) {
		struct slice method = slice_str(methods[i]);

		if (slice_equal(slice_head(bytes, method.len), method))
			return TLS_STEP_HTTP;
		if (slice_equal(slice_head(method, bytes.len), bytes))
			step = TLS_STEP_WANT_READ;
	}
	return step;
}

/* Names as in DNS only: it is shown to people and compared with configuration. */
static void keep_sni(struct tls_stream *stream)
{
	const char *name = SSL_get_servername(stream->ssl, TLSEXT_NAMETYPE_host_name);

	if (name == NULL || *name == '\0')
		return;
	for (const char *at = name; *at != '\0'; at++) {
		if (!text_is_alnum(*at) && strchr("-._", *at) == NULL)
			return;
	}
	stream->sni = mem_strdup(name);
	text_lower_all(stream->sni);
}

void tls_stream_set_early(struct tls_stream *stream)
{
	GP_ASSERT(stream->is_server);
	stream->wants_early = true;
}

/*
 * Up to the point where a server may write early, or to the end: as OpenSSL would have it, by
 * asking for early data of the client, of which there are none, since we never offer to take any.
 * No call of another kind may come between two of these. OpenSSL comes back from it also when it
 * has asked for another hello, and would then write in plain; so what counts is that our own
 * Finished has been made, after which all is under the keys of the session.
 */
static int shake_until_early(struct tls_stream *stream)
{
	char byte;
	size_t n = 0;
	int result = SSL_read_early_data(stream->ssl, &byte, sizeof byte, &n);

	GP_ASSERT(result != SSL_READ_EARLY_DATA_SUCCESS);
	if (result != SSL_READ_EARLY_DATA_FINISH)
		return 0;
	stream->wants_early = false;
	if (SSL_is_init_finished(stream->ssl)) /* TLS 1.2 */
		return 1;
	/* Where the certificates leave too little room, it would have to wait for the socket. */
	stream->is_early = SSL_get_finished(stream->ssl, &byte, 0) > 0 &&
			   held_room(stream) >= SSL3_RT_MAX_PACKET_SIZE;
	return stream->is_early ? 0 : SSL_do_handshake(stream->ssl);
}

enum tls_step tls_stream_handshake(struct tls_stream *stream)
{
	int result;
	enum tls_step step;

	ERR_clear_error();
	stream->is_holding = true;
	stream->is_early = false;
	result = stream->wants_early ? shake_until_early(stream) : SSL_do_handshake(stream->ssl);
	if (stream->is_early)
		return TLS_STEP_EARLY;
	if (result == 1) {
		if (stream->is_server)
			keep_sni(stream);
		return TLS_STEP_DONE;
	}
	step = failed_step(stream, result);
	if (is_plain(stream)) {
		enum tls_step named = name_plain(slice_of(stream->first, stream->first_len));

		return named == TLS_STEP_WANT_READ && step != named ? TLS_STEP_PLAIN : named;
	}
	if (step == TLS_STEP_EOF && (stream->first_len > 0 || !stream->is_server)) {
		set_error(stream, "the peer closed during the handshake");
		return TLS_STEP_FAILED;
	}
	return step;
}

enum tls_step tls_stream_read(struct tls_stream *stream, char *out, size_t size, size_t *ret_n)
{
	int result;

	if (stream->is_bulk)
		SSL_set_default_read_buffer_len(stream->ssl, BULK_BUFFER);
	ERR_clear_error();
	result = SSL_read_ex(stream->ssl, out, size, ret_n);
	return result == 1 ? TLS_STEP_DONE : failed_step(stream, result);
}

bool tls_stream_has_more(const struct tls_stream *stream)
{
	return SSL_has_pending(stream->ssl) == 1;
}

bool tls_stream_is_exhausted(const struct tls_stream *stream)
{
	return stream->is_drained && !tls_stream_has_more(stream);
}

enum tls_step tls_stream_write(struct tls_stream *stream, struct slice bytes, size_t *ret_n)
{
	int result;

	ERR_clear_error();
	stream->is_record_followed = bytes.len > SSL3_RT_MAX_PLAIN_LENGTH;
	result = stream->is_early ? SSL_write_early_data(stream->ssl, bytes.data, bytes.len, ret_n)
				  : SSL_write_ex(stream->ssl, bytes.data, bytes.len, ret_n);
	stream->is_record_followed = false;
	return result == 1 ? TLS_STEP_DONE : failed_step(stream, result);
}

static enum tls_step flush(struct tls_stream *stream, bool is_followed)
{
	stream->is_holding = false;
	if (send_held(stream, is_followed))
		return TLS_STEP_DONE;
	return stream->has_failed ? TLS_STEP_RESET : TLS_STEP_WANT_WRITE;
}

enum tls_step tls_stream_shutdown(struct tls_stream *stream)
{
	ERR_clear_error();
	stream->is_holding = true;
	/* Asked again, OpenSSL would wait for the peer's. */
	if ((SSL_get_shutdown(stream->ssl) & SSL_SENT_SHUTDOWN) == 0)
		(void)SSL_shutdown(stream->ssl);
	/* By shutdown(2), whose FIN it shares a segment with. */
	return flush(stream, true);
}

void tls_stream_hold(struct tls_stream *stream)
{
	stream->is_holding = true;
}

bool tls_stream_has_held(const struct tls_stream *stream)
{
	return stream->held != NULL && stream->held->len > 0;
}

enum tls_step tls_stream_flush(struct tls_stream *stream)
{
	return flush(stream, false);
}

const char *tls_stream_version(const struct tls_stream *stream)
{
	switch (SSL_version(stream->ssl)) {
	case TLS1_2_VERSION:
		return "TLSv1.2";
	case TLS1_3_VERSION:
		return "TLSv1.3";
	default:
		return "unknown";
	}
}

const char *tls_stream_cipher(const struct tls_stream *stream)
{
	const char *name = SSL_get_cipher_name(stream->ssl);

	return name != NULL ? name : "";
}

const char *tls_stream_error(const struct tls_stream *stream)
{
	return stream->error != NULL ? stream->error : "";
}

const char *tls_stream_sni(const struct tls_stream *stream)
{
	return stream->sni != NULL ? stream->sni : "";
}
