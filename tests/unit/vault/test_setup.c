/* SPDX-License-Identifier: ISC */
/* A link that sets up a device is good once, for minutes, and for one account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "crypt/once.h"
#include "vault_fixture.h"

enum {
	NOW = 1800000000,
	LIFETIME = 300, /* s that a link is good */
};

static char mail_backend[] = "mail";
static char imaps_name[] = "imaps";
static char smtp_name[] = "submission";
static char https_name[] = "https";
static char mx_name[] = "smtp";
static struct config_backend backends[] = { { .name = mail_backend } };
static struct config_listener listeners[] = {
	{ .name = imaps_name, .service = SERVICE_IMAPS, .port = 10993 },
	{ .name = smtp_name, .service = SERVICE_SUBMISSION, .port = 587 },
	{ .name = https_name, .service = SERVICE_HTTPS, .port = 443 },
	{ .name = mx_name, .service = SERVICE_SMTP, .port = 25 },
};

static int setup(void **state)
{
	struct fixture *fixture;

	clock_fake(NOW, 1000);
	assert_int_equal(fixture_setup(state), 0);
	fixture = *state;
	fixture->route.imap = fixture->route.pop3 = fixture->route.smtp = mail_backend;
	fixture->config.backends = backends;
	fixture->config.backend_count = 1;
	fixture->config.listeners = listeners;
	fixture->config.listener_count = 4;
	listeners[0].service = SERVICE_IMAPS;
	assert_int_equal(
		fixture_op(fixture, "account.add",
			"{\"address\":\"alice@example.test\",\"password\":\"correct horse\","
			"\"create_domain\":true}"),
		GP_OK);
	assert_int_equal(
		fixture_op(fixture, "account.add",
			"{\"address\":\"bob@example.test\",\"password\":\"walrus and tea\"}"),
		GP_OK);
	return 0;
}

static void begin(struct fixture *fixture, uint64_t account, char token[static 512])
{
	fixture->role = ROLE_USER;
	fixture->asker = account;
	assert_int_equal(
		fixture_op(fixture, "self.setup_begin", "{\"name\":\"telephone\"}"), GP_OK);
	fixture->role = ROLE_ADMIN;
	fixture->asker = 0;
	assert_true(once_is_token(slice_str(fixture_value(fixture, "token", token))));
}

static enum gp_err by_token(struct fixture *fixture, const char *name, const char *token)
{
	char arguments[600];
	enum gp_err err;

	(void)snprintf(arguments, sizeof arguments, "{\"token\":\"%s\"}", token);
	fixture->role = ROLE_GUEST;
	err = fixture_op(fixture, name, arguments);
	fixture->role = ROLE_ADMIN;
	return err;
}

static void check_row(struct fixture *fixture, const char *part)
{
	if (strstr(fixture->rows, part) == NULL)
		fail_msg("%s is not in %s", part, fixture->rows);
}

static unsigned devices(struct fixture *fixture, const char *address)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"address\":\"%s\"}", address);
	assert_int_equal(fixture_op(fixture, "device.list", arguments), GP_OK);
	return fixture->row_count;
}

static void test_once(void **state)
{
	struct fixture *fixture = *state;
	char token[512];
	char url[512];
	char wanted[600];
	char secret[512];

	begin(fixture, 1, token);
	(void)snprintf(wanted, sizeof wanted, "https://mail.example.test/#setup=%s", token);
	assert_string_equal(fixture_value(fixture, "url", url), wanted);
	check_row(fixture, "\"expires_at\":\"2027-01-15T08:05:00Z\"");
	check_row(fixture, "<svg");
	/* Looking uses nothing up, and makes nothing. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(by_token(fixture, "setup.show", token), GP_OK);
		check_row(fixture, "\"address\":\"alice@example.test\",\"name\":\"telephone\","
				   "\"expires_at\":\"2027-01-15T08:05:00Z\"");
	}
	assert_int_equal(devices(fixture, "alice@example.test"), 0);
	assert_int_equal(by_token(fixture, "setup.use", token), GP_OK);
	assert_int_equal(fixture->account, 1);
	check_row(fixture, "\"login\":\"alice@example.test\"");
	check_row(fixture, "\"scopes\":[\"imap\",\"smtp\"]");
	check_row(fixture,
		"\"services\":[{\"service\":\"submission\",\"protocol\":\"SMTP\",\"port\":587,"
		"\"tls\":\"starttls\"},{\"service\":\"imaps\",\"protocol\":\"IMAP\","
		"\"port\":10993,\"tls\":\"tls\"}]");
	(void)fixture_value(fixture, "password", secret);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", secret), REASON_OK);
	assert_int_equal(devices(fixture, "alice@example.test"), 1);
	assert_int_equal(devices(fixture, "bob@example.test"), 0);
	/* It was good once, so it is no guess. */
	assert_int_equal(by_token(fixture, "setup.use", token), GP_ERR_NOT_FOUND);
	assert_int_equal(by_token(fixture, "setup.show", token), GP_ERR_NOT_FOUND);
	assert_int_equal(devices(fixture, "alice@example.test"), 1);
	token[0] = token[0] == 'A' ? 'B' : 'A';
	assert_int_equal(by_token(fixture, "setup.use", token), GP_ERR_DENIED);
	assert_int_equal(by_token(fixture, "setup.use", "short"), GP_ERR_DENIED);
}

/* The portal's address stands with a slash at its end or without one. */
static void test_url(void **state)
{
	static char bare[] = "https://mail.example.test";
	struct fixture *fixture = *state;
	char token[512];
	char url[512];

	fixture->config.portal_url = bare;
	begin(fixture, 1, token);
	assert_int_equal(strncmp(fixture_value(fixture, "url", url),
				 "https://mail.example.test/#setup=", 33),
		0);
}

static void test_ends(void **state)
{
	struct fixture *fixture = *state;
	char hers[512];
	char his[512];
	char second[512];

	begin(fixture, 1, hers);
	begin(fixture, 2, his);
	begin(fixture, 1, second);
	/* Another link ends the one before, of the same account. */
	assert_int_equal(by_token(fixture, "setup.use", hers), GP_ERR_NOT_FOUND);
	clock_fake(NOW + LIFETIME - 1, 1000);
	assert_int_equal(by_token(fixture, "setup.show", second), GP_OK);
	assert_int_equal(by_token(fixture, "setup.use", his), GP_OK);
	clock_fake(NOW + LIFETIME, 1000);
	assert_int_equal(by_token(fixture, "setup.show", second), GP_ERR_NOT_FOUND);
	assert_int_equal(by_token(fixture, "setup.use", second), GP_ERR_NOT_FOUND);
	assert_int_equal(devices(fixture, "alice@example.test"), 0);
}

/* Whoever asked for it before may have been somebody else. */
static void test_ends_with_what_it_rests_on(void **state)
{
	static const char alice[] = "{\"address\":\"alice@example.test\"}";
	static const struct {
		const char *operation;
		const char *arguments;
		const char *back; /* undoes it */
		const char *back_arguments;
	} changes[] = {
		{ "account.passwd",
			"{\"address\":\"alice@example.test\",\"password\":\"walrus and tea\"}",
			NULL, NULL },
		{ "account.set", "{\"address\":\"alice@example.test\",\"is_off\":true}",
			"account.set", "{\"address\":\"alice@example.test\",\"is_off\":false}" },
		{ "account.block", alice, "account.unblock", alice },
		{ "account.remove", alice, NULL, NULL },
	};
	struct fixture *fixture = *state;
	char token[512];

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		begin(fixture, 1, token);
		assert_int_equal(
			fixture_op(fixture, changes[i].operation, changes[i].arguments), GP_OK);
		if (by_token(fixture, "setup.use", token) == GP_OK)
			fail_msg("%s", changes[i].operation);
		if (changes[i].back != NULL)
			assert_int_equal(
				fixture_op(fixture, changes[i].back, changes[i].back_arguments),
				GP_OK);
	}
	assert_int_equal(devices(fixture, "bob@example.test"), 0);
}

/* By POP3 where there is no IMAP; nowhere at all, no link is used up. */
static void test_what_is_served(void **state)
{
	struct fixture *fixture = *state;
	char token[512];

	begin(fixture, 1, token);
	fixture->config.listener_count = 0;
	assert_int_equal(by_token(fixture, "setup.use", token), GP_ERR_UNSUPPORTED);
	fixture->config.listener_count = 4;
	listeners[0].service = SERVICE_POP3S;
	assert_int_equal(by_token(fixture, "setup.use", token), GP_OK);
	check_row(fixture, "\"scopes\":[\"pop3\",\"smtp\"]");
}

/* ---- as a profile ---- */

static struct secret *pem_of(int (*write)(BIO *bio, void *arg), void *arg)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct secret *secret;
	char *data = NULL;
	long len;

	assert_int_equal(write(bio, arg), 1);
	len = BIO_get_mem_data(bio, &data);
	secret = secret_new(slice_of(data, (size_t)len));
	BIO_free(bio);
	return secret;
}

static int write_key(BIO *bio, void *arg)
{
	return PEM_write_bio_PrivateKey(bio, arg, NULL, NULL, 0, NULL, NULL);
}

static int write_certificate(BIO *bio, void *arg)
{
	return PEM_write_bio_X509(bio, arg);
}

static void give_certificate(struct vault *vault)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	vault->signing_key = pem_of(write_key, key);
	vault->signing_chain = pem_of(write_certificate, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* What cannot be handed over uses nothing up and makes no password. */
static void test_profile(void **state)
{
	struct fixture *fixture = *state;
	struct vault *vault = &fixture->vault;
	struct secret *key;
	char token[512];

	begin(fixture, 1, token);
	assert_int_equal(by_token(fixture, "setup.profile", token), GP_ERR_UNSUPPORTED);
	give_certificate(vault);
	key = vault->signing_key;
	vault->signing_key = secret_new(SLICE_LIT("no key"));
	assert_int_equal(by_token(fixture, "setup.profile", token), GP_ERR_CONFIG);
	secret_free(&vault->signing_key);
	vault->signing_key = key;
	assert_int_equal(devices(fixture, "alice@example.test"), 0);
	fixture->config.listener_count = 1; /* nothing to send by */
	assert_int_equal(by_token(fixture, "setup.profile", token), GP_ERR_UNSUPPORTED);
	fixture->config.listener_count = 4;
	assert_int_equal(devices(fixture, "alice@example.test"), 0);
	assert_int_equal(by_token(fixture, "setup.profile", token), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	check_row(fixture, "\"part\":\"MII");
	assert_int_equal(devices(fixture, "alice@example.test"), 1);
	assert_int_equal(by_token(fixture, "setup.profile", token), GP_ERR_NOT_FOUND);
	secret_free(&vault->signing_key);
	secret_free(&vault->signing_chain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_once),
		TEST(test_url),
		TEST(test_ends),
		TEST(test_ends_with_what_it_rests_on),
		TEST(test_what_is_served),
		TEST(test_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
