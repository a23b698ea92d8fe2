/* SPDX-License-Identifier: ISC */
#include "setup/offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

static const char text[] = "hostname = \"mail.example.test\"\n"
			   "certificate \"main\" { chain_file = \"/c\" key_file = \"/k\" }\n"
			   "listener \"imaps\" { port = 10993 }\n"
			   "listener \"more\" { service = imaps port = 993 }\n"
			   "listener \"last\" { service = imaps port = 20993 }\n"
			   "listener \"imap\" { }\n"
			   "listener \"pop3s\" { }\n"
			   "listener \"submission\" { }\n"
			   "listener \"smtp\" { }\n"
			   "listener \"https\" { port = 8443 }\n"
			   "backend \"imap\" { hosts = {\"127.0.0.1:1143\"} }\n"
			   "backend \"pop3\" { hosts = {\"127.0.0.1:1110\"} }\n"
			   "backend \"lmtp\" { hosts = {\"127.0.0.1:1024\"} }\n"
			   "route \"*\" { imap = \"imap\" smtp = \"lmtp\" }\n"
			   "route \"old.test\" { pop3 = \"pop3\" }\n";

static struct config *parse(void)
{
	struct config *config = NULL;
	struct config_error error;

	if (config_parse(slice_str(text), "test.conf", &config, &error) != GP_OK)
		fail_msg("%s", error.text);
	return config;
}

/* What everybody expects goes before what stands first; what is routed nowhere is not offered. */
static void test_ports(void **state)
{
	struct config *config = parse();
	struct offers offers = offer_read(config, SLICE_LIT("example.test"));

	(void)state;
	assert_string_equal(offers.hostname, "mail.example.test");
	assert_int_equal(offers.ports[SERVICE_IMAPS], 993);
	assert_int_equal(offers.ports[SERVICE_IMAP], 143);
	assert_int_equal(offers.ports[SERVICE_POP3S], 0);
	assert_int_equal(offers.ports[SERVICE_POP3], 0);
	assert_int_equal(offers.ports[SERVICE_SUBMISSION], 587);
	assert_int_equal(offers.ports[SERVICE_SUBMISSIONS], 0);
	assert_int_equal(offers.ports[SERVICE_SMTP], 25);
	assert_int_equal(offers.ports[SERVICE_HTTPS], 8443);
	offers = offer_read(config, SLICE_LIT("old.test"));
	assert_int_equal(offers.ports[SERVICE_POP3S], 995);
	config_free(&config);
}

static void test_lists(void **state)
{
	struct offers offers = {
		.ports = { [SERVICE_IMAP] = 143, [SERVICE_IMAPS] = 993, [SERVICE_SUBMISSION] = 587 }
	};
	struct offer_list list = offer_list(&offers, PROTOCOL_IMAP);

	(void)state;
	assert_int_equal(list.count, 2);
	assert_int_equal(list.services[0], SERVICE_IMAPS);
	assert_int_equal(list.services[1], SERVICE_IMAP);
	list = offer_list(&offers, PROTOCOL_SMTP);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.services[0], SERVICE_SUBMISSION);
	assert_int_equal(offer_list(&offers, PROTOCOL_POP3).count, 0);
}

static void test_urls(void **state)
{
	static const struct {
		const char *url;
		const char *host;
		uint16_t port;
	} cases[] = {
		{ "https://mail.example.test/", "mail.example.test", 443 },
		{ "https://mail.example.test", "mail.example.test", 443 },
		{ "https://mail.example.test:8443/x?y#z", "mail.example.test", 8443 },
		{ "http://mail.example.test/a:1", "mail.example.test", 80 },
		{ "https://user:pw@mail.example.test/", "mail.example.test", 443 },
		{ "https://[2001:db8::1]/", "2001:db8::1", 443 },
		{ "https://[2001:db8::1]:444/", "2001:db8::1", 444 },
		{ "https://mail.example.test:0/", "mail.example.test", 443 },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		assert_true(slice_is(offer_url_host(cases[i].url), cases[i].host));
		assert_int_equal(offer_url_port(cases[i].url), cases[i].port);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
