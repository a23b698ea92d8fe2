/* SPDX-License-Identifier: ISC */
#include "configured.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct config *config;
struct sending_policy policy;

struct config *configured_parse(const char *text)
{
	struct config_error error = { "" };
	struct config *parsed = NULL;

	if (config_parse(slice_str(text), "test", &parsed, &error) != GP_OK)
		fail_msg("%s", error.text);
	return parsed;
}

void configured_set_up(const char *text)
{
	config = configured_parse(text);
	sending_policy_init(&policy, config);
}

int configured_tear_down(void **state)
{
	(void)state;
	config_free(&config);
	policy = (struct sending_policy){ 0 };
	return 0;
}
