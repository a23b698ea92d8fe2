/* SPDX-License-Identifier: ISC */
/* The making and the end of a sign-in attempt; its way is signin.c. */
#ifndef GP_CORE_ATTEMPT_H
#define GP_CORE_ATTEMPT_H

#include "core/session.h"
#include "core/signin.h"

/* In state LOADING, known by its id, with a reference to its source. NULL: too many. */
struct attempt *attempt_new(struct core *core, struct session *session,
	const struct ipc_signin *message, void (*on_timeout)(struct loop_timer *timer),
	void (*on_answer)(struct counter_ask *ask, const struct counter_result *result));
/* Leaves every list, gives its place back, wipes the secret. Other attempts of its source may go
 * on because of it. */
void attempt_free(struct attempt **pattempt);

/* Out of its source's waiting list; fine on one that is in none. */
void attempt_leave_waiting(struct attempt *attempt);

/* What the client is told. */
struct attempt_answer {
	enum verdict verdict;
	enum reason reason;   /* the true one, for the event */
	bool is_counted;      /* a failure of the window */
	int64_t ban_ms;       /* BANNED, DENY_BANNED */
	struct slice address; /* OK, as are the next two */
	const char *backend;
	struct slice token;
};

/* Event first, then the answer to the front, if the session is still there and awaits it. */
void attempt_record(struct attempt *attempt, const struct attempt_answer *answer);
void attempt_reply(struct attempt *attempt, const struct attempt_answer *answer);

#endif
