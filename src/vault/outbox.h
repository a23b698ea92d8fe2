/* SPDX-License-Identifier: ISC */
/*
 * Notices: mail of Gatepost's own to the people concerned, by way of core and a front to the next
 * hop. A notice is posted in the transaction of what it tells of, kept sealed in the store until a
 * next hop has it, and tried again for three days. Nothing is posted with `notices = no`.
 *
 *	outbox_post() -> [store] -> tick: letter_write(), NOTICE -> core, front, next hop
 *	                    ^                                              |
 *	                    '---- temporary, or no answer: later ----------'--> sent or refused:
 * done
 *
 * Process: vault, desk lane.
 */
#ifndef GP_VAULT_OUTBOX_H
#define GP_VAULT_OUTBOX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "event/loop.h"
#include "ipc/message.h"
#include "store/store_outbox.h"

struct vault;

enum {
	OUTBOX_AT_ONCE = 4,            /* on their way */
	OUTBOX_TICK_MS = 15 * 1000,    /* the store is looked at so often even if nobody wakes us */
	OUTBOX_CORE_MS = 5 * 1000,     /* and so long after a new core came: it has its fronts */
	OUTBOX_KEEP_S = 3 * 24 * 3600, /* then a notice is given up */
	OUTBOX_DONE_S = 2 * 24 * 3600, /* how long what was sent is remembered */
	OUTBOX_ANSWER_MS = 10 * 60 * 1000, /* no answer by then: it is lost */
};

struct outbox {
	struct loop_timer tick;
	bool has_new;                       /* posted since the last tick */
	uint64_t under_way[OUTBOX_AT_ONCE]; /* ids, 0: free */
	int64_t until[OUTBOX_AT_ONCE];      /* clock_steady() when its answer is taken for lost */
};

void outbox_init(struct vault *vault);
void outbox_fini(struct vault *vault);

struct outbox_post {
	uint64_t account;      /* it concerns */
	const char *recipient; /* address */
	const char *kind;      /* a notice of portal/text */
	const char *language;  /* "" for English */
	json_t *values;        /* of letter.h, for the text's {names}; NULL: none. {portal},
				* {hostname}  and {time} are put in here */
};

/* In the caller's transaction, if there is one. A full outbox loses the notice and logs that:
 * nothing fails because of a notice but where the store does. */
enum gp_err outbox_post(struct vault *vault, const struct outbox_post *post) GP_CHECKED;
/* Something may be due: after a commit. */
void outbox_wake(struct vault *vault);
void outbox_on_done(struct vault *vault, const struct ipc_notice_done *done);
/* Core is gone: what was under way is tried again. Another is there: it gets what waits. */
void outbox_on_core_gone(struct vault *vault);
void outbox_on_core(struct vault *vault);

#endif
