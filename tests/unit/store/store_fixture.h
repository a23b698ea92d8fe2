/* SPDX-License-Identifier: ISC */
/* A database in a temporary folder for each test. */
#ifndef GP_TESTS_STORE_FIXTURE_H
#define GP_TESTS_STORE_FIXTURE_H

#include "store/store.h"

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* "example.test" with this account in it; its id. */
uint64_t fixture_account(struct store *store, const char *address);

#endif
