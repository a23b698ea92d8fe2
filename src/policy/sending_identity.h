/* SPDX-License-Identifier: ISC */
/*
 * Whose is a sender address? In the name of an account may send: its own address, its aliases, a
 * sub-address of one of these (alice+shop@ for alice@), and what its listed senders name: an
 * address, or "@example.test" for all of a domain. Pure.
 *
 * All addresses in canonical form (signin_canonical()); ASCII case is ignored all the same.
 */
#ifndef GP_POLICY_SENDING_IDENTITY_H
#define GP_POLICY_SENDING_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct sending_names {
	struct slice account;
	const struct slice *aliases;
	size_t alias_count;
	const struct slice *listed;
	size_t listed_count;
	char separator; /* of sub-addresses, '+'; '\0': there are none */
};

/* sender: the address without <>. The empty one (a notification, RFC 5321 section 4.5.5) is
 * everybody's. */
bool sending_identity_is_own(const struct sending_names *names, struct slice sender);

#endif
