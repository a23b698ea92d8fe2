/* SPDX-License-Identifier: ISC */
/*
 * What mail programs call themselves (EHLO name, IMAP ID, a browser's User-Agent) in words that
 * their owners know. A guess from a table: nothing but what people are shown depends on it, as
 * anybody may call himself anything. Pure.
 */
#ifndef GP_POLICY_CLIENT_FAMILY_H
#define GP_POLICY_CLIENT_FAMILY_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/terms.h"

struct client_family {
	const char *code;  /* for texts in other languages: "thunderbird", "script"; a-z and _ */
	const char *words; /* "Thunderbird", "a script" */
};

/* Never NULL: what is not in the table is { "unknown", "a mail program" }, or of the portal
 * { "browser", "a browser" }. name: as in a sign-in event, escaped; "" if it said none. */
const struct client_family *client_family(enum protocol protocol, struct slice name);
bool client_family_is_unknown(const struct client_family *family);

#endif
