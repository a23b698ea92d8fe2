/* SPDX-License-Identifier: ISC */
#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

int fixture_setup(void **state)
{
	struct fixture *fixture = mem_new(1, sizeof *fixture);
	struct gp_why why = { "" };

	memcpy(fixture->dir, "/tmp/gp-store.XXXXXX", 21);
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->path, sizeof fixture->path, "%s/test.db", fixture->dir);
	assert_int_equal(store_create(fixture->path, &why), GP_OK);
	if (store_open(fixture->path, &fixture->store, &why) != GP_OK)
		fail_msg("%s", why.text);
	*state = fixture;
	return 0;
}

int fixture_teardown(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
	struct fixture *fixture = *state;
	char path[128];

	store_close(&fixture->store);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof path, "%s%s", fixture->path, endings[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(fixture->dir), 0);
	mem_free(fixture);
	return 0;
}

uint64_t fixture_account(struct store *store, const char *address)
{
	struct store_account account = { .role = "user", .password = "hash" };
	uint64_t id = 0;
	enum gp_err err =
		store_domain_add(store, SLICE_LIT("example.test"), slice_str(NULL), 1000, &id);

	assert_true(err == GP_OK || err == GP_ERR_EXISTS);
	assert_true(slice_copy(slice_str(address), account.address, sizeof account.address));
	assert_int_equal(store_account_add(store, &account, 1000, &id), GP_OK);
	assert_true(id > 0);
	return id;
}
