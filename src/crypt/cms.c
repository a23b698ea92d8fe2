/* SPDX-License-Identifier: ISC */
#include "crypt/cms.h"

#include <limits.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum {
	FLAGS = CMS_BINARY | CMS_NOSMIMECAP,
	CHAIN_MAX = 10, /* certificates */
};

struct signer {
	X509 *certificate;
	STACK_OF(X509) * others;
	EVP_PKEY *key;
};

enum gp_err cms_setup(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? GP_OK
									   : GP_ERR_INTERNAL;
}

static BIO *open_bytes(struct slice bytes)
{
	return bytes.len <= INT_MAX ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
}

/* A key that wants a pass phrase gets none, rather than the terminal. */
static int give_no_phrase(char *phrase, int size, int is_writing, void *arg)
{
	(void)phrase, (void)size, (void)is_writing, (void)arg;
	return -1;
}

static enum gp_err read_chain(struct slice text, struct signer *signer, struct gp_why *why)
{
	BIO *bio = open_bytes(text);
	X509 *one = NULL;
	enum gp_err err = GP_OK;

	if (bio == NULL)
		return GP_ERR_INTERNAL;
	signer->certificate = PEM_read_bio_X509(bio, NULL, give_no_phrase, NULL);
	signer->others = sk_X509_new_null();
	if (signer->certificate == NULL || signer->others == NULL)
		err = gp_why_set(why, GP_ERR_CONFIG, "there is no certificate to sign with");
	while (err == GP_OK && (one = PEM_read_bio_X509(bio, NULL, give_no_phrase, NULL)) != NULL) {
		if (sk_X509_num(signer->others) >= CHAIN_MAX ||
			sk_X509_push(signer->others, one) == 0) {
			X509_free(one);
			err = gp_why_set(why, GP_ERR_CONFIG, "the chain is too long");
		}
	}
	(void)BIO_free(bio);
	return err;
}

static enum gp_err read_key(struct slice text, struct signer *signer, struct gp_why *why)
{
	BIO *bio = open_bytes(text);

	if (bio == NULL)
		return GP_ERR_INTERNAL;
	signer->key = PEM_read_bio_PrivateKey(bio, NULL, give_no_phrase, NULL);
	(void)BIO_free(bio);
	if (signer->key == NULL || X509_check_private_key(signer->certificate, signer->key) != 1)
		return gp_why_set(
			why, GP_ERR_CONFIG, "the key to sign with is not that of its certificate");
	return GP_OK;
}

static enum gp_err sign(
	const struct signer *signer, struct slice content, struct buf *out, struct gp_why *why)
{
	BIO *bio = open_bytes(content);
	CMS_ContentInfo *cms = NULL;
	unsigned char *der = NULL;
	int len = -1;
	enum gp_err err;

	if (bio != NULL)
		cms = CMS_sign(signer->certificate, signer->key, signer->others, bio, FLAGS);
	if (cms != NULL)
		len = i2d_CMS_ContentInfo(cms, &der);
	if (len > 0)
		err = buf_append(out, slice_of(der, (size_t)len));
	else
		err = gp_why_set(why, GP_ERR_CONFIG, "the key cannot sign: it must be RSA or EC");
	if (len > 0)
		OPENSSL_clear_free(der, (size_t)len);
	CMS_ContentInfo_free(cms);
	(void)BIO_free(bio);
	return err;
}

enum gp_err cms_sign(struct slice chain, struct slice key, struct slice content, struct buf *out,
	struct gp_why *why)
{
	struct signer signer = { NULL, NULL, NULL };
	enum gp_err err = read_chain(chain, &signer, why);

	if (err == GP_OK)
		err = read_key(key, &signer, why);
	if (err == GP_OK)
		err = sign(&signer, content, out, why);
	ERR_clear_error();
	EVP_PKEY_free(signer.key);
	sk_X509_pop_free(signer.others, X509_free);
	X509_free(signer.certificate);
	return err;
}
