/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/check.h"
#include "base/ip.h"

static struct ip parsed(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(slice_str(text), &ip), GP_OK);
	return ip;
}

static void test_parse_and_format(void **state)
{
	static const struct {
		const char *text;
		const char *shown; /* NULL: malformed */
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:DB8::0001", "2001:db8::1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::ffff:c000:201", "192.0.2.1" },
		{ "0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.256", NULL },
		{ "192.0.2.1 ", NULL },
		{ "192.0.2.01", NULL },
		{ "0x7f.1", NULL },
		{ "2130706433", NULL },
		{ "[::1]", NULL },
		{ "fe80::1%eth0", NULL },
		{ ":::", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:10:11:12:13:14:15", NULL },
		{ "localhost", NULL },
	};
	char out[IP_TEXT_SIZE];
	struct ip none = { 0 };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct ip ip = { .family = 99 };
		enum gp_err err = ip_parse(slice_str(cases[i].text), &ip);

		if (cases[i].shown == NULL) {
			assert_int_equal(err, GP_ERR_SYNTAX);
			assert_int_equal(ip.family, 99);
		} else {
			assert_int_equal(err, GP_OK);
			assert_string_equal(ip_format(&ip, out), cases[i].shown);
		}
	}
	assert_int_equal(ip_parse(SLICE_LIT("1.2.3.4\0"), &none), GP_ERR_SYNTAX);
	assert_string_equal(ip_format(&none, out), "none");
}

static void test_sockaddr(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1" };
	struct sockaddr_storage storage;
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct ip ip;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		struct ip from = parsed(texts[i]);

		assert_true(ip_to_sockaddr(&from, 465, &storage) > 0);
		ip_from_sockaddr((const struct sockaddr *)&storage, &ip, &port);
		assert_true(ip_equal(&ip, &from));
		assert_int_equal(port, 465);
	}
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr), 1);
	ip_from_sockaddr((const struct sockaddr *)&mapped, &ip, &port);
	assert_int_equal(ip.family, IP_V4);
	assert_int_equal(port, 25);
	ip_from_sockaddr((const struct sockaddr *)&local, &ip, &port);
	assert_int_equal(ip.family, IP_NONE);
	assert_int_equal(port, 0);
	assert_int_equal(ip_to_sockaddr(&ip, 25, &storage), 0);
}

static void test_equal_and_loopback(void **state)
{
	struct ip a = parsed("127.0.0.1");
	struct ip b = parsed("::ffff:127.0.0.1");
	struct ip c = parsed("::1");
	struct ip d = parsed("127.255.0.9");
	struct ip e = parsed("128.0.0.1");
	struct ip f = parsed("::");
	struct ip none = { 0 };

	(void)state;
	assert_true(ip_equal(&a, &b));
	assert_false(ip_equal(&a, &d));
	assert_true(ip_is_loopback(&a) && ip_is_loopback(&c) && ip_is_loopback(&d));
	assert_false(ip_is_loopback(&e) || ip_is_loopback(&f) || ip_is_loopback(&none));
	/* 0.0.0.0 and :: share their bytes, not their family. */
	a = parsed("0.0.0.0");
	assert_false(ip_equal(&a, &f));
}

static void test_sources(void **state)
{
	static const struct {
		const char *address;
		const char *source;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "2001:db8:1:2::", "2001:db8:1:2::/64" },
		{ "::1", "::/64" },
	};
	static const char *const malformed[] = { "2001:db8::/65", "2001:db8::/63", "192.0.2.0/24",
		"2001:db8:0:0:1::/64", "", "/64", "192.0.2.1/", "x" };
	char out[IP_TEXT_SIZE];
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct ip source;
		struct ip back;

		ip = parsed(cases[i].address);
		source = ip_source(&ip);
		assert_string_equal(ip_format_source(&source, out), cases[i].source);
		/* Both the address and the shown form lead to the same source. */
		assert_int_equal(ip_parse_source(slice_str(out), &back), GP_OK);
		assert_true(ip_equal(&back, &source));
		assert_int_equal(ip_parse_source(slice_str(cases[i].address), &back), GP_OK);
		assert_true(ip_equal(&back, &source));
	}
	for (size_t i = 0; i < GP_ARRAY_LEN(malformed); i++)
		assert_int_equal(ip_parse_source(slice_str(malformed[i]), &ip), GP_ERR_SYNTAX);
	assert_int_equal(ip_parse_source(SLICE_LIT("192.0.2.9/32"), &ip), GP_OK);
}

static void test_networks(void **state)
{
	static const struct {
		const char *net;
		const char *inside;
		const char *outside;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
		{ "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
		{ "192.0.2.7/32", "192.0.2.7", "192.0.2.6" },
		{ "192.0.2.7", "192.0.2.7", "192.0.2.8" },
		{ "0.0.0.0/0", "255.255.255.255", "::1" },
		{ "::/0", "2001:db8::1", "192.0.2.1" },
		{ "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::" },
		{ "2001:db8::1/128", "2001:db8::1", "2001:db8::2" },
		{ "10.0.0.0/9", "10.127.255.255", "10.128.0.0" },
	};
	static const char *const malformed[] = { "192.0.2.1/24", "192.0.2.0/33", "2001:db8::/129",
		"2001:db8::1/64", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/ 24", "192.0.2.0/24/8",
		"/24", "0.0.0.1/0", "" };
	char out[IP_TEXT_SIZE];
	struct ip_net nets[2];
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		assert_int_equal(ip_net_parse(slice_str(cases[i].net), &nets[0]), GP_OK);
		ip = parsed(cases[i].inside);
		assert_true(ip_net_contains(&nets[0], &ip));
		ip = parsed(cases[i].outside);
		assert_false(ip_net_contains(&nets[0], &ip));
		if (strstr(cases[i].net, "/32") == NULL && strstr(cases[i].net, "/128") == NULL)
			assert_string_equal(ip_net_format(&nets[0], out), cases[i].net);
	}
	for (size_t i = 0; i < GP_ARRAY_LEN(malformed); i++) {
		nets[0].prefix = 99;
		assert_int_equal(ip_net_parse(slice_str(malformed[i]), &nets[0]), GP_ERR_SYNTAX);
		assert_int_equal(nets[0].prefix, 99);
	}
	assert_int_equal(ip_net_parse(SLICE_LIT("10.0.0.0/8"), &nets[0]), GP_OK);
	assert_int_equal(ip_net_parse(SLICE_LIT("fd00::/8"), &nets[1]), GP_OK);
	ip = parsed("fdff::1");
	assert_true(ip_nets_contain(nets, 2, &ip));
	assert_false(ip_nets_contain(nets, 1, &ip));
	assert_false(ip_nets_contain(NULL, 0, &ip));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_equal_and_loopback),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
