/* SPDX-License-Identifier: ISC */
#include "net_fixture.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static void on_input(struct conn *conn, void *owner)
{
	struct peer *peer = owner;
	struct slice input = conn_input(conn);

	peer->inputs++;
	if (peer->on_input != NULL) {
		peer->on_input(peer);
		return;
	}
	if (peer->keeps_input)
		return;
	if (peer->echoes)
		assert_int_equal(conn_write(conn, input), GP_OK);
	else
		assert_int_equal(buf_append(&peer->got, input), GP_OK);
	conn_consume(conn, input.len);
}

static void on_drained(struct conn *conn, void *owner)
{
	struct peer *peer = owner;

	void (*then)(struct peer * peer) = peer->on_drained;

	(void)conn;
	peer->drained++;
	peer->on_drained = NULL;
	if (then != NULL)
		then(peer);
}

static void on_tls(struct conn *conn, void *owner)
{
	struct peer *peer = owner;

	assert_true(conn_is_tls(conn));
	peer->tls++;
}

static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	struct peer *peer = owner;

	(void)conn;
	peer->closed++;
	peer->end = end;
}

const struct conn_ops peer_ops = { on_input, on_drained, on_tls, on_closed };

static char *bio_text(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	char *text = mem_strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

struct fixture_pem fixture_certificate(const char *names)
{
	bool is_rsa = slice_starts_nocase(slice_str(names), "rsa.");
	EVP_PKEY *key = is_rsa ? EVP_RSA_gen(2048U) : EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	BIO *chain_bio = BIO_new(BIO_s_mem());
	BIO *key_bio = BIO_new(BIO_s_mem());
	char *list = mem_printf("DNS:%s", names);
	struct fixture_pem pem;

	assert_int_equal(X509_set_version(cert, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				 (const unsigned char *)names, -1, -1, 0),
		1);
	assert_int_equal(X509_set_issuer_name(cert, X509_get_subject_name(cert)), 1);
	add_extension(cert, NID_subject_alt_name, list);
	add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(chain_bio, cert), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL), 1);
	pem.chain = bio_text(chain_bio);
	pem.key = bio_text(key_bio);
	mem_free(list);
	X509_free(cert);
	EVP_PKEY_free(key);
	return pem;
}

void fixture_pem_free(struct fixture_pem *pem)
{
	mem_free(pem->chain);
	mem_free(pem->key);
}

struct tls_ctx *fixture_server_ctx(const char *const *names, size_t count, char **ret_trust)
{
	struct tls_ctx *ctx = tls_ctx_new_server();
	char *trust = mem_strdup("");
	struct gp_why why;

	for (size_t i = 0; i < count; i++) {
		struct fixture_pem pem = fixture_certificate(names[i]);
		char *longer = mem_printf("%s%s", trust, pem.chain);

		assert_int_equal(
			tls_ctx_add(ctx, names[i], slice_str(pem.chain), slice_str(pem.key), &why),
			GP_OK);
		mem_free(trust);
		trust = longer;
		fixture_pem_free(&pem);
	}
	if (ret_trust != NULL)
		*ret_trust = trust;
	else
		mem_free(trust);
	return ctx;
}

void fixture_pair(int fds[2], bool small_buffers)
{
	int size = 1;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	for (int i = 0; small_buffers && i < 2; i++)
		assert_int_equal(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
}

void peer_open(struct peer *peer, struct loop *loop, int fd)
{
	buf_init(&peer->got, 1024 * 1024);
	peer->conn = conn_new(loop, &fd, &peer_ops, peer, FIXTURE_CAP, FIXTURE_CAP);
	assert_int_equal(fd, -1);
}

void peer_close(struct peer *peer)
{
	conn_free(&peer->conn);
	assert_null(peer->conn);
	buf_fini(&peer->got);
}

void fixture_until(struct loop *loop, const unsigned *flag, unsigned n)
{
	for (unsigned i = 0; i < FIXTURE_TURNS && *flag < n; i++)
		loop_turn(loop);
	assert_true(*flag >= n);
}

void fixture_until_got(struct loop *loop, struct peer *peer, size_t len)
{
	for (unsigned i = 0; i < FIXTURE_TURNS && peer->got.len < len; i++)
		loop_turn(loop);
	assert_int_equal(peer->got.len, len);
}

void fixture_turns(struct loop *loop, unsigned count)
{
	while (count-- > 0)
		loop_turn(loop);
}

void tls_set_up_ctx(struct tls_setup *s)
{
	static const char *const names[] = { FIXTURE_NAME };
	char *trust = NULL;

	*s = (struct tls_setup){ .loop = loop_new(), .raw = -1 };
	s->server_ctx = fixture_server_ctx(names, 1, &trust);
	assert_int_equal(tls_ctx_new_client(slice_str(trust), &s->client_ctx, NULL), GP_OK);
	mem_free(trust);
}

void tls_set_up_pair(struct tls_setup *s, bool small_buffers)
{
	int fds[2];

	tls_set_up_ctx(s);
	fixture_pair(fds, small_buffers);
	peer_open(&s->server, s->loop, fds[0]);
	peer_open(&s->client, s->loop, fds[1]);
}

void tls_set_up_raw(struct tls_setup *s)
{
	int fds[2];

	tls_set_up_ctx(s);
	fixture_pair(fds, false);
	peer_open(&s->server, s->loop, fds[0]);
	s->raw = fds[1];
}

void tls_tear_down(struct tls_setup *s)
{
	peer_close(&s->server);
	if (s->client.conn != NULL)
		peer_close(&s->client);
	if (s->raw >= 0)
		(void)close(s->raw);
	tls_ctx_free(&s->server_ctx);
	tls_ctx_free(&s->client_ctx);
	loop_free(&s->loop);
}

void tls_start(struct tls_setup *s, const char *name)
{
	assert_int_equal(conn_starttls_server(s->server.conn, s->server_ctx), GP_OK);
	assert_int_equal(conn_starttls_client(s->client.conn, s->client_ctx, name), GP_OK);
}

void tls_start_and_wait(struct tls_setup *s)
{
	tls_start(s, FIXTURE_NAME);
	fixture_until(s->loop, &s->server.tls, 1);
	fixture_until(s->loop, &s->client.tls, 1);
}

void fixture_dribble(int from, int to)
{
	char byte;

	if (recv(from, &byte, 1, 0) == 1)
		assert_int_equal(send(to, &byte, 1, MSG_NOSIGNAL), 1);
}
