/* SPDX-License-Identifier: ISC */
/* Contexts, seen by a client that is bare OpenSSL: names, versions, tickets, renegotiation. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/tls_ticket.h"
#include "net_fixture.h"

struct setup {
	struct loop *loop;
	struct tls_ctx *ctx;
	SSL_CTX *client_ctx;
	SSL_SESSION *session; /* of the last visit; NULL: none */
};

/* What a client saw on one visit. */
struct visit {
	bool is_done;
	bool was_resumed;
	char cn[64]; /* of the certificate */
	char version[16];
	char cipher[64];
	unsigned long error;
};

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct setup *s = SSL_get_app_data(ssl);

	SSL_SESSION_free(s->session);
	s->session = session;
	return 1; /* taken */
}

static void set_up(struct setup *s, const char *const *names, size_t count)
{
	*s = (struct setup){ .loop = loop_new() };
	s->ctx = fixture_server_ctx(names, count, NULL);
	s->client_ctx = SSL_CTX_new(TLS_client_method());
	(void)SSL_CTX_set_session_cache_mode(
		s->client_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(s->client_ctx, on_session);
}

static void tear_down(struct setup *s)
{
	SSL_SESSION_free(s->session);
	SSL_CTX_free(s->client_ctx);
	tls_ctx_free(&s->ctx);
	loop_free(&s->loop);
}

static void note_visit(SSL *ssl, struct visit *visit)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);

	visit->is_done = true;
	visit->was_resumed = SSL_session_reused(ssl) == 1;
	(void)slice_copy(slice_str(SSL_get_version(ssl)), visit->version, sizeof visit->version);
	(void)slice_copy(slice_str(SSL_get_cipher_name(ssl)), visit->cipher, sizeof visit->cipher);
	if (cert != NULL)
		(void)X509_NAME_get_text_by_NID(
			X509_get_subject_name(cert), NID_commonName, visit->cn, sizeof visit->cn);
}

static bool is_echoed(struct setup *s, SSL *ssl, char byte)
{
	char back = '\0';
	int got = 0;

	assert_int_equal(SSL_write(ssl, &byte, 1), 1);
	for (unsigned i = 0; i < 100 && got != 1; i++) {
		loop_turn(s->loop);
		got = SSL_read(ssl, &back, 1);
	}
	return got == 1 && back == byte;
}

/* Handshake and one echoed byte, so that tickets have come; the same again with fresh keys. */
static struct visit visit(struct setup *s, const char *sni, int version)
{
	struct visit visit = { .is_done = false };
	struct peer server = { .echoes = true };
	SSL *ssl = SSL_new(s->client_ctx);
	int fds[2];
	int done = 0;

	fixture_pair(fds, false);
	peer_open(&server, s->loop, fds[0]);
	assert_int_equal(conn_starttls_server(server.conn, s->ctx), GP_OK);
	(void)SSL_set_fd(ssl, fds[1]);
	SSL_set_app_data(ssl, s);
	if (version != 0) {
		(void)SSL_set_min_proto_version(ssl, version);
		(void)SSL_set_max_proto_version(ssl, version);
	}
	if (sni != NULL) {
		char *copy = mem_strdup(sni); /* OpenSSL's macro casts const away */

		(void)SSL_set_tlsext_host_name(ssl, copy);
		mem_free(copy);
	}
	if (s->session != NULL)
		(void)SSL_set_session(ssl, s->session);
	ERR_clear_error();
	for (unsigned i = 0; i < 100 && done != 1; i++) {
		done = SSL_connect(ssl);
		if (done != 1 && SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ)
			break;
		loop_turn(s->loop);
	}
	visit.error = ERR_peek_error();
	if (done == 1) {
		note_visit(ssl, &visit);
		assert_true(is_echoed(s, ssl, 'x'));
		if (SSL_version(ssl) >= TLS1_3_VERSION)
			assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		assert_true(is_echoed(s, ssl, 'y'));
		(void)SSL_shutdown(ssl);
	}
	peer_close(&server);
	SSL_free(ssl);
	(void)close(fds[1]);
	return visit;
}

static void test_certificate_by_name(void **state)
{
	static const char *const names[] = { "first.test", "*.wild.test", "Exact.Wild.Test",
		"other.test" };
	static const struct {
		const char *sni;
		const char *cn;
	} cases[] = {
		{ "first.test", "first.test" },
		{ "other.test", "other.test" },
		{ "OTHER.Test", "other.test" },
		{ "a.wild.test", "*.wild.test" },
		{ "EXACT.wild.test", "Exact.Wild.Test" },
		{ "a.b.wild.test", "first.test" }, /* one label only */
		{ "wild.test", "first.test" },
		{ ".wild.test", "first.test" },
		{ "unknown.test", "first.test" },
		{ "*.wild.test", "*.wild.test" },
		{ NULL, "first.test" },
	};
	struct setup s;

	(void)state;
	set_up(&s, names, GP_ARRAY_LEN(names));
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		assert_string_equal(visit(&s, cases[i].sni, TLS1_2_VERSION).cn, cases[i].cn);
		SSL_SESSION_free(s.session);
		s.session = NULL;
		assert_string_equal(visit(&s, cases[i].sni, TLS1_3_VERSION).cn, cases[i].cn);
		SSL_SESSION_free(s.session);
		s.session = NULL;
	}
	tear_down(&s);
}

static void test_server_without_certificate(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, NULL, 0);
	assert_false(visit(&s, "mail.test", 0).is_done);
	tear_down(&s);
}

static void test_versions_and_ciphers(void **state)
{
	static const char *const names[] = { "mail.test" };
	struct setup s;
	struct visit seen;

	(void)state;
	set_up(&s, names, 1);
	/* The client would: only the server refuses. */
	SSL_CTX_set_security_level(s.client_ctx, 0);
	assert_string_equal(visit(&s, NULL, TLS1_3_VERSION).version, "TLSv1.3");
	SSL_SESSION_free(s.session);
	s.session = NULL;
	seen = visit(&s, NULL, TLS1_2_VERSION);
	assert_string_equal(seen.version, "TLSv1.2");
	assert_non_null(strstr(seen.cipher, "ECDHE"));
	SSL_SESSION_free(s.session);
	s.session = NULL;
	assert_int_equal(SSL_CTX_set_cipher_list(s.client_ctx, "ALL:@SECLEVEL=0"), 1);
	seen = visit(&s, NULL, TLS1_1_VERSION);
	assert_false(seen.is_done);
	assert_int_equal(ERR_GET_REASON(seen.error), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	assert_int_equal(SSL_CTX_set_cipher_list(s.client_ctx, "AES128-SHA:AES256-GCM-SHA384"), 1);
	assert_false(visit(&s, NULL, TLS1_2_VERSION).is_done);
	tear_down(&s);
}

static void test_tickets_and_their_keys(void **state)
{
	static const char *const names[] = { "rsa.test" };
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	int64_t now = clock_steady();
	struct setup s;
	struct setup other; /* a client without a ticket, for whom the keys change */

	(void)state;
	set_up(&s, names, GP_ARRAY_LEN(names));
	set_up(&other, names, GP_ARRAY_LEN(names));
	for (size_t i = 0; i < GP_ARRAY_LEN(versions); i++) {
		clock_fake(1800000000, now);
		assert_false(visit(&s, "rsa.test", versions[i]).was_resumed);
		assert_non_null(s.session);
		assert_true(visit(&s, "rsa.test", versions[i]).was_resumed);
		assert_true(visit(&s, "rsa.test", versions[i]).was_resumed);
		/* The key before the present one still opens, the one before that does not. */
		now += TLS_TICKET_KEY_MS;
		clock_fake(1800000000, now);
		assert_true(visit(&s, "rsa.test", versions[i]).was_resumed);
		now += TLS_TICKET_KEY_MS;
		clock_fake(1800000000, now);
		(void)visit(&other, "rsa.test", versions[i]);
		now += TLS_TICKET_KEY_MS;
		clock_fake(1800000000, now);
		assert_false(visit(&s, "rsa.test", versions[i]).was_resumed);
		/* After a long silence no key is left. */
		assert_true(visit(&s, "rsa.test", versions[i]).was_resumed);
		now += 2 * (int64_t)TLS_TICKET_KEY_MS;
		clock_fake(1800000000, now);
		assert_false(visit(&s, "rsa.test", versions[i]).was_resumed);
		SSL_SESSION_free(s.session);
		s.session = NULL;
		SSL_SESSION_free(other.session);
		other.session = NULL;
	}
	tear_down(&s);
	tear_down(&other);
}

static void test_tickets_outlive_a_reload(void **state)
{
	static const char *const names[] = { "rsa.test" };
	struct setup s;

	(void)state;
	set_up(&s, names, 1);
	assert_false(visit(&s, "rsa.test", 0).was_resumed);
	tls_ctx_free(&s.ctx);
	s.ctx = fixture_server_ctx(names, 1, NULL);
	assert_true(visit(&s, "rsa.test", 0).was_resumed);
	tear_down(&s);
}

/* With an elliptic curve a ticket of TLS 1.3 costs more than it saves. */
static void test_no_ticket_for_a_fast_key(void **state)
{
	static const char *const names[] = { "mail.test", "rsa.test" };
	struct setup s;

	(void)state;
	set_up(&s, names, GP_ARRAY_LEN(names));
	(void)visit(&s, "mail.test", TLS1_3_VERSION);
	assert_null(s.session);
	(void)visit(&s, "mail.test", TLS1_2_VERSION);
	assert_non_null(s.session);
	assert_true(visit(&s, "mail.test", TLS1_2_VERSION).was_resumed);
	SSL_SESSION_free(s.session);
	s.session = NULL;
	(void)visit(&s, "rsa.test", TLS1_3_VERSION);
	assert_non_null(s.session);
	tear_down(&s);
}

static void test_material_that_does_not_load(void **state)
{
	struct fixture_pem a = fixture_certificate("a.test");
	struct fixture_pem b = fixture_certificate("b.test");
	char *cut = mem_strndup(a.chain, strlen(a.chain) / 2);
	char *chain_and_cut = mem_printf("%s%s", a.chain, cut);
	char long_name[300];
	const struct {
		const char *name;
		const char *chain;
		const char *key;
		const char *why;
	} cases[] = {
		{ "a.test", "", a.key, "certificate for a.test does not load" },
		{ "a.test", "no PEM at all\n", a.key, "certificate for a.test does not load" },
		{ "a.test", cut, a.key, "certificate for a.test does not load" },
		{ "a.test", chain_and_cut, a.key, "certificate for a.test does not load" },
		{ "a.test", a.key, a.key, "certificate for a.test does not load" },
		{ "A.test", a.chain, "", "private key for a.test does not load" },
		{ "a.test", a.chain, a.chain, "private key for a.test does not load" },
		{ "a.test", a.chain, b.key, "is of another certificate: key values mismatch" },
		{ long_name, a.chain, a.key, "too long" },
	};
	struct tls_ctx *ctx = tls_ctx_new_server();
	struct tls_ctx *client = NULL;
	struct gp_why why;

	(void)state;
	memset(long_name, 'a', sizeof long_name);
	long_name[sizeof long_name - 1] = '\0';
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		why.text[0] = '\0';
		assert_int_equal(tls_ctx_add(ctx, cases[i].name, slice_str(cases[i].chain),
					 slice_str(cases[i].key), &why),
			GP_ERR_CONFIG);
		if (strstr(why.text, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, why.text);
	}
	assert_int_equal(
		tls_ctx_add(ctx, "a.test", slice_str(a.chain), slice_str(a.key), &why), GP_OK);
	tls_ctx_free(&ctx);
	assert_int_equal(tls_ctx_new_client(slice_str(cut), &client, &why), GP_ERR_CONFIG);
	assert_non_null(strstr(why.text, "trusted certificates do not load"));
	assert_null(client);
	mem_free(cut);
	mem_free(chain_and_cut);
	fixture_pem_free(&a);
	fixture_pem_free(&b);
}

/* A key behind a passphrase is refused; nobody is asked at a terminal. */
static void test_key_with_a_passphrase(void **state)
{
	struct fixture_pem pem = fixture_certificate("a.test");
	BIO *plain = BIO_new_mem_buf(pem.key, -1);
	BIO *sealed = BIO_new(BIO_s_mem());
	EVP_PKEY *key = PEM_read_bio_PrivateKey(plain, NULL, NULL, NULL);
	struct tls_ctx *ctx = tls_ctx_new_server();
	char *data = NULL;
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_PrivateKey(sealed, key, EVP_aes_128_cbc(),
				 (const unsigned char *)"pass", 4, NULL, NULL),
		1);
	len = BIO_get_mem_data(sealed, &data);
	assert_int_equal(
		tls_ctx_add(ctx, "a.test", slice_str(pem.chain), slice_of(data, (size_t)len), NULL),
		GP_ERR_CONFIG);
	tls_ctx_free(&ctx);
	EVP_PKEY_free(key);
	BIO_free(plain);
	BIO_free(sealed);
	fixture_pem_free(&pem);
}

static void test_no_renegotiation(void **state)
{
	static const char *const names[] = { "mail.test" };
	struct peer server = { .echoes = true };
	struct setup s;
	SSL *ssl;
	int fds[2];
	int done = 0;

	(void)state;
	set_up(&s, names, 1);
	ssl = SSL_new(s.client_ctx);
	fixture_pair(fds, false);
	peer_open(&server, s.loop, fds[0]);
	assert_int_equal(conn_starttls_server(server.conn, s.ctx), GP_OK);
	(void)SSL_set_fd(ssl, fds[1]);
	SSL_set_app_data(ssl, &s);
	(void)SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
	for (unsigned i = 0; i < 100 && done != 1; i++) {
		done = SSL_connect(ssl);
		loop_turn(s.loop);
	}
	assert_int_equal(done, 1);
	assert_int_equal(SSL_renegotiate(ssl), 1);
	done = 0;
	for (unsigned i = 0; i < 100 && done != 1; i++) {
		done = SSL_do_handshake(ssl);
		if (done != 1 && SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ)
			break;
		loop_turn(s.loop);
	}
	assert_int_not_equal(done, 1);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	SSL_free(ssl);
	(void)close(fds[1]);
	peer_close(&server);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_by_name),
		cmocka_unit_test(test_server_without_certificate),
		cmocka_unit_test(test_versions_and_ciphers),
		cmocka_unit_test(test_tickets_and_their_keys),
		cmocka_unit_test(test_tickets_outlive_a_reload),
		cmocka_unit_test(test_no_ticket_for_a_fast_key),
		cmocka_unit_test(test_material_that_does_not_load),
		cmocka_unit_test(test_key_with_a_passphrase),
		cmocka_unit_test(test_no_renegotiation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
