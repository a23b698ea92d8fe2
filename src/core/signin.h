/* SPDX-License-Identifier: ISC */
/*
 * A sign-in from the question of a front to its answer. What each step decides is policy/ban.h and
 * policy/signin.h; here is the order of things, which is what makes "exactly five" true:
 *
 *	signin_begin()
 *	   |                         not loaded yet
 *	   +--------------------------------------------> LOADING --signin_start_all()--.
 *	 start() <-----------------------------------------------------------------------'
 *	   |-- banned (but at the portal) ------------------------------------> finish(BANNED)
 *	   |-- exempt source ------------------------.
 *	 look_up()   main passwords: whose name, and  |
 *	   |         is the source known for it? The  |
 *	   |         fast vault is asked, and if it   |
 *	   |         keeps silent, a slow one         |
 *	 reserve()   places taken in the windows      |
 *	   |-- FULL ---> WAITING --signin_wake()--.   |
 *	   |              '-- signin_wait over --------------------------------> finish(BUSY)
 *	   |-- SPENT ---------------------------------------------------------> finish(BANNED)
 *	   | GRANTED <-----------------------------'  |
 *	 hand_over() <--------------------------------'
 *	   |   QUEUED or CHECKING at a vault (vaults.h)
 *	   |     '-- queue full, vault gone, time-out -----------------------> finish(TEMPORARY)
 *	 signin_on_answer()
 *	   |-- right ------------------------ places released ----------------> finish(OK)
 *	   |-- wrong --> COMMITTING --> on_committed(): event to the vault,
 *	                                then the ban if it was the last ------> finish(DENY...)
 *
 * Where the account's own window is used up, a sign-in from a source that is not known for it goes
 * on as any other, but the vault is told to do its work against nothing (is_unchecked): it fails,
 * at the same time and in the same words as a wrong secret, and its source pays as for one.
 *
 * An attempt belongs to nobody's session: a client that leaves does not end it, its guess is made
 * and counts. The secret lives in it from the front's message to the vault's answer.
 */
#ifndef GP_CORE_SIGNIN_H
#define GP_CORE_SIGNIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/secret.h"
#include "base/terms.h"
#include "core/places.h"
#include "core/source.h"
#include "event/loop.h"
#include "ipc/message.h"
#include "policy/signin.h"

enum {
	SIGNIN_ATTEMPTS_MAX = 16384, /* at once */
	SIGNIN_WAITING_MAX = 512,    /* of one source, for a place */
	SIGNIN_LOOKUP_MS = 500,      /* until another lane is asked whose name it is */
};

struct core;
struct front;
struct vault;
struct queue_share;
struct line;
struct attempt;
struct attempt_answer;

enum attempt_state {
	ATTEMPT_LOADING,    /* until core knows the bans */
	ATTEMPT_RESERVING,  /* the counter was asked for a place */
	ATTEMPT_WAITING,    /* for a place */
	ATTEMPT_QUEUED,     /* for a vault */
	ATTEMPT_CHECKING,   /* the vault was asked */
	ATTEMPT_COMMITTING, /* the counter was told of the failure */
};

/*
 * What is tried. A mail program's sign-in, one at the portal (form.h), and another secret that is
 * given there (guarded.h) take the same way; they differ in this.
 */
struct attempt_kind {
	/* There is a place for it, or none is needed: asks whoever judges it. May end it. */
	void (*hand_over)(struct attempt *attempt);
	/* A name and a password that are right; ends it. */
	void (*on_right)(struct attempt *attempt, const struct ipc_verify_reply *reply);
	/* Tells who asked; the attempt ends right behind. */
	void (*reply)(struct attempt *attempt, const struct attempt_answer *answer);
	/* A ban does not refuse it, but gives it a small window of its own. */
	bool is_portal;
	/* Judged by the desk, whatever the secret looks like. */
	bool is_guess;
};

/* Where an attempt comes from; borrowed. */
struct attempt_origin {
	const struct attempt_kind *kind;
	uint64_t session; /* of a front, or */
	uint64_t op;      /* an operation (control.h) */
	struct ip client;
	uint16_t client_port;
	enum service service;
	uint16_t listener;
	enum mechanism mechanism;
	struct slice login; /* as typed */
	struct slice secret;
	struct slice client_name;
	struct slice tls;
	struct slice sni;
	uint64_t dial;      /* as in SIGNIN */
	const char *detail; /* for the event; outlives it */
	uint64_t account;   /* where it is known */
	bool is_known;      /* no guess at the account by a stranger */
};

struct attempt {
	struct core *core;
	const struct attempt_kind *kind;
	struct map_node node;
	uint64_t id; /* the vault's request, too */
	enum attempt_state state;
	TAILQ_ENTRY(attempt) link; /* signins.loading, source.waiting, a share, vault.checking */
	bool is_in_waiting;
	TAILQ_ENTRY(attempt) in_line;
	struct line *line; /* for a shared window (line.h), while it waits first for its source */
	bool is_first_in_line;
	struct loop_timer timer;

	uint64_t session; /* these may be gone by now; 0: none */
	uint64_t op;
	struct source *source;
	struct ip client;
	uint16_t client_port;
	enum service service;
	enum mechanism mechanism;
	uint16_t listener;
	char *sni;
	char *typed;
	char login[SIGNIN_LOGIN_SIZE]; /* canonical; "": no account can be called so */
	char *client_name;
	char *tls;
	uint64_t dial; /* 0: no mailbox is to be opened */
	const char *detail;
	struct secret *secret;

	struct places places;      /* none for an exempt source */
	bool is_lookup;            /* what the vault is asked: whose name */
	bool is_known;             /* the source, for the account */
	bool is_unchecked;         /* no guess is to be made */
	enum ipc_lane lane;        /* of the question */
	struct vault *vault;       /* CHECKING */
	struct queue_share *share; /* QUEUED */
	uint64_t changes;          /* accounts changed when the vault was asked (effects.h) */

	enum reason reason; /* the vault's answer */
	uint64_t account;   /* looked up, or the one that signed in */
	uint64_t device;
};

struct signins {
	struct map by_id;
	uint64_t last_id;
	struct attempt_list loading;
	size_t waiting; /* for a place */
	uint64_t crashes;
};

void signin_init(struct core *core);
void signin_fini(struct core *core);

void signin_begin(struct core *core, struct session *session, const struct ipc_signin *message);
/* Another kind. False: too many; else kind->reply() is called for it, perhaps at once. */
bool signin_try(struct core *core, const struct attempt_origin *origin);
struct attempt *signin_find(struct core *core, uint64_t id);
bool signin_is_waiting(const struct session *session);

/* The first load is done. */
void signin_start_all(struct core *core);
/* A place may be free for the attempts of this source that wait. */
void signin_wake(struct core *core, struct source *source);
/* The source was banned. */
void signin_refuse_waiting(struct core *core, struct source *source);

/* From the vaults: it was asked; it answered; it cannot be asked. */
void signin_on_asked(struct attempt *attempt, struct vault *vault);
void signin_on_lookup(struct attempt *attempt, const struct ipc_lookup_reply *reply);
void signin_on_answer(struct attempt *attempt, const struct ipc_verify_reply *reply);
void signin_fail(struct attempt *attempt, enum reason reason);

/* From the desk, of a guess: it was wrong (for that reason); it was right. */
void signin_on_wrong_guess(struct attempt *attempt, enum reason reason);
void signin_on_right_guess(struct attempt *attempt);

/* A front crashed: one failure for each source that was not signed in on it. */
void signin_penalise_front(struct core *core, struct front *front);

#endif
