/* SPDX-License-Identifier: ISC */
#include "setup/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

#include "setup/sts.h"

enum {
	ROOM = 8192
};

static char hostname[] = "mail.example.test";
static char portal_url[] = "https://portal.example.test:8443/";
static char numeric_url[] = "https://192.0.2.1/";
static char *mx[] = { (char[]){ "mx1.example.test" }, (char[]){ "*.example.test" },
	(char[]){ "mx2.example.test" } };

static enum gp_err gather(const struct zone_record *record, void *out)
{
	return buf_printf(out, "%s %s %s\n", record->name, record->type, record->value);
}

static void expect(const struct config *config, const char *domain, const char *wanted)
{
	struct buf out;

	buf_init(&out, ROOM);
	assert_int_equal(zone_each(config, slice_str(domain), gather, &out), GP_OK);
	assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
	assert_string_equal(buf_slice(&out).data, wanted);
	buf_fini(&out);
}

static void test_records(void **state)
{
	struct config_listener listeners[] = { { .service = SERVICE_SMTP, .port = 25 },
		{ .service = SERVICE_HTTPS, .port = 8443 } };
	struct config config = { .hostname = hostname,
		.portal_url = portal_url,
		.mta_sts = CONFIG_STS_NONE,
		.mx_names = { mx, 3 } };

	(void)state;
	expect(&config, "a.test",
		"_submissions._tcp.a.test. SRV 0 0 0 .\n"
		"_submission._tcp.a.test. SRV 0 0 0 .\n"
		"_imaps._tcp.a.test. SRV 0 0 0 .\n"
		"_imap._tcp.a.test. SRV 0 0 0 .\n"
		"_pop3s._tcp.a.test. SRV 0 0 0 .\n"
		"_pop3._tcp.a.test. SRV 0 0 0 .\n");
	config.listeners = listeners;
	config.listener_count = 2;
	expect(&config, "a.test",
		"a.test. MX 10 mx1.example.test.\n"
		"a.test. MX 30 mx2.example.test.\n"
		"_submissions._tcp.a.test. SRV 0 0 0 .\n"
		"_submission._tcp.a.test. SRV 0 0 0 .\n"
		"_imaps._tcp.a.test. SRV 0 0 0 .\n"
		"_imap._tcp.a.test. SRV 0 0 0 .\n"
		"_pop3s._tcp.a.test. SRV 0 0 0 .\n"
		"_pop3._tcp.a.test. SRV 0 0 0 .\n"
		"autoconfig.a.test. CNAME portal.example.test.\n"
		"autodiscover.a.test. CNAME portal.example.test.\n"
		"_autodiscover._tcp.a.test. SRV 0 1 8443 portal.example.test.\n");
	/* A CNAME leads to a name. */
	config.portal_url = numeric_url;
	config.mx_names.count = 0;
	config.listener_count = 1;
	listeners[0].service = SERVICE_HTTPS;
	expect(&config, "a.test",
		"_submissions._tcp.a.test. SRV 0 0 0 .\n"
		"_submission._tcp.a.test. SRV 0 0 0 .\n"
		"_imaps._tcp.a.test. SRV 0 0 0 .\n"
		"_imap._tcp.a.test. SRV 0 0 0 .\n"
		"_pop3s._tcp.a.test. SRV 0 0 0 .\n"
		"_pop3._tcp.a.test. SRV 0 0 0 .\n"
		"autoconfig.a.test. CNAME mail.example.test.\n"
		"autodiscover.a.test. CNAME mail.example.test.\n"
		"_autodiscover._tcp.a.test. SRV 0 1 443 mail.example.test.\n");
}

static void test_all_that_is_served(void **state)
{
	static char backend[] = "mail";
	static char any[] = "*";
	struct config_backend backends[] = { { .name = backend } };
	struct config_route routes[] = {
		{ .domain = any, .imap = backend, .pop3 = backend, .smtp = backend }
	};
	struct config_listener listeners[] = { { .service = SERVICE_SMTP, .port = 25 },
		{ .service = SERVICE_SUBMISSIONS, .port = 1465 },
		{ .service = SERVICE_SUBMISSION, .port = 1587 },
		{ .service = SERVICE_IMAPS, .port = 1993 },
		{ .service = SERVICE_IMAP, .port = 1143 },
		{ .service = SERVICE_POP3S, .port = 1995 },
		{ .service = SERVICE_POP3, .port = 1110 },
		{ .service = SERVICE_HTTPS, .port = 8443 } };
	const struct config config = { .hostname = hostname,
		.portal_url = portal_url,
		.mta_sts = CONFIG_STS_ENFORCE,
		.backends = backends,
		.backend_count = 1,
		.routes = routes,
		.route_count = 1,
		.listeners = listeners,
		.listener_count = GP_ARRAY_LEN(listeners) };
	char id[STS_ID_SIZE];
	struct buf text;

	(void)state;
	buf_init(&text, ROOM);
	assert_int_equal(sts_write(&config, &text), GP_OK);
	sts_id(buf_slice(&text), id);
	buf_clear(&text);
	assert_int_equal(buf_printf(&text,
				 "a.test. MX 10 mail.example.test.\n"
				 "_submissions._tcp.a.test. SRV 0 1 1465 mail.example.test.\n"
				 "_submission._tcp.a.test. SRV 10 1 1587 mail.example.test.\n"
				 "_imaps._tcp.a.test. SRV 0 1 1993 mail.example.test.\n"
				 "_imap._tcp.a.test. SRV 10 1 1143 mail.example.test.\n"
				 "_pop3s._tcp.a.test. SRV 0 1 1995 mail.example.test.\n"
				 "_pop3._tcp.a.test. SRV 10 1 1110 mail.example.test.\n"
				 "autoconfig.a.test. CNAME portal.example.test.\n"
				 "autodiscover.a.test. CNAME portal.example.test.\n"
				 "_autodiscover._tcp.a.test. SRV 0 1 8443 portal.example.test.\n"
				 "mta-sts.a.test. CNAME portal.example.test.\n"
				 "_mta-sts.a.test. TXT \"v=STSv1; id=%s\"\n"
				 "_smtp._tls.a.test. TXT "
				 "\"v=TLSRPTv1; rua=mailto:postmaster@a.test\"\n",
				 id),
		GP_OK);
	assert_int_equal(buf_append_byte(&text, '\0'), GP_OK);
	expect(&config, "a.test", buf_slice(&text).data);
	buf_fini(&text);
}

static enum gp_err keep_reports(const struct zone_record *record, void *out)
{
	if (strncmp(record->name, "_smtp._tls.", 11) != 0)
		return GP_OK;
	return buf_append_str(out, record->value);
}

/* No string of a TXT record is longer than it can be. */
static void test_long_domain(void **state)
{
	struct config_listener listeners[] = { { .service = SERVICE_SMTP, .port = 25 },
		{ .service = SERVICE_HTTPS, .port = 443 } };
	const struct config config = { .hostname = hostname,
		.portal_url = portal_url,
		.mta_sts = CONFIG_STS_TESTING,
		.listeners = listeners,
		.listener_count = 2 };
	static const size_t frame = sizeof "v=TLSRPTv1; rua=mailto:postmaster@" - 1;
	char domain[256];
	struct buf out;

	(void)state;
	memset(domain, 'a', sizeof domain);
	buf_init(&out, ROOM);
	assert_int_equal(
		zone_each(&config, slice_of(domain, 255 - frame), keep_reports, &out), GP_OK);
	assert_int_equal(out.len, 255 + 2);
	assert_int_equal(slice_find(slice_from(buf_slice(&out), 1), '"'), 255);
	buf_clear(&out);
	assert_int_equal(
		zone_each(&config, slice_of(domain, 256 - frame), keep_reports, &out), GP_OK);
	assert_int_equal(out.len, 256 + 5);
	buf_fini(&out);
}

static enum gp_err stop_at_once(const struct zone_record *record, void *owner)
{
	unsigned *count = owner;

	(void)record;
	(*count)++;
	return GP_ERR_LIMIT;
}

static void test_visit_ends_it(void **state)
{
	const struct config config = { .hostname = hostname, .portal_url = portal_url };
	unsigned count = 0;

	(void)state;
	assert_int_equal(
		zone_each(&config, SLICE_LIT("a.test"), stop_at_once, &count), GP_ERR_LIMIT);
	assert_int_equal(count, 1);
}

static void test_policy(void **state)
{
	struct config_listener listener = { .service = SERVICE_SMTP, .port = 25 };
	struct config config = { .hostname = hostname,
		.mta_sts = CONFIG_STS_TESTING,
		.listeners = &listener,
		.listener_count = 1 };
	char ids[2][STS_ID_SIZE];
	struct buf out;

	(void)state;
	buf_init(&out, STS_POLICY_MAX);
	assert_int_equal(sts_write(&config, &out), GP_OK);
	assert_true(slice_is(buf_slice(&out), "version: STSv1\r\nmode: testing\r\n"
					      "mx: mail.example.test\r\nmax_age: 86400\r\n"));
	sts_id(buf_slice(&out), ids[0]);
	buf_clear(&out);
	config.mta_sts = CONFIG_STS_ENFORCE;
	config.mx_names = (struct config_strings){ mx, 2 };
	assert_int_equal(sts_write(&config, &out), GP_OK);
	assert_true(slice_is(buf_slice(&out),
		"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.test\r\nmx: *.example.test\r\n"
		"max_age: 1209600\r\n"));
	sts_id(buf_slice(&out), ids[1]);
	assert_int_equal(strlen(ids[0]), STS_ID_SIZE - 1);
	assert_string_not_equal(ids[0], ids[1]);
	config.mta_sts = CONFIG_STS_NONE;
	assert_int_equal(sts_write(&config, &out), GP_ERR_NOT_FOUND);
	config.mta_sts = CONFIG_STS_ENFORCE;
	listener.service = SERVICE_SUBMISSION;
	assert_int_equal(sts_write(&config, &out), GP_ERR_NOT_FOUND);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_all_that_is_served),
		cmocka_unit_test(test_long_domain),
		cmocka_unit_test(test_visit_ends_it),
		cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
