/* SPDX-License-Identifier: ISC */
/* A configuration and its sending policy, for the tests of one program. */
#ifndef GP_TESTS_POLICY_CONFIGURED_H
#define GP_TESTS_POLICY_CONFIGURED_H

#include "config/config.h"
#include "policy/sending.h"

/* Of the test that runs; NULL and zeroed outside of configured_set_up() and _tear_down(). */
extern struct config *config;
extern struct sending_policy policy;

/* The caller's; fails the test if the text is no configuration. */
struct config *configured_parse(const char *text);
void configured_set_up(const char *text);
int configured_tear_down(void **state);

#endif
