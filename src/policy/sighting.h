/* SPDX-License-Identifier: ISC */
/*
 * "Watch it connect": what the owner of an account who sets a program up is told of the events that
 * come in meanwhile. Pure.
 *
 * Events of the account are the owner's. Of the others only those from the network the owner's
 * browser is in can be of help, and people share networks: so of what came before any name (no TLS,
 * a mechanism that is not offered) no more is told than that it happened, and of a refused name no
 * more than the name, and that only if it is the owner's but for the domain. Whether such a name is
 * somebody else's or nobody's makes no difference here: nobody learns by this who has an account.
 */
#ifndef GP_POLICY_SIGHTING_H
#define GP_POLICY_SIGHTING_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/terms.h"

/* What is told of an event that is not the account's. */
#define SIGHTING_LIST(X)                                                                        \
	X(SIGHTING_NOTHING, "")                                                                 \
	X(SIGHTING_NAME, "other_name") /* refused, under the owner's name at another domain */  \
	X(SIGHTING_NO_TLS, "no_tls")                                                            \
	X(SIGHTING_MECHANISM, "mechanism")                                                      \
	X(SIGHTING_TLS_ON_PLAIN, "tls_on_plain_port")                                           \
	X(SIGHTING_PLAIN_ON_TLS, "plain_on_tls_port")                                           \
	X(SIGHTING_HTTP, "http")                                                                \
	X(SIGHTING_TLS_OLD, "tls_too_old")             /* no version that both know */          \
	X(SIGHTING_CERTIFICATE, "certificate_refused") /* the program does not trust our own */ \
	X(SIGHTING_TLS_FAILED, "tls_failed")                                                    \
	X(SIGHTING_SIGNIN_REQUIRED, "signin_required") /* sent without signing in */            \
	X(SIGHTING_LEFT, "left")                       /* without trying to sign in */          \
	X(SIGHTING_LEFT_PLAIN, "left_plain")           /* likewise, and without TLS */          \
	X(SIGHTING_LIMIT, "limit")                                                              \
	X(SIGHTING_BANNED, "banned")

enum sighting {
#define SIGHTING_ENUM(name, text) name,
	SIGHTING_LIST(SIGHTING_ENUM)
#undef SIGHTING_ENUM
	SIGHTING_MAX
};
const char *sighting_name(enum sighting sighting);

struct sighting_event {
	enum verdict verdict;
	enum reason reason;
	enum mechanism mechanism; /* MECHANISM_NONE: it did not come to a sign-in */
	struct slice login;       /* as typed */
	struct slice tls;         /* version, "" without */
	struct slice detail;
};

/* Of an event from the owner's network that is not the account's; address: the account's. */
enum sighting sighting_of_stranger(const struct sighting_event *event, struct slice address);

/* How the program names its owner: "full", "local" (without the domain) or "other" (an alias, a
 * name of the domain's other hosts, ...). */
const char *sighting_name_form(struct slice login, struct slice address);

#endif
