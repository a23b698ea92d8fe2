/* SPDX-License-Identifier: ISC */
#include "crypt/cms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/check.h"

enum {
	ROOM = 64 * 1024
};

struct pair {
	struct buf chain;
	struct buf key;
	X509 *certificate;
};

static void take(BIO *bio, struct buf *out)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	assert_int_equal(buf_append(out, slice_of(data, (size_t)len)), GP_OK);
	BIO_free(bio);
}

/* Self-signed. */
static struct pair make(EVP_PKEY *key, const EVP_MD *digest)
{
	struct pair pair;
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	buf_init(&pair.chain, ROOM);
	buf_init_secret(&pair.key, ROOM);
	assert_int_equal(X509_set_version(certificate, 2), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				 (const unsigned char *)"mail.example.test", -1, -1, 0),
		1);
	assert_int_equal(X509_set_issuer_name(certificate, name), 1);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, digest) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	take(bio, &pair.chain);
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	take(bio, &pair.key);
	pair.certificate = certificate;
	EVP_PKEY_free(key);
	return pair;
}

static void drop(struct pair *pair)
{
	X509_free(pair->certificate);
	buf_fini(&pair->chain);
	buf_fini(&pair->key);
}

static bool verifies(const struct pair *pair, struct slice signed_bytes, struct slice wanted)
{
	const unsigned char *at = (const unsigned char *)signed_bytes.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)signed_bytes.len);
	X509_STORE *store = X509_STORE_new();
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	bool is_good;

	assert_int_equal(X509_STORE_add_cert(store, pair->certificate), 1);
	assert_int_equal(X509_STORE_set_purpose(store, X509_PURPOSE_ANY), 1);
	is_good = cms != NULL && CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY) == 1;
	if (is_good) {
		long len = BIO_get_mem_data(out, &data);

		assert_true(slice_equal(slice_of(data, (size_t)len), wanted));
	}
	BIO_free(out);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
	return is_good;
}

static const char content[] = "line\nand \r\n<plist> \0 with a NUL";

static void test_signs(void **state)
{
	struct pair pairs[] = { make(EVP_EC_gen("P-256"), EVP_sha256()),
		make(EVP_RSA_gen(2048), EVP_sha256()) };
	struct slice text = slice_of(content, sizeof content);
	struct gp_why why = { "" };
	struct buf out;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(pairs); i++) {
		char *byte;

		buf_init_secret(&out, ROOM);
		assert_int_equal(cms_sign(buf_slice(&pairs[i].chain), buf_slice(&pairs[i].key),
					 text, &out, &why),
			GP_OK);
		assert_true(verifies(&pairs[i], buf_slice(&out), text));
		/* The content is inside; another one is not what was signed. */
		byte = memmem(out.data + out.head, out.len, "plist", 5);
		assert_non_null(byte);
		*byte = 'P';
		assert_false(verifies(&pairs[i], buf_slice(&out), text));
		buf_fini(&out);
		drop(&pairs[i]);
	}
}

static int certificates_in(struct slice signed_bytes)
{
	const unsigned char *at = (const unsigned char *)signed_bytes.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)signed_bytes.len);
	STACK_OF(X509) *certificates = CMS_get1_certs(cms);
	int count = sk_X509_num(certificates);

	sk_X509_pop_free(certificates, X509_free);
	CMS_ContentInfo_free(cms);
	return count;
}

/* What stands between the certificate and its root goes along, up to ten of them. */
static void test_chain(void **state)
{
	struct pair pair = make(EVP_EC_gen("P-256"), EVP_sha256());

	(void)state;
	for (int others = 1; others <= 11; others++) {
		struct pair other = make(EVP_EC_gen("P-256"), EVP_sha256());
		struct gp_why why = { "" };
		struct buf out;
		enum gp_err err;

		buf_init_secret(&out, ROOM);
		assert_int_equal(buf_append(&pair.chain, buf_slice(&other.chain)), GP_OK);
		err = cms_sign(
			buf_slice(&pair.chain), buf_slice(&pair.key), SLICE_LIT("x"), &out, &why);
		if (others <= 10)
			assert_int_equal(certificates_in(buf_slice(&out)), 1 + others);
		else
			assert_string_equal(why.text, "the chain is too long");
		assert_int_equal(err, others <= 10 ? GP_OK : GP_ERR_CONFIG);
		buf_fini(&out);
		drop(&other);
	}
	drop(&pair);
}

/* As a key that wants a pass phrase. */
static struct pair locked(EVP_PKEY *key)
{
	EVP_PKEY *copy = EVP_PKEY_dup(key);
	struct pair pair = make(key, EVP_sha256());
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(
		PEM_write_bio_PKCS8PrivateKey(bio, copy, EVP_aes_128_cbc(), "", 0, NULL, NULL), 1);
	buf_clear(&pair.key);
	take(bio, &pair.key);
	EVP_PKEY_free(copy);
	return pair;
}

static void test_refuses(void **state)
{
	struct pair pair = make(EVP_EC_gen("P-256"), EVP_sha256());
	struct pair other = make(EVP_EC_gen("P-256"), EVP_sha256());
	struct pair closed = locked(EVP_EC_gen("P-256"));
	struct pair edwards = make(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
	const struct {
		struct slice chain;
		struct slice key;
	} cases[] = {
		{ SLICE_LIT(""), buf_slice(&pair.key) },
		{ SLICE_LIT("no PEM"), buf_slice(&pair.key) },
		{ buf_slice(&pair.key), buf_slice(&pair.key) },
		{ buf_slice(&pair.chain), SLICE_LIT("") },
		{ buf_slice(&pair.chain), buf_slice(&pair.chain) },
		{ buf_slice(&pair.chain), buf_slice(&other.key) },
		{ buf_slice(&closed.chain), buf_slice(&closed.key) },
		{ buf_slice(&edwards.chain), buf_slice(&edwards.key) },
	};
	struct buf out;

	(void)state;
	buf_init_secret(&out, ROOM);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct gp_why why = { "" };

		assert_int_equal(cms_sign(cases[i].chain, cases[i].key, SLICE_LIT("x"), &out, &why),
			GP_ERR_CONFIG);
		assert_true(why.text[0] != '\0');
		assert_int_equal(out.len, 0);
	}
	buf_fini(&out);
	buf_init_secret(&out, 100);
	assert_int_equal(
		cms_sign(buf_slice(&pair.chain), buf_slice(&pair.key), SLICE_LIT("x"), &out, NULL),
		GP_ERR_LIMIT);
	buf_fini(&out);
	drop(&pair);
	drop(&other);
	drop(&closed);
	drop(&edwards);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_refuses),
	};

	assert_int_equal(cms_setup(), GP_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
