/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "config/config.h"

/* A whole configuration on lines 1 to 5, to which cases add from line 6 on. */
#define BASE                                                           \
	"hostname = mail.example.test\n"                               \
	"listener imaps { }\n"                                         \
	"certificate main { chain_file = /c.pem key_file = /k.pem }\n" \
	"backend store { protocol = imap hosts = 127.0.0.1:143 }\n"    \
	"route * { imap = store }\n"

static struct config *parse_ok(const char *text)
{
	struct config_error error = { "" };
	struct config *config = NULL;

	if (config_parse(slice_str(text), "f", &config, &error) != GP_OK)
		fail_msg("%s\n%s", error.text, text);
	return config;
}

static void defaults_are_documented_ones(void **state)
{
	struct config *config = parse_ok(BASE);

	(void)state;
	assert_string_equal(config->hostname, "mail.example.test");
	assert_string_equal(config->portal_url, "https://mail.example.test/");
	assert_null(config->default_domain);
	assert_string_equal(config->database, "/var/lib/gatepost/gatepost.db");
	assert_int_equal(config->autoban_failures, 5);
	assert_int_equal(config->autoban_window, 1200);
	assert_int_equal(config->autoban_time, 1800);
	assert_int_equal(config->autoban_count, CONFIG_COUNT_EVERY);
	assert_int_equal(config->autoban_exempt.count, 0);
	assert_false(config->autoban_loopback);
	assert_int_equal(config->signin_wait, 2000);
	assert_int_equal(config->login_timeout, 30);
	assert_int_equal(config->login_commands, 20);
	assert_int_equal(config->login_attempts, 3);
	assert_int_equal(config->argon2_memory, 19456);
	assert_int_equal(config->message_size, 50 * 1024 * 1024);
	assert_int_equal(config->signin_required_code, 550);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_int_equal(config->listener_count, 1);
	assert_int_equal(config->listeners[0].service, SERVICE_IMAPS);
	assert_int_equal(config->listeners[0].port, 993);
	assert_int_equal(config->listeners[0].addresses.count, 1);
	assert_string_equal(config->listeners[0].addresses.items[0], "*");
	assert_int_equal(config->backends[0].auth, CONFIG_AUTH_TOKEN);
	assert_int_equal(config->backends[0].tls, CONFIG_TLS_OFF);
	assert_int_equal(config->backends[0].client_address, CONFIG_CLIENT_ID);
	config_free(&config);
	assert_null(config);
}

static void values_are_taken(void **state)
{
	struct config *config = parse_ok(
		BASE "default_domain = Example.TEST\n"
		     "autoban_time = 2h; autoban_window = 90 # a comment\n"
		     "signin_wait = 1500ms\n"
		     "message_size = 10m\n"
		     "autoban_count = 'distinct'\n"
		     "autoban_exempt = { 192.0.2.0/24, # in a list\n\t\"2001:db8::/32\", ::1, }\n"
		     "settable_clock = on\r\n"
		     "control_socket = \"/run/a \\\"b\\\" \\\\\"\n"
		     "state_dir = '/var/\\lib'\n"
		     "listener sub { service = submission addresses = {192.0.2.1, ::} port = 2587\n"
		     "proxy_protocol = yes proxy_from = 192.0.2.9 }\n"
		     "backend lmtp { hosts = { unix:/run/lmtp, \"[2001:db8::1]:24\" } }\n"
		     "backend out { protocol = smtp hosts = mx.lan:25 tls = starttls\n"
		     "auth_user = gate auth_password_file = /p }\n"
		     "route Example.ORG { smtp = out incoming = lmtp }\n");

	(void)state;
	assert_string_equal(config->default_domain, "example.test");
	assert_int_equal(config->autoban_time, 7200);
	assert_int_equal(config->autoban_window, 90);
	assert_int_equal(config->signin_wait, 1500);
	assert_int_equal(config->message_size, 10 * 1024 * 1024);
	assert_int_equal(config->autoban_count, CONFIG_COUNT_DISTINCT);
	assert_int_equal(config->autoban_exempt.count, 3);
	assert_int_equal(config->autoban_exempt.nets[0].prefix, 24);
	assert_int_equal(config->autoban_exempt.nets[2].prefix, 128);
	assert_true(config->settable_clock);
	assert_string_equal(config->control_socket, "/run/a \"b\" \\");
	assert_string_equal(config->state_dir, "/var/\\lib");
	assert_string_equal(config->database, "/var/\\lib/gatepost.db");
	assert_int_equal(config->listeners[1].service, SERVICE_SUBMISSION);
	assert_int_equal(config->listeners[1].addresses.count, 2);
	assert_int_equal(config->listeners[1].port, 2587);
	assert_int_equal(config->listeners[1].proxy_from.count, 1);
	assert_int_equal(config->backends[1].protocol, CONFIG_BACKEND_LMTP);
	assert_int_equal(config->backends[1].hosts.count, 2);
	assert_int_equal(config->backends[2].auth, CONFIG_AUTH_MASTER);
	assert_string_equal(config->routes[1].domain, "example.org");
	config_free(&config);
}

struct wrong {
	const char *text; /* after BASE */
	const char *message;
};

static void check_wrong(const char *text, const char *message)
{
	struct config_error error = { "" };
	struct config *config = NULL;
	enum gp_err err = config_parse(slice_str(text), "f", &config, &error);

	assert_null(config);
	if (err != GP_ERR_CONFIG || strcmp(error.text, message) != 0)
		fail_msg("\n got: %s\nwant: %s\n%s", error.text, message, text);
}

static void check_all(const struct wrong *all, size_t count)
{
	char text[4096];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof text, "%s%s", BASE, all[i].text);
		check_wrong(text, all[i].message);
	}
}

static void syntax_errors_name_the_line(void **state)
{
	static const struct wrong all[] = {
		{ "\n# c\n\nx", "f:9: unknown section \"x\"" },
		{ "autoban_tiem = 5", "f:6: unknown option \"autoban_tiem\"; did you mean "
				      "autoban_time?" },
		{ "colour = red", "f:6: unknown option \"colour\"" },
		{ "listner a { }", "f:6: unknown section \"listner\"; did you mean listener?" },
		{ "hosts = a:1", "f:6: \"hosts\" belongs in a backend section" },
		{ "listener imap {\nlog = syslog\n}",
			"f:7: \"log\" belongs outside of sections, not in a listener" },
		{ "listener imap {\nprot = 5\n}",
			"f:7: unknown listener option \"prot\"; did you mean port?" },
		{ "log", "f:6: \"=\" expected, not the end of the file" },
		{ "log stderr", "f:6: \"=\" expected, not \"stderr\"" },
		{ "log =\n\n", "f:8: a value expected, not the end of the file" },
		{ "log = = x", "f:6: a value expected, not \"=\"" },
		{ "= x", "f:6: an option or a section expected, not \"=\"" },
		{ "}", "f:6: \"}\" without a section" },
		{ "log = syslog }", "f:6: \"}\" without a section" },
		{ "listener imap {\nport = 1\n",
			"f:8: \"}\" is missing for the listener section of line 6" },
		{ "listener imap {\nroute x { }",
			"f:7: route section inside the listener section of line 6; is a \"}\" "
			"missing?" },
		{ "listener { }", "f:6: a listener section needs a NAME: listener NAME { ... }" },
		{ "listener \"a b\" { }", "f:6: \"a b\" is not a NAME for a listener section" },
		{ "route -x { }", "f:6: \"-x\" is not a DOMAIN for a route section" },
		{ "listener imaps { }", "f:6: there is a listener \"imaps\" already, on line 2" },
		{ "log = stderr\nlog = stderr", "f:7: log is set twice; first on line 6" },
		{ "listener imap { port = 1\nport = 1 }",
			"f:7: port is set twice; first on line 6" },
		{ "log = {stderr}", "f:6: log takes one value, not a list" },
		{ "autoban_exempt = {::1 ::2}", "f:6: \",\" or \"}\" expected, not \"::2\"" },
		{ "autoban_exempt = {::1",
			"f:6: \",\" or \"}\" expected, not the end of the file" },
		{ "autoban_exempt = {,}", "f:6: a value expected, not \",\"" },
		{ "log = \"syslog\nlog = x", "f:6: a string is not closed with \" on its line" },
		{ "log = 'syslog", "f:6: a string is not closed with ' on its line" },
		{ "log = \"a\\n\"", "f:6: in \"...\" only \\\" and \\\\ may follow a backslash; in "
				    "'...' it stands for itself" },
		{ "log = \"a\\", "f:6: in \"...\" only \\\" and \\\\ may follow a backslash; in "
				 "'...' it stands for itself" },
		{ "include(\"/etc/passwd\")", "f:6: unknown section \"include(\"" },
		{ "log = \x01", "f:6: control byte 0x01; this is a text file" },
		{ "log = \xff", "f:6: text that is not UTF-8" },
	};

	(void)state;
	check_all(all, GP_ARRAY_LEN(all));
}

static void values_out_of_bounds_are_refused(void **state)
{
	static const struct wrong all[] = {
		{ "autoban_window = 0", "f:6: autoban_window: must be 1s to 30d, not 0" },
		{ "autoban_window = 31d", "f:6: autoban_window: must be 1s to 30d, not 31d" },
		{ "autoban_window = 99999999999999999999999",
			"f:6: autoban_window: must be 1s to 30d, not 99999999999999999999999" },
		{ "autoban_window = -5",
			"f:6: autoban_window: \"-5\" is not a time: a number of seconds, or with "
			"s, m, h or d as in 20m" },
		{ "autoban_window = 5x",
			"f:6: autoban_window: \"5x\" is not a time: a number of seconds, or with "
			"s, m, h or d as in 20m" },
		{ "autoban_window = m",
			"f:6: autoban_window: \"m\" is not a time: a number of seconds, or with "
			"s, m, h or d as in 20m" },
		{ "autoban_failures = 5x", "f:6: autoban_failures: \"5x\" is not a whole number" },
		{ "autoban_failures = ''", "f:6: autoban_failures: \"\" is not a whole number" },
		{ "autoban_failures = 0x5",
			"f:6: autoban_failures: \"0x5\" is not a whole number" },
		{ "autoban_failures = 1001", "f:6: autoban_failures: must be 1 to 1000, not 1001" },
		{ "message_size = 5T",
			"f:6: message_size: \"5T\" is not a size: a number of bytes, or with K, M "
			"or G as in 50M" },
		{ "message_size = 5G", "f:6: message_size: must be 64K to 4G, not 5G" },
		{ "autoban_count = evry", "f:6: autoban_count: must be every or distinct, not "
					  "\"evry\"; did you mean every?" },
		{ "log_level = loud", "f:6: log_level: must be fatal, error, warn, info or debug, "
				      "not \"loud\"" },
		{ "settable_clock = maybe", "f:6: settable_clock: \"maybe\" is not yes or no" },
		{ "state_dir = var/lib", "f:6: state_dir: \"var/lib\" is not an absolute path" },
		{ "portal_url = ftp://x", "f:6: portal_url: \"ftp://x\" is not an http:// or "
					  "https:// URL" },
		{ "portal_url = \"https://x y\"",
			"f:6: portal_url: \"https://x y\" is not an http:// or https:// URL" },
		{ "default_domain = a..b",
			"f:6: default_domain: \"a..b\" is not a host or domain name" },
		{ "default_domain = ${HOME}",
			"f:6: default_domain: \"$\" is not a host or domain name" },
		{ "autoban_exempt = 192.0.2.1/24", "f:6: autoban_exempt: \"192.0.2.1/24\" is not a "
						   "network: wrong prefix, or bits set behind it" },
		{ "autoban_exempt = example.test",
			"f:6: autoban_exempt: \"example.test\" is not a network such as "
			"192.0.2.0/24, or an IP address" },
		{ "front_user = 'a b'", "f:6: front_user: \"a b\" is not a user name or number" },
		{ "listener imap { port = 0 }", "f:6: port: must be 1 to 65535, not 0" },
		{ "listener imap { port = 65536 }", "f:6: port: must be 1 to 65535, not 65536" },
		{ "listener imap { addresses = mail.lan }",
			"f:6: addresses: \"mail.lan\" is not an IP address or \"*\"" },
		{ "backend b { hosts = mail.lan }",
			"f:6: hosts: \"mail.lan\" is not HOST:PORT, [IPv6]:PORT or unix:/PATH" },
		{ "backend b { hosts = mail.lan:0 }",
			"f:6: hosts: \"mail.lan:0\" is not HOST:PORT, [IPv6]:PORT or unix:/PATH" },
		{ "backend b { hosts = ::1:25 }",
			"f:6: hosts: \"::1:25\" is not HOST:PORT, [IPv6]:PORT or unix:/PATH" },
		{ "backend b { hosts = unix:run }",
			"f:6: hosts: \"unix:run\" is not HOST:PORT, [IPv6]:PORT or unix:/PATH" },
	};

	(void)state;
	check_all(all, GP_ARRAY_LEN(all));
}

static void what_cannot_work_together_is_refused(void **state)
{
	static const struct wrong all[] = {
		{ "listener x { }", "f:6: service is missing: what is offered; a section named "
				    "after one of its values needs none" },
		{ "listener imap { addresses = {} }",
			"f:6: addresses is empty: leave it out to listen on all of them" },
		{ "listener imap { port = 993 }",
			"f:6: address * port 993 is taken by listener \"imaps\" of line 2" },
		{ "listener imap { port = 993\naddresses = 192.0.2.1 }",
			"f:7: address 192.0.2.1 port 993 is taken by listener \"imaps\" of line "
			"2" },
		{ "listener imap { addresses = {::1, 0::1} }",
			"f:6: address 0::1 port 143 is taken by listener \"imap\" of line 6" },
		{ "listener imap { certificate = man }",
			"f:6: certificate: there is no certificate section \"man\"; did you mean "
			"main?" },
		{ "listener imap {\nproxy_protocol = yes }",
			"f:7: proxy_protocol without proxy_from: anyone could forge an address; "
			"name the load balancers" },
		{ "listener imap { proxy_from = ::1 }",
			"f:6: proxy_from without proxy_protocol = yes" },
		{ "listener pop3s { }", "f:6: no route names a backend for pop3s" },
		{ "listener submission { }", "f:6: no route names a backend for submission" },
		{ "certificate b { key_file = /k }",
			"f:6: chain_file is missing: PEM file: the certificate and its chain" },
		{ "certificate b { key_file = /k chain_file = /c names = {a.b, a.c, A.B} }",
			"f:6: name a.b is in certificate \"b\" already" },
		{ "backend b { protocol = imap }",
			"f:6: hosts is missing: HOST:PORT, [IPv6]:PORT or unix:/PATH, tried in "
			"order" },
		{ "backend imap { hosts = {} }",
			"f:6: hosts is missing: HOST:PORT, [IPv6]:PORT or unix:/PATH, tried in "
			"order" },
		{ "backend smtp { hosts = a:25 auth = token }",
			"f:6: auth: an SMTP or LMTP backend knows no users' sign-in; Gatepost "
			"signs in itself, with auth_user" },
		{ "backend lmtp { hosts = a:25 auth_user = x auth_password_file = /x }",
			"f:6: auth_user: LMTP has no sign-in" },
		{ "backend imap { hosts = a:25 auth = master }",
			"f:6: auth = master needs auth_user and auth_password_file" },
		{ "backend imap { hosts = a:25 auth_user = x }",
			"f:6: auth_user is of use with auth = master only" },
		{ "backend smtp { hosts = a:25 auth_user = x }",
			"f:6: auth_user needs auth_password_file" },
		{ "backend smtp { hosts = a:25 auth_password_file = /x }",
			"f:6: auth_password_file without auth_user" },
		{ "backend smtp { hosts = a:25 tls_name = a }",
			"f:6: tls_name with tls = off: there is no certificate to check" },
		{ "backend smtp { hosts = a:25 tls = starttls ca_file = /a }",
			"f:6: ca_file without tls_name: the certificate would not be checked" },
		{ "route a.test { imap = stroe }",
			"f:6: imap: there is no backend section \"stroe\"; did you mean store?" },
		{ "route a.test { smtp = store }",
			"f:6: smtp: backend \"store\" speaks another protocol" },
		{ "route a.test { pop3 = store }",
			"f:6: pop3: backend \"store\" speaks another protocol" },
	};

	(void)state;
	check_all(all, GP_ARRAY_LEN(all));
}

/* The longest part before an @: 64 bytes. */
#define LONG_LOCAL "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void what_is_wrong_about_sending_is_refused(void **state)
{
	static const struct wrong all[] = {
		{ "sending_plan = bulk", "f:6: sending_plan: there is no plan section \"bulk\"" },
		{ "plan bulk { }\nsending_source_plan = bukl",
			"f:7: sending_source_plan: there is no plan section \"bukl\"; did you mean "
			"bulk?" },
		{ "route a.test { plan = x }", "f:6: plan: there is no plan section \"x\"" },
		{ "route a.test { domain_plan = x }",
			"f:6: domain_plan: there is no plan section \"x\"" },
		{ "staff_notice = \"staff@\"", "f:6: staff_notice: \"staff@\" is not an address "
					       "such as staff@example.com" },
		{ "staff_notice = {\"a@b.test\", \"a b@c.test\"}",
			"f:6: staff_notice: \"a b@c.test\" is not an address such as "
			"staff@example.com" },
		{ "staff_notice = \"a@b@c.test\"",
			"f:6: staff_notice: \"a@b@c.test\" is not an address such as "
			"staff@example.com" },
		{ "staff_notice = \"\xc3\xa9@c.test\"",
			"f:6: staff_notice: \"\xc3\xa9@c.test\" is not an address such as "
			"staff@example.com" },
		{ "staff_notice = \"@c.test\"", "f:6: staff_notice: \"@c.test\" is not an address "
						"such as staff@example.com" },
		{ "staff_notice = \"" LONG_LOCAL "x@c.test\"",
			"f:6: staff_notice: \"" LONG_LOCAL "x@c.test\" is not an address such as "
			"staff@example.com" },
		{ "staff_notice = \"x>@c.test\"",
			"f:6: staff_notice: \"x>@c.test\" is not an address such as "
			"staff@example.com" },
		{ "sending_block_hook = {\"/x\", \"{acount}\"}",
			"f:6: sending_block_hook: \"{acount}\" is not text in which {account} and "
			"{reason} are filled in" },
		{ "sending_block_hook = {\"/x\", \"}\"}", "f:6: sending_block_hook: \"}\" is not "
							  "text in which {account} and {reason} "
							  "are filled in" },
		{ "sending_block_hook = {x}",
			"f:6: sending_block_hook: its first word must be the absolute path of a "
			"program" },
		{ "sending_block_hook = {\"/{account}\"}",
			"f:6: sending_block_hook: its first word must be the absolute path of a "
			"program" },
		{ "sending_block_hook = {/x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, "
		  "x, x, x, x, x, x, x, x, x, x, x, x, x, x}",
			"f:6: sending_block_hook: more than 32 words" },
		{ "sending_slow = 61", "f:6: sending_slow is above sending_ask: nobody would ever "
				       "be slowed down" },
		{ "sending_ask = 101",
			"f:6: sending_ask is above sending_block: nobody would ever be asked" },
	};

	(void)state;
	check_all(all, GP_ARRAY_LEN(all));
}

static void what_must_be_there_is_asked_for(void **state)
{
	(void)state;
	check_wrong("", "f:1: hostname is missing: name the server greets with, as the world's DNS "
			"has it");
	check_wrong("hostname = a", "f:1: there is no listener section: nothing would be served");
	check_wrong("hostname = a\nlistener imaps { }",
		"f:2: imaps needs a certificate, and there is no certificate section");
	check_wrong("hostname = a\nlistener imap { }",
		"f:2: nobody could sign in to imap: there is no certificate section for TLS, and "
		"no plaintext_networks");
}

static void nobody_signs_in_without_tls_from_everywhere(void **state)
{
	static const char fault[] =
		"plaintext_networks would be the whole world: list the networks of "
		"the devices that know no TLS";
	char expected[256];

	(void)state;
	(void)snprintf(expected, sizeof expected, "f:2: %s", fault);
	check_wrong(
		"hostname = a\nlistener imap { plaintext_networks = {\"0.0.0.0/0\"} }", expected);
	check_wrong(
		"hostname = a\nlistener imap { plaintext_networks = {\"192.0.2.1\", \"::/0\"} }",
		expected);
}

static void nul_and_size_are_bounded(void **state)
{
	static char text[CONFIG_TEXT_MAX + 2];
	static const char nul[] = "log = a\0b\n";
	struct config_error error = { "" };
	struct config *config = NULL;

	(void)state;
	assert_int_equal(
		config_parse(slice_of(nul, sizeof nul - 1), "f", &config, &error), GP_ERR_CONFIG);
	assert_string_equal(error.text, "f:1: control byte 0x00; this is a text file");
	memset(text, '#', sizeof text);
	assert_int_equal(config_parse(slice_of(text, CONFIG_TEXT_MAX + 1), "f", &config, &error),
		GP_ERR_CONFIG);
	assert_string_equal(error.text, "f:1: the file is longer than 1 MiB");
	memset(text, 'a', 5000);
	assert_int_equal(config_parse(slice_of(text, 5000), "f", &config, &error), GP_ERR_CONFIG);
	assert_string_equal(error.text, "f:1: a word is longer than 4096 bytes");
	assert_null(config);
}

static void lists_are_bounded(void **state)
{
	static char text[64 * 1024];
	size_t used = 0;

	(void)state;
	used += (size_t)snprintf(text, sizeof text, "%sautoban_exempt = {", BASE);
	for (int i = 0; i < 1025; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "::%x,", i);
	(void)snprintf(text + used, sizeof text - used, "}");
	check_wrong(text, "f:6: autoban_exempt: more than 1024 items");
}

static void a_failure_leaves_the_next_parse_alone(void **state)
{
	struct config *config;

	(void)state;
	check_wrong("log = \"", "f:1: a string is not closed with \" on its line");
	config = parse_ok("\xef\xbb\xbf" BASE);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_documented_ones),
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(syntax_errors_name_the_line),
		cmocka_unit_test(values_out_of_bounds_are_refused),
		cmocka_unit_test(what_cannot_work_together_is_refused),
		cmocka_unit_test(what_is_wrong_about_sending_is_refused),
		cmocka_unit_test(what_must_be_there_is_asked_for),
		cmocka_unit_test(nobody_signs_in_without_tls_from_everywhere),
		cmocka_unit_test(nul_and_size_are_bounded),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(a_failure_leaves_the_next_parse_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
