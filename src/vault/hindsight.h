/* SPDX-License-Identifier: ISC */
/*
 * What was that wrong password? A main password that was refused is compared with those the account
 * had before, so that its owner can be told which device still has one. Off the sign-in path: the
 * answer is out, and the work is done one hash at a time while no sign-in wants anything; once a
 * day for each account, source and protocol, and anew after the password was changed. Process:
 * vault, slow lane.
 *
 * Nobody at a mail port learns anything: a name that nobody has costs the same work, and so do an
 * account that never changed its password and a right one that is refused all the same (2FA). The
 * secret is in memory only, for HINDSIGHT_KEEP_MS at most, and wiped.
 */
#ifndef GP_VAULT_HINDSIGHT_H
#define GP_VAULT_HINDSIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/secret.h"
#include "base/terms.h"
#include "crypt/pwhash.h"
#include "event/loop.h"
#include "store/store_activity.h"

struct vault;

enum {
	HINDSIGHT_JOBS = 16,     /* waiting; further ones are dropped */
	HINDSIGHT_PLACES = 4096, /* of what was compared of late; two that meet forget the first */
	HINDSIGHT_REST_MS = 50,  /* without any sign-in before the next hash */
	HINDSIGHT_KEEP_MS = 60000,     /* then a job is dropped undone */
	HINDSIGHT_AGAIN_S = 24 * 3600, /* before the same is compared again */
	HINDSIGHT_WAIT_MS = 20,        /* for the store's lock; else it is done another day */
};

struct hindsight_job {
	struct secret *secret;
	uint64_t account; /* 0: nobody's */
	int64_t password_at;
	struct ip source;
	enum protocol protocol;
	uint64_t session;
	int64_t taken_at; /* clock_steady() */
	unsigned step;    /* hashes done, of STORE_OLD_PASSWORDS */
	char hashes[STORE_OLD_PASSWORDS][PWHASH_SIZE];
	int64_t changed_at[STORE_OLD_PASSWORDS];
	unsigned hash_count;
	int64_t found;   /* changed_at of the one it is */
	bool is_settled; /* there is nothing to write: compared a short while ago, or it failed */
};

struct hindsight_place {
	uint64_t hash;
	int64_t at; /* clock_wall(); 0: free */
};

struct hindsight {
	struct loop_timer timer;
	struct hindsight_job jobs[HINDSIGHT_JOBS]; /* a ring */
	unsigned first;
	unsigned count;
	struct hindsight_place places[HINDSIGHT_PLACES];
};

void hindsight_init(struct vault *vault);
void hindsight_fini(struct vault *vault); /* wipes what waits */

/* A sign-in is at work here: what waits goes on waiting. */
void hindsight_rest(struct vault *vault);

/* A main password that was compared and is wrong. login: canonical, as it was asked for. */
struct hindsight_case {
	uint64_t account;
	int64_t password_at; /* since when the account has its password */
	struct slice login;
	struct slice secret;
	struct ip source;
	enum protocol protocol;
	uint64_t session;
};
void hindsight_take(struct vault *vault, const struct hindsight_case *refused);

/* One hash; false if nothing waits. The timer's work, and the tests'. */
bool hindsight_step(struct vault *vault);

#endif
