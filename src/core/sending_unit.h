/* SPDX-License-Identifier: ISC */
/*
 * What is metered: an account, a domain, a source. Each is loaded from the vault at its first use,
 * which waits for it, stays while somebody holds it, and afterwards as long as there is room
 * (sending_memory): what was not used for longest goes first, accounts once their profile is kept.
 *
 *	          want              SENDING_LOADED
 *	  IDLE ----------> LOADING ----------------> READY
 *	    ^                 |                        |  (names may be loaded anew)
 *	    `-----------------'  the vault failed      |
 *	    `------------------------------------------'  forgotten
 *
 * What is spent while it is loading is added when it is ready: the vault answers from what it had
 * before.
 */
#ifndef GP_CORE_SENDING_UNIT_H
#define GP_CORE_SENDING_UNIT_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/map.h"
#include "ipc/message.h"
#include "policy/sending_limit.h"

enum {
	SENDING_UNIT_BYTES = 512 /* what a domain or source is counted for */
};

struct core;
struct sending_unit;

enum sending_state {
	SENDING_IDLE,
	SENDING_LOADING,
	SENDING_READY
};

/* Somebody who cannot go on before it is ready. Embedded; zeroed before first use. */
struct sending_waiter {
	TAILQ_ENTRY(sending_waiter) link;
	struct sending_unit *unit; /* NULL: waits for none */
	/* Once. ok: it is ready. May wait again. */
	void (*on_ready)(struct sending_waiter *waiter, bool ok);
	void *owner;
};

struct sending_unit {
	struct map_node node;
	struct core *core;
	enum ipc_sending what; /* ACCOUNT, DOMAIN or SOURCE */
	uint64_t account;      /* which one, as the next two */
	char *domain;
	struct ip source;
	enum sending_state state;
	uint64_t request; /* under way, or 0 */
	struct map_node by_request;
	TAILQ_HEAD(sending_waiters, sending_waiter) waiting;
	unsigned holds;
	bool is_resting; /* in the list of those nobody holds */
	TAILQ_ENTRY(sending_unit) rest;
	size_t bytes; /* what it is counted for */
	struct sending_meter meter;
	struct sending_amount late; /* spent while it was loading */
	struct sending_account *of; /* ACCOUNT: the whole of it */
};

struct sending_units {
	struct map by_key[IPC_SENDING_MAX]; /* by what they are */
	struct map by_request;
	TAILQ_HEAD(sending_rest, sending_unit) resting; /* longest first */
	uint64_t last_request;
	size_t bytes;
};

void sending_unit_init_all(struct core *core);
void sending_unit_fini_all(struct core *core);

/* Finds or makes it, and holds it; NULL: there is no room for one more. Each hold ends with
 * sending_unit_drop(). */
struct sending_unit *sending_unit_hold_account(struct core *core, uint64_t account);
struct sending_unit *sending_unit_hold_domain(struct core *core, struct slice domain);
struct sending_unit *sending_unit_hold_source(struct core *core, const struct ip *source);
void sending_unit_drop(struct sending_unit **punit);
/* NULL if it is not in memory. Not held. */
struct sending_unit *sending_unit_find_account(struct core *core, uint64_t account);
struct sending_unit *sending_unit_find_domain(struct core *core, struct slice domain);

/* Is it there, and up to date? Else it is being loaded, or cannot be, now: see sending_unit_wait().
 */
bool sending_unit_want(struct sending_unit *unit);
bool sending_unit_is_loading(const struct sending_unit *unit);
/* Only while it is loading. */
void sending_unit_wait(struct sending_unit *unit, struct sending_waiter *waiter);
void sending_unit_cancel(struct sending_waiter *waiter);
/* It takes so much memory now. Others may go to make room. */
void sending_unit_set_bytes(struct sending_unit *unit, size_t bytes);
/* Sent without having been reserved here: before core was restarted. */
void sending_unit_add_late(
	struct sending_unit *unit, const struct sending_amount *amount, int64_t now);
/* Gives memory back down to the bound. */
void sending_unit_trim(struct core *core);

void sending_unit_on_spent(struct core *core, const struct ipc_spent_row *row);
void sending_unit_on_sender(struct core *core, const struct ipc_sender_row *row);
void sending_unit_on_loaded(struct core *core, const struct ipc_sending_loaded *message);
/* The desk vault is gone: what was asked for fails. */
void sending_unit_on_desk_gone(struct core *core);

#endif
