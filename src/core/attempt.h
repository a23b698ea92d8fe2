/* SPDX-License-Identifier: ISC */
/* The making and the end of a sign-in attempt; its way is signin.c. */
#ifndef GP_CORE_ATTEMPT_H
#define GP_CORE_ATTEMPT_H

#include "core/session.h"
#include "core/signin.h"

/* In state LOADING, known by its id, with a reference to its source. NULL: too many. */
struct attempt *attempt_new(struct core *core, const struct attempt_origin *origin,
	void (*on_timeout)(struct loop_timer *timer),
	void (*on_reserved)(struct places *places, const struct counter_result *result),
	void (*on_committed)(struct places *places));
/* Leaves every list, gives its places back, wipes the secret. Other attempts of its source may go
 * on because of it. */
void attempt_free(struct attempt **pattempt);

/* Out of its source's waiting list; fine on one that is in none. */
void attempt_leave_waiting(struct attempt *attempt);

/* What it must reserve: in the windows of its source or, at the portal, of the network that is
 * banned (NULL: none is); and in the account's. */
void attempt_add_places(struct attempt *attempt, const struct ip_net *banned);

/* What the client is told. */
struct attempt_answer {
	enum verdict verdict;
	enum reason reason;   /* the true one, for the event */
	unsigned weight;      /* as a failure of the source's window, 0: none */
	bool is_guess;        /* counts against the account */
	int64_t ban_ms;       /* BANNED, DENY_BANNED */
	struct slice address; /* OK, as are the next two */
	const char *backend;
	struct slice token;
};

/* In the statistics: it cannot be judged, by a fault of ours. */
void attempt_count_fault(struct attempt *attempt, enum reason reason);
/* The event. It reaches the desk vault before the answer reaches who asked, unless that is yes. */
void attempt_record(struct attempt *attempt, const struct attempt_answer *answer);
/* The answer to a front, if the session is still there and awaits it. */
void attempt_reply(struct attempt *attempt, const struct attempt_answer *answer);

#endif
