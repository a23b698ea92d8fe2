/* SPDX-License-Identifier: ISC */
#include "setup/autoconfig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

static void test_answer(void **state)
{
	struct offers offers = { .hostname = "mail.example.test",
		.portal_url = "https://mail.example.test/?a=1&b=2" };
	struct buf out;

	(void)state;
	buf_init(&out, AUTOCONFIG_MAX);
	offers.ports[SERVICE_SUBMISSIONS] = 465;
	assert_int_equal(
		autoconfig_write(&offers, SLICE_LIT("example.test"), &out), GP_ERR_NOT_FOUND);
	buf_clear(&out);
	offers.ports[SERVICE_POP3] = 110;
	assert_int_equal(autoconfig_write(&offers, SLICE_LIT("example.test"), &out), GP_OK);
	assert_true(slice_is(buf_slice(&out),
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<clientConfig version=\"1.1\">\n"
		"  <emailProvider id=\"example.test\">\n"
		"    <domain>example.test</domain>\n"
		"    <displayName>example.test</displayName>\n"
		"    <displayShortName>example.test</displayShortName>\n"
		"    <incomingServer type=\"pop3\">\n"
		"      <hostname>mail.example.test</hostname>\n"
		"      <port>110</port>\n"
		"      <socketType>STARTTLS</socketType>\n"
		"      <authentication>password-cleartext</authentication>\n"
		"      <username>%EMAILADDRESS%</username>\n"
		"    </incomingServer>\n"
		"    <outgoingServer type=\"smtp\">\n"
		"      <hostname>mail.example.test</hostname>\n"
		"      <port>465</port>\n"
		"      <socketType>SSL</socketType>\n"
		"      <authentication>password-cleartext</authentication>\n"
		"      <username>%EMAILADDRESS%</username>\n"
		"    </outgoingServer>\n"
		"    <documentation url=\"https://mail.example.test/?a=1&amp;b=2\">\n"
		"      <descr lang=\"en\">Device passwords and help</descr>\n"
		"    </documentation>\n"
		"  </emailProvider>\n"
		"</clientConfig>\n"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
