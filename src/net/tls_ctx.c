/* SPDX-License-Identifier: ISC */
/*
 * A server context is one SSL_CTX for settings, tickets and the SNI callback, and one more per name
 * for its certificate. The table of names hangs on the first as extra data, so that it lives as
 * long as any connection that may still ask it.
 */
#include "net/tls_ctx.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tls_ticket.h"

/* Without forward secrecy nothing; CBC last, for mail programs of the Windows 7 age. */
#define CIPHERS_TLS12                                                           \
	"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES+SHA256:" \
	"ECDHE+AES+SHA1:!aNULL:!PSK:!SRP:!CAMELLIA:!ARIA:!CCM"
/* AES-128 first: its SHA-256 runs in hardware where the SHA-384 of AES-256 does not, which is a
 * tenth of a handshake. */
#define CIPHERS_TLS13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS        "X25519:P-256:P-384"

enum {
	NAME_SIZE = 256 /* SNI: at most 255 bytes, RFC 6066 section 3 */
};

struct tls_ctx {
	SSL_CTX *ssl_ctx;
	struct names *names; /* servers; owned by ssl_ctx */
};

struct name {
	struct map_node node;
	char *text; /* lower case */
	SSL_CTX *ssl_ctx;
	bool is_slow; /* one of its keys signs slowly */
};

struct names {
	struct map by_text;
	struct name *first; /* for everyone else; NULL while there is none */
};

static void free_name(struct map_node *node, void *arg)
{
	struct name *name = MAP_ENTRY(node, struct name, node);

	(void)arg;
	SSL_CTX_free(name->ssl_ctx);
	mem_free(name->text);
	mem_free(name);
}

static void free_names(
	void *parent, void *data, CRYPTO_EX_DATA *extra, int index, long argl, void *argp)
{
	struct names *names = data;

	(void)parent, (void)extra, (void)index, (void)argl, (void)argp;
	if (names == NULL)
		return;
	map_each(&names->by_text, free_name, NULL);
	map_fini(&names->by_text);
	mem_free(names);
}

static int names_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_names);
	GP_ASSERT(index >= 0);
	return index;
}

static struct name *find_text(const struct names *names, const char *text)
{
	struct map_node *node = map_find(&names->by_text, slice_str(text));

	return node != NULL ? MAP_ENTRY(node, struct name, node) : NULL;
}

/* The exact name, else the wildcard for its first label (RFC 6125 section 6.4.3), else the first.
 */
static const struct name *find_name(const struct names *names, const char *sni)
{
	char text[NAME_SIZE + 1] = "";
	const char *dot;
	struct name *name = NULL;

	if (sni == NULL || !slice_copy(slice_str(sni), text, NAME_SIZE))
		return names->first;
	text_lower_all(text);
	name = find_text(names, text);
	dot = strchr(text, '.');
	if (name == NULL && dot != NULL && dot > text) {
		char wildcard[NAME_SIZE + 1] = "*";

		memcpy(wildcard + 1, dot, strlen(dot) + 1);
		name = find_text(names, wildcard);
	}
	return name != NULL ? name : names->first;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const struct name *name =
		find_name(arg, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

	if (name == NULL || SSL_set_SSL_CTX(ssl, name->ssl_ctx) == NULL) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	/* Of TLS 1.3: a resumption there saves no round trip, only a signature, and a ticket costs
	 * more than one with an elliptic curve. */
	GP_ASSERT(SSL_set_num_tickets(ssl, name->is_slow ? 1 : 0) == 1);
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_ssl_ctx(const SSL_METHOD *method)
{
	SSL_CTX *ssl_ctx = SSL_CTX_new(method);
	char groups[] = GROUPS; /* OpenSSL's macro casts const away */

	GP_ASSERT(ssl_ctx != NULL);
	GP_ASSERT(SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION) == 1);
	GP_ASSERT(SSL_CTX_set_cipher_list(ssl_ctx, CIPHERS_TLS12) == 1);
	GP_ASSERT(SSL_CTX_set_ciphersuites(ssl_ctx, CIPHERS_TLS13) == 1);
	GP_ASSERT(SSL_CTX_set1_groups_list(ssl_ctx, groups) == 1);
	(void)SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
						   SSL_OP_CIPHER_SERVER_PREFERENCE |
						   SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
						SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
	/* One recv() for header and body of a record, instead of two. */
	SSL_CTX_set_read_ahead(ssl_ctx, 1);
	return ssl_ctx;
}

struct tls_ctx *tls_ctx_new_server(void)
{
	static const unsigned char session_context[] = "gatepost";
	struct tls_ctx *ctx = mem_new(1, sizeof *ctx);

	ctx->ssl_ctx = new_ssl_ctx(TLS_server_method());
	ctx->names = mem_new(1, sizeof *ctx->names);
	map_init(&ctx->names->by_text);
	GP_ASSERT(SSL_CTX_set_ex_data(ctx->ssl_ctx, names_index(), ctx->names) == 1);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx->ssl_ctx, on_server_name);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx->ssl_ctx, ctx->names);
	GP_ASSERT(SSL_CTX_set_session_id_context(
			  ctx->ssl_ctx, session_context, sizeof session_context - 1) == 1);
	tls_ticket_setup(ctx->ssl_ctx);
	/* For DHE, where a client has no elliptic curves. */
	(void)SSL_CTX_set_dh_auto(ctx->ssl_ctx, 1);
	return ctx;
}

void tls_ctx_free(struct tls_ctx **pctx)
{
	struct tls_ctx *ctx = *pctx;

	if (ctx == NULL)
		return;
	*pctx = NULL;
	SSL_CTX_free(ctx->ssl_ctx);
	mem_free(ctx);
}

struct ssl_ctx_st *tls_ctx_get_ssl_ctx(const struct tls_ctx *ctx)
{
	return ctx->ssl_ctx;
}

static const char *openssl_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	return reason != NULL ? reason : "malformed";
}

/* Instead of OpenSSL's own, which asks at the terminal. */
static int no_passphrase(char *out, int size, int is_writing, void *arg)
{
	(void)out, (void)size, (void)is_writing, (void)arg;
	return -1;
}

static BIO *bio_over(struct slice bytes)
{
	static const char nothing[1] = "";
	BIO *bio = BIO_new_mem_buf(bytes.len > 0 ? bytes.data : nothing, (int)bytes.len);

	GP_ASSERT(bio != NULL);
	return bio;
}

/* Every certificate of pem, in order. The end is PEM's "no start line"; anything else is a fault.
 */
static enum gp_err each_certificate(struct slice pem,
	bool (*take)(SSL_CTX *ssl_ctx, X509 *cert, bool is_first), SSL_CTX *ssl_ctx)
{
	BIO *bio = bio_over(pem);
	X509 *cert = NULL;
	unsigned count = 0;
	bool is_good = true;

	ERR_clear_error();
	while (is_good && (cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
		is_good = take(ssl_ctx, cert, count++ == 0);
		X509_free(cert);
	}
	BIO_free(bio);
	if (is_good && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		is_good = false;
	return is_good && count > 0 ? GP_OK : GP_ERR_CONFIG;
}

static bool take_chain(SSL_CTX *ssl_ctx, X509 *cert, bool is_first)
{
	if (is_first)
		return SSL_CTX_use_certificate(ssl_ctx, cert) == 1;
	return SSL_CTX_add1_chain_cert(ssl_ctx, cert) == 1;
}

static bool take_trust(SSL_CTX *ssl_ctx, X509 *cert, bool is_first)
{
	(void)is_first;
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), cert) == 1;
}

static enum gp_err use_key(SSL_CTX *ssl_ctx, struct slice pem)
{
	BIO *bio = bio_over(pem);
	EVP_PKEY *key = NULL;
	bool is_good;

	ERR_clear_error();
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	is_good = key != NULL && SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1 &&
		  SSL_CTX_check_private_key(ssl_ctx) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	return is_good ? GP_OK : GP_ERR_CONFIG;
}

/* The certificate that was added last is the current one. */
static bool signs_slowly(const SSL_CTX *ssl_ctx)
{
	return EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(ssl_ctx)) == EVP_PKEY_RSA;
}

static enum gp_err use_certificate(SSL_CTX *ssl_ctx, const char *name, struct slice chain,
	struct slice key, struct gp_why *why)
{
	if (each_certificate(chain, take_chain, ssl_ctx) != GP_OK)
		return gp_why_set(why, GP_ERR_CONFIG, "certificate for %s does not load: %s", name,
			openssl_reason());
	if (use_key(ssl_ctx, key) != GP_OK)
		return gp_why_set(why, GP_ERR_CONFIG,
			"private key for %s does not load or is of another certificate: %s", name,
			openssl_reason());
	return GP_OK;
}

enum gp_err tls_ctx_add(struct tls_ctx *ctx, const char *name, struct slice chain, struct slice key,
	struct gp_why *why)
{
	char text[NAME_SIZE];
	struct name *entry = NULL;
	SSL_CTX *ssl_ctx = NULL;
	enum gp_err err = GP_OK;

	GP_ASSERT(ctx->names != NULL);
	if (!slice_copy(slice_str(name), text, sizeof text))
		return gp_why_set(why, GP_ERR_CONFIG, "name of a certificate is too long");
	text_lower_all(text);
	entry = find_text(ctx->names, text);
	/* The same name again is its certificate of another key type, served by what the client
	 * can. */
	ssl_ctx = entry != NULL ? entry->ssl_ctx : new_ssl_ctx(TLS_server_method());
	err = use_certificate(ssl_ctx, text, chain, key, why);
	if (entry != NULL) {
		entry->is_slow |= err == GP_OK && signs_slowly(ssl_ctx);
		return err;
	}
	if (err != GP_OK) {
		SSL_CTX_free(ssl_ctx);
		return err;
	}
	entry = mem_new(1, sizeof *entry);
	entry->text = mem_strdup(text);
	entry->ssl_ctx = ssl_ctx;
	entry->is_slow = signs_slowly(ssl_ctx);
	map_add(&ctx->names->by_text, &entry->node, slice_str(entry->text));
	if (ctx->names->first == NULL)
		ctx->names->first = entry;
	return GP_OK;
}

enum gp_err tls_ctx_new_client(struct slice trust, struct tls_ctx **ret_ctx, struct gp_why *why)
{
	SSL_CTX *ssl_ctx = new_ssl_ctx(TLS_client_method());
	struct tls_ctx *ctx = NULL;

	if (trust.len > 0) {
		if (each_certificate(trust, take_trust, ssl_ctx) != GP_OK) {
			SSL_CTX_free(ssl_ctx);
			return gp_why_set(why, GP_ERR_CONFIG,
				"trusted certificates do not load: %s", openssl_reason());
		}
		SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
	}
	ctx = mem_new(1, sizeof *ctx);
	ctx->ssl_ctx = ssl_ctx;
	*ret_ctx = ctx;
	return GP_OK;
}
