/* SPDX-License-Identifier: ISC */
/* Limits of self.watch, self.test_message and self.test_show (ops/ops.def). */
#ifndef GP_VAULT_WATCH_H
#define GP_VAULT_WATCH_H

enum {
	WATCH_ROWS_MAX = 30,          /* of the account, and as many of its network */
	WATCH_LOOK_MAX = 200,         /* events looked at for them */
	TEST_MESSAGES_MAX = 5,        /* by one account, ... */
	TEST_MESSAGES_SPAN = 60 * 60, /* ... in so many seconds */
	TEST_MESSAGE_ID_BYTES = 8,
};

#endif
