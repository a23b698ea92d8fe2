/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "config/config.h"

static const char full[] = "hostname = mail.example.test\n"
			   "autoban_time = 90\n"
			   "autoban_exempt = { 10.0.0.0/8, ::1 }\n"
			   "control_socket = '/run/a \"b\" \\c'\n"
			   "listener imaps { certificate = main; port = 1993 }\n"
			   "listener smtp { }\n"
			   "certificate main { names = { *.example.test, example.test }\n"
			   "	chain_file = /c.pem key_file = /k.pem }\n"
			   "backend imap { hosts = { 127.0.0.1:143, [::1]:143 } }\n"
			   "backend imap2 { protocol = imap hosts = mail.lan:143 auth = master\n"
			   "	auth_user = gate auth_password_file = /p tls = starttls }\n"
			   "backend lmtp { hosts = unix:/run/lmtp client_address = none }\n"
			   "backend out { protocol = smtp hosts = out.lan:25 }\n"
			   "route * { imap = imap smtp = out incoming = lmtp }\n"
			   "route own.test { imap = imap2 incoming = out }\n"
			   "route sends.test { smtp = lmtp }\n";

static struct config *parse_ok(struct slice text)
{
	struct config_error error = { "" };
	struct config *config = NULL;

	if (config_parse(text, "f", &config, &error) != GP_OK)
		fail_msg("%s\n%.*s", error.text, SLICE_ARG(text));
	return config;
}

static void shown_configuration_parses_to_the_same(void **state)
{
	struct config *first = parse_ok(slice_str(full));
	struct config *second;
	struct buf shown;
	struct buf again;

	(void)state;
	buf_init(&shown, CONFIG_TEXT_MAX);
	buf_init(&again, CONFIG_TEXT_MAX);
	assert_int_equal(config_show(first, &shown), GP_OK);
	second = parse_ok(buf_slice(&shown));
	assert_int_equal(config_show(second, &again), GP_OK);
	assert_true(slice_equal(buf_slice(&shown), buf_slice(&again)));
	assert_int_equal(second->autoban_time, 90);
	assert_int_equal(second->autoban_exempt.count, 2);
	assert_string_equal(second->control_socket, "/run/a \"b\" \\c");
	assert_int_equal(second->listeners[0].port, 1993);
	assert_int_equal(second->certificates[0].names.count, 2);
	assert_int_equal(second->backends[1].auth, CONFIG_AUTH_MASTER);
	assert_int_equal(second->backends[2].client_address, CONFIG_CLIENT_NONE);
	assert_string_equal(second->routes[2].smtp, "lmtp");
	assert_int_equal(buf_append_byte(&shown, '\0'), GP_OK);
	/* Set values stand bare, defaults behind a #. */
	assert_non_null(strstr(shown.data, "\nautoban_time = 90s\n"));
	assert_non_null(strstr(shown.data, "\n# autoban_window = 20m\n"));
	assert_non_null(strstr(shown.data, "\n\t# port = 25\n"));
	assert_non_null(strstr(shown.data, "\n\tport = 1993\n"));
	buf_fini(&shown);
	buf_fini(&again);
	config_free(&first);
	config_free(&second);
}

static const char *routed(
	const struct config *config, const char *domain, enum protocol protocol, bool incoming)
{
	const struct config_backend *backend =
		config_route(config, slice_str(domain), protocol, incoming);

	return backend != NULL ? backend->name : "none";
}

static void routes_fall_back_to_the_star(void **state)
{
	struct config *config = parse_ok(slice_str(full));

	(void)state;
	assert_string_equal(routed(config, "any.test", PROTOCOL_IMAP, false), "imap");
	assert_string_equal(routed(config, "any.test", PROTOCOL_SMTP, false), "out");
	assert_string_equal(routed(config, "any.test", PROTOCOL_SMTP, true), "lmtp");
	assert_string_equal(routed(config, "any.test", PROTOCOL_POP3, false), "none");
	assert_string_equal(routed(config, "any.test", PROTOCOL_HTTP, false), "none");
	assert_string_equal(routed(config, "own.test", PROTOCOL_IMAP, false), "imap2");
	assert_string_equal(routed(config, "own.test", PROTOCOL_SMTP, false), "out");
	assert_string_equal(routed(config, "own.test", PROTOCOL_SMTP, true), "out");
	assert_string_equal(routed(config, "sends.test", PROTOCOL_SMTP, true), "lmtp");
	assert_string_equal(routed(config, "sends.test", PROTOCOL_IMAP, false), "imap");
	assert_int_equal(config_backend_index(config, SLICE_LIT("lmtp")), 2);
	assert_int_equal(config_backend_index(config, SLICE_LIT("lmt")), -1);
	assert_ptr_equal(config_backend(config, SLICE_LIT("out")), &config->backends[3]);
	config_free(&config);
}

static void hosts_are_taken_apart(void **state)
{
	static const struct {
		const char *text;
		const char *name; /* NULL: refused */
		unsigned port;
		bool is_unix;
	} cases[] = {
		{ "127.0.0.1:143", "127.0.0.1", 143, false },
		{ "[2001:db8::1]:65535", "2001:db8::1", 65535, false },
		{ "mail.lan:25", "mail.lan", 25, false },
		{ "unix:/run/lmtp", "/run/lmtp", 0, true },
		{ "unix:/", NULL, 0, false },
		{ "unix:run", NULL, 0, false },
		{ "mail.lan", NULL, 0, false },
		{ "mail.lan:", NULL, 0, false },
		{ ":25", NULL, 0, false },
		{ "mail.lan:0", NULL, 0, false },
		{ "mail.lan:65536", NULL, 0, false },
		{ "mail.lan:25x", NULL, 0, false },
		{ "[mail.lan]:25", NULL, 0, false },
		{ "2001:db8::1:25", NULL, 0, false },
		{ "[]:25", NULL, 0, false },
		{ "", NULL, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct config_host host = { .port = 7 };
		bool fits = config_host_parse(slice_str(cases[i].text), &host);

		assert_int_equal(fits, cases[i].name != NULL);
		if (!fits) {
			assert_int_equal(host.port, 7);
			continue;
		}
		assert_string_equal(host.name, cases[i].name);
		assert_int_equal(host.port, cases[i].port);
		assert_int_equal(host.is_unix, cases[i].is_unix);
	}
}

static void files_are_loaded(void **state)
{
	char path[] = "/tmp/gatepost-test-XXXXXX";
	struct config_error error = { "" };
	struct config *config = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, full, sizeof full - 1), sizeof full - 1);
	assert_int_equal(config_load(path, &config, &error), GP_OK);
	assert_int_equal(config->route_count, 3);
	config_free(&config);
	assert_int_equal(ftruncate(fd, CONFIG_TEXT_MAX + 1), 0);
	assert_int_equal(config_load(path, &config, &error), GP_ERR_CONFIG);
	assert_non_null(strstr(error.text, "1 MiB"));
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(config_load(path, &config, &error), GP_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, path));
	assert_int_equal(config_load("/", &config, &error), GP_ERR_IO);
	assert_null(config);
}

/* The one that is for the name, else a wide one, else the first. */
static void test_certificate_of_a_name(void **state)
{
	char *names[] = { (char[]){ "*.b.test" }, (char[]){ "a.b.test" }, (char[]){ "x.test" } };
	struct config_certificate certificates[] = {
		{ .names = { NULL, 0 } },
		{ .names = { &names[0], 1 } },
		{ .names = { &names[1], 2 } },
	};
	struct config config = { .certificates = certificates };

	(void)state;
	assert_null(config_certificate_for(&config, SLICE_LIT("a.b.test")));
	config.certificate_count = 3;
	assert_ptr_equal(config_certificate_for(&config, SLICE_LIT("A.b.test")), &certificates[2]);
	assert_ptr_equal(config_certificate_for(&config, SLICE_LIT("x.test")), &certificates[2]);
	assert_ptr_equal(config_certificate_for(&config, SLICE_LIT("c.b.test")), &certificates[1]);
	assert_ptr_equal(
		config_certificate_for(&config, SLICE_LIT("d.c.b.test")), &certificates[0]);
	assert_ptr_equal(config_certificate_for(&config, SLICE_LIT("b.test")), &certificates[0]);
	assert_ptr_equal(config_certificate_for(&config, SLICE_LIT("host")), &certificates[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_of_a_name),
		cmocka_unit_test(shown_configuration_parses_to_the_same),
		cmocka_unit_test(routes_fall_back_to_the_star),
		cmocka_unit_test(hosts_are_taken_apart),
		cmocka_unit_test(files_are_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
