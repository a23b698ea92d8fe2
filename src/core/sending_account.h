/* SPDX-License-Identifier: ISC */
/*
 * An account that sends: its names, its profile, whether it is blocked. Its profile is kept by the
 * vault a minute after it has changed, and before it leaves memory.
 */
#ifndef GP_CORE_SENDING_ACCOUNT_H
#define GP_CORE_SENDING_ACCOUNT_H

#include "base/buf.h"
#include "core/sending_unit.h"
#include "policy/profile.h"
#include "policy/sending_identity.h"
#include "policy/sending_part.h"

enum {
	SENDING_NAMES_MAX = 400, /* of each kind; more than the store has */
};

struct sending_texts {
	struct slice *items; /* of owned */
	char **owned;
	size_t count;
};

/* What is to be done to a profile once it is there. */
enum sending_pending {
	SENDING_PENDING_NONE,
	SENDING_PENDING_CONFIRM,
	SENDING_PENDING_FORGIVE
};

struct sending_case;

struct sending_account {
	struct sending_unit unit;
	bool is_gone;  /* the vault has no such account any more */
	bool is_stale; /* its names, or its block, may have changed */
	bool is_blocked;
	char *route; /* "": by the address' domain */
	struct sending_texts aliases, listed;
	struct sending_texts next_aliases, next_listed; /* while they are loaded */
	struct profile profile;
	struct sending_parts parts;
	struct buf packed; /* while it is loaded */
	bool is_dirty;     /* the profile has changed since it was sent to the vault */
	bool is_saving;
	int64_t dirty_since; /* sending_now() */
	TAILQ_ENTRY(sending_account) by_dirty;
	bool is_urgent;
	TAILQ_ENTRY(sending_account) by_urgent;
	enum sending_pending pending;
	bool has_asked;            /* since it was loaded */
	struct sending_case *open; /* a case that the vault does not have yet, or NULL */
};

/* For sending_unit.c: the part of making, loading and freeing that is an account's. */
struct sending_account *sending_account_new(struct core *core);
void sending_account_free(struct sending_account *account);
void sending_account_on_load(struct sending_account *account, enum ipc_sending what);
void sending_account_on_sender(struct sending_account *account, const struct ipc_sender_row *row);
void sending_account_on_loaded(struct sending_account *account, enum ipc_sending what,
	const struct ipc_sending_loaded *message);
/* May it leave memory? If not yet, that is seen to. */
bool sending_account_may_go(struct sending_account *account);

void sending_account_on_part(struct core *core, const struct ipc_profile_part *part);
void sending_account_on_kept(struct core *core, const struct ipc_profile_kept *kept);
void sending_account_on_desk_gone(struct core *core);

/* The profile has changed. */
void sending_account_touch(struct sending_account *account);
/* Sends it to the vault now, whatever else is on the way. */
void sending_account_save(struct sending_account *account);
/* Those that have waited for a minute; all: whatever they have waited. */
void sending_account_save_due(struct core *core, bool all);
/* In the list of those the vault is to do something about, which holds it; or out of it. */
void sending_account_set_urgent(struct sending_account *account);
void sending_account_settle(struct sending_account *account);
/* Done now if it is ready, else once it is. */
void sending_account_apply(struct sending_account *account, enum sending_pending pending);

struct sending_names sending_account_names(
	const struct sending_account *account, struct slice address);

#endif
