/* SPDX-License-Identifier: ISC */
#include "web/setup_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		enum setup_paper paper;
		const char *rest;
	} cases[] = {
		{ "/.well-known/autoconfig/mail/config-v1.1.xml", SETUP_AUTOCONFIG, "" },
		{ "/mail/config-v1.1.xml", SETUP_AUTOCONFIG, "" },
		{ "/Mail/config-v1.1.xml", SETUP_NONE, "" },
		{ "/mail/config-v1.1.xml/", SETUP_NONE, "" },
		{ "/autodiscover/autodiscover.xml", SETUP_AUTODISCOVER, "" },
		{ "/AutoDiscover/AUTODISCOVER.XML", SETUP_AUTODISCOVER, "" },
		{ "/autodiscover/autodiscover.xml.bak", SETUP_NONE, "" },
		{ "/Autodiscover/autodiscover.json", SETUP_LOCATE, "" },
		{ "/autodiscover/autodiscover.json/", SETUP_NONE, "" },
		{ "/autodiscover/autodiscover.json/V1.0/a%40b", SETUP_LOCATE, "a%40b" },
		{ "/.well-known/mta-sts.txt", SETUP_STS, "" },
		{ "/.well-known/mta-sts", SETUP_NONE, "" },
		{ "/setup/TOKEN.mobileconfig", SETUP_PROFILE, "TOKEN" },
		{ "/setup/.mobileconfig", SETUP_NONE, "" },
		{ "/setup/a/../b.mobileconfig", SETUP_PROFILE, "a/../b" },
		{ "/setup/TOKEN", SETUP_NONE, "" },
		{ "/SETUP/TOKEN.mobileconfig", SETUP_NONE, "" },
		{ "/setup/", SETUP_NONE, "" },
		{ "/setup", SETUP_NONE, "" },
		{ "/", SETUP_NONE, "" },
		{ "", SETUP_NONE, "" },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct setup_route route = setup_route_find(slice_str(cases[i].path));

		if (route.paper != cases[i].paper)
			fail_msg("%s", cases[i].path);
		assert_true(slice_is(route.rest, cases[i].rest));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
