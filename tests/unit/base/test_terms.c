/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/terms.h"

static void test_services(void **state)
{
	static const struct {
		enum service service;
		const char *name;
		enum protocol protocol;
		unsigned port;
		bool is_tls;
	} cases[] = {
		{ SERVICE_SMTP, "smtp", PROTOCOL_SMTP, 25, false },
		{ SERVICE_SUBMISSION, "submission", PROTOCOL_SMTP, 587, false },
		{ SERVICE_SUBMISSIONS, "submissions", PROTOCOL_SMTP, 465, true },
		{ SERVICE_IMAP, "imap", PROTOCOL_IMAP, 143, false },
		{ SERVICE_IMAPS, "imaps", PROTOCOL_IMAP, 993, true },
		{ SERVICE_POP3, "pop3", PROTOCOL_POP3, 110, false },
		{ SERVICE_POP3S, "pop3s", PROTOCOL_POP3, 995, true },
		{ SERVICE_HTTPS, "https", PROTOCOL_HTTP, 443, true },
	};

	(void)state;
	assert_int_equal(sizeof cases / sizeof cases[0], SERVICE_MAX);
	for (unsigned i = 0; i < SERVICE_MAX; i++) {
		enum service service = cases[i].service;

		assert_string_equal(service_name(service), cases[i].name);
		assert_int_equal(service_protocol(service), cases[i].protocol);
		assert_int_equal(service_port(service), cases[i].port);
		assert_int_equal(service_is_tls(service), cases[i].is_tls);
		assert_int_equal(service_by_name(slice_str(cases[i].name)), service);
	}
	assert_int_equal(service_by_name(SLICE_LIT("SMTP")), SERVICE_MAX);
	assert_int_equal(service_by_name(SLICE_LIT("")), SERVICE_MAX);
	assert_int_equal(service_by_name(SLICE_LIT("imapsx")), SERVICE_MAX);
}

static void test_protocols(void **state)
{
	(void)state;
	assert_string_equal(protocol_name(PROTOCOL_SMTP), "SMTP");
	assert_string_equal(protocol_name(PROTOCOL_HTTP), "HTTP");
	assert_int_equal(protocol_scope(PROTOCOL_SMTP), SCOPE_SMTP);
	assert_int_equal(protocol_scope(PROTOCOL_IMAP), SCOPE_IMAP);
	assert_int_equal(protocol_scope(PROTOCOL_POP3), SCOPE_POP3);
	assert_int_equal(protocol_scope(PROTOCOL_HTTP), SCOPE_NONE);
	assert_int_equal(SCOPE_SMTP | SCOPE_IMAP | SCOPE_POP3, SCOPE_ALL);
}

static void test_roles(void **state)
{
	(void)state;
	/* Nobody is the least of all, and staff more than the people it helps. */
	assert_int_equal(ROLE_GUEST, 0);
	assert_true(ROLE_PENDING < ROLE_RECOVERY && ROLE_RECOVERY < ROLE_USER);
	assert_true(ROLE_USER < ROLE_DOMAIN_ADMIN && ROLE_DOMAIN_ADMIN < ROLE_STAFF);
	assert_true(ROLE_STAFF < ROLE_ADMIN && ROLE_ADMIN < ROLE_CORE);
	for (unsigned role = 0; role < ROLE_MAX; role++)
		assert_int_equal(role_by_name(slice_str(role_name((enum role)role))), role);
	assert_int_equal(role_by_name(SLICE_LIT("root")), ROLE_MAX);
}

/* The value of zeroed memory must never let anyone in. */
static void test_zero_is_safe(void **state)
{
	(void)state;
	assert_int_equal(VERDICT_DENY, 0);
	assert_int_equal(PERMIT_NO, 0);
	assert_int_equal(RCPT_REFUSED, 0);
	assert_int_equal(FILTER_NONE, 0);
	assert_int_equal(REASON_NONE, 0);
	assert_int_equal(MECHANISM_NONE, 0);
}

static void test_names_lead_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_MAX; i++) {
		enum reason reason = (enum reason)i;

		assert_int_equal(reason_by_name(slice_str(reason_name(reason))), reason);
		assert_true(strlen(reason_words(reason)) > 0);
	}
	assert_int_equal(reason_by_name(SLICE_LIT("no such")), REASON_MAX);
	for (unsigned i = 0; i < VERDICT_MAX; i++) {
		enum verdict verdict = (enum verdict)i;

		assert_int_equal(verdict_by_name(slice_str(verdict_name(verdict))), verdict);
	}
	assert_int_equal(verdict_by_name(SLICE_LIT("OK")), VERDICT_MAX);
	for (unsigned i = 0; i < MECHANISM_MAX; i++)
		assert_true(strlen(mechanism_name((enum mechanism)i)) > 0);
	for (unsigned i = 0; i < PERMIT_MAX; i++)
		assert_true(strlen(permit_name((enum permit)i)) > 0);
	for (unsigned i = 0; i < RCPT_OUTCOME_MAX; i++)
		assert_true(strlen(rcpt_outcome_name((enum rcpt_outcome)i)) > 0);
	for (unsigned i = 0; i < SENT_MAX; i++)
		assert_true(strlen(sent_name((enum sent_outcome)i)) > 0);
	for (unsigned i = 0; i < FILTER_MAX; i++)
		assert_true(strlen(filter_name((enum filter)i)) > 0);
	for (unsigned i = 0; i < FILTER_RESULT_MAX; i++)
		assert_true(strlen(filter_result_name((enum filter_result)i)) > 0);
	for (unsigned i = 0; i < CLOSE_MAX; i++)
		assert_true(strlen(close_name((enum close_reason)i)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_zero_is_safe),
		cmocka_unit_test(test_names_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
