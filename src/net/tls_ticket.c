/* SPDX-License-Identifier: ISC */
#include "net/tls_ticket.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"

enum {
	KEY_NAME_SIZE = 16, /* set by OpenSSL's ticket format */
};

struct ticket_key {
	unsigned char name[KEY_NAME_SIZE];
	unsigned char cipher[32];
	unsigned char mac[32];
};

struct ticket_keys {
	struct ticket_key now;
	struct ticket_key before;
	int64_t until; /* clock_steady() at which now becomes before */
};

/* One set for the process: tickets outlive a reload of certificates. */
static struct ticket_keys keys;

static void change_keys(void)
{
	int64_t now = clock_steady();

	if (now < keys.until)
		return;
	/* After a long pause, and at first, there is no key young enough to open anything. */
	if (now < keys.until + TLS_TICKET_KEY_MS && keys.until > 0)
		keys.before = keys.now;
	else
		rand_bytes(&keys.before, sizeof keys.before);
	rand_bytes(&keys.now, sizeof keys.now);
	keys.until = now + TLS_TICKET_KEY_MS;
}

static bool use_key(const struct ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, bool is_sealing)
{
	char digest[] = "SHA256";
	unsigned char mac_key[sizeof key->mac];
	OSSL_PARAM params[3];
	bool is_good;

	memcpy(mac_key, key->mac, sizeof mac_key);
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, sizeof mac_key);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	is_good = EVP_MAC_CTX_set_params(mac, params) == 1 &&
		  EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, is_sealing) ==
			  1;
	mem_wipe(mac_key, sizeof mac_key);
	return is_good;
}

/* OpenSSL's contract: -1 failed, 0 not ours (full handshake), 1 done, 2 done and wants a new one.
 */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int is_sealing)
{
	/* TLS 1.3 tickets are for one use, so each use earns a new one. */
	int opened = SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;

	change_keys();
	if (is_sealing != 0) {
		memcpy(name, keys.now.name, KEY_NAME_SIZE);
		rand_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
		return use_key(&keys.now, iv, cipher, mac, true) ? 1 : -1;
	}
	if (memcmp(name, keys.now.name, KEY_NAME_SIZE) == 0)
		return use_key(&keys.now, iv, cipher, mac, false) ? opened : -1;
	if (memcmp(name, keys.before.name, KEY_NAME_SIZE) == 0)
		return use_key(&keys.before, iv, cipher, mac, false) ? 2 : -1;
	return 0;
}

void tls_ticket_setup(struct ssl_ctx_st *ssl_ctx)
{
	GP_ASSERT(SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl_ctx, on_ticket) == 1);
	(void)SSL_CTX_set_timeout(ssl_ctx, TLS_TICKET_KEY_MS / 1000);
}
