/* SPDX-License-Identifier: ISC */
/*
 * What Gatepost remembers: domains, accounts with aliases and hashes, device passwords, bans,
 * sign-in events, the audit (store_audit.h). Blocking; process: vault alone. Queries are written
 * once, in SQL that SQLite and PostgreSQL share; see db.h for the engine.
 *
 * Addresses and domains come in canonical form (policy/signin.h). Times are seconds since 1970, 0
 * for never. Texts longer than the bounds here are GP_ERR_LIMIT.
 *
 * Errors of every function: GP_ERR_STORE (the engine failed: disk, damage), GP_ERR_BUSY (locked).
 * Further ones stand with the function. Functions that write run inside the caller's transaction if
 * there is one, else in a durable one of their own.
 */
#ifndef GP_STORE_STORE_H
#define GP_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"
#include "base/terms.h"

struct store;

enum {
	STORE_ADDRESS_SIZE = 321, /* with NUL, as all sizes here */
	STORE_DOMAIN_SIZE = 256,
	STORE_ROLE_SIZE = 16,
	STORE_ROUTE_SIZE = 65,
	STORE_LANGUAGE_SIZE = 16,
	STORE_DOMAINS_SIZE = 1025, /* names of domains with a space between */
	STORE_PASSWORD_SIZE = 512, /* a hash */
	STORE_NAME_SIZE = 65,
	STORE_WORDS_SIZE = 257,
	STORE_TAG_SIZE = 32,
	STORE_DEVICES_MAX = 50,  /* of one account */
	STORE_ALIASES_MAX = 100, /* of one account */
	STORE_WAIT_MS = 5000,    /* for another writer, unless set otherwise */
	STORE_KNOWN_MAX = 1000,  /* known sources of one account; those used last stay */
	STORE_KNOWN_STEP = 3600, /* s: how exactly their last use is noted */
};

/* Makes an empty file that nobody else can read, unless there is one. */
enum gp_err store_create(const char *path, struct gp_why *why) GP_CHECKED;
/*
 * Opens the database, filling or migrating it as needed. The file must be there: a store that has
 * gone away is a fault, not a new one without accounts. A schema newer than this program is
 * refused. Several processes may open it at once.
 */
enum gp_err store_open(const char *path, struct store **ret_store, struct gp_why *why) GP_CHECKED;
void store_close(struct store **pstore);
void store_set_wait(struct store *store, unsigned ms);
/* Number of the newest migration this program has; that of the database. */
unsigned store_newest_version(void);
enum gp_err store_version(struct store *store, unsigned *ret_version) GP_CHECKED;

/* Transactions do not nest. After a failed commit nothing of it is there. */
enum store_safety {
	STORE_RELAXED, /* survives kill -9 of any process, but perhaps not a power cut: events */
	STORE_DURABLE, /* survives that too: everything security rests on */
};
enum gp_err store_begin(struct store *store, enum store_safety safety) GP_CHECKED;
/* For several look-ups: they see the store as it is at the first of them, and are cheaper. Nothing
 * is written meanwhile. Ended by store_commit(). */
enum gp_err store_begin_reading(struct store *store) GP_CHECKED;
enum gp_err store_commit(struct store *store) GP_CHECKED;
void store_rollback(struct store *store);
bool store_is_in_transaction(const struct store *store);

/* ---- domains ---- */

struct store_domain {
	uint64_t id;
	char name[STORE_DOMAIN_SIZE];
	char alias_of[STORE_DOMAIN_SIZE]; /* "" for a domain of its own */
	int64_t created_at;
	uint64_t accounts; /* filled by store_domain_each() */
};

/* GP_ERR_NOT_FOUND. */
enum gp_err store_domain_find(
	struct store *store, struct slice name, struct store_domain *ret_domain) GP_CHECKED;
/* alias_of: empty, or a domain that is no alias itself (else GP_ERR_NOT_FOUND). GP_ERR_EXISTS. */
enum gp_err store_domain_add(struct store *store, struct slice name, struct slice alias_of,
	int64_t now, uint64_t *ret_id) GP_CHECKED;
/* GP_ERR_NOT_FOUND; GP_ERR_BUSY while accounts, aliases or host aliases need it. */
enum gp_err store_domain_remove(struct store *store, struct slice name) GP_CHECKED;
/* By name, from the first behind `after`, at most limit. domains: these and their host aliases
 * only, with spaces between; empty for all. visit() may end the walk by an error, which is
 * returned. */
enum gp_err store_domain_each(struct store *store, struct slice domains, struct slice after,
	uint64_t limit, enum gp_err (*visit)(const struct store_domain *domain, void *arg),
	void *arg) GP_CHECKED;

/* ---- accounts ---- */

struct store_account {
	uint64_t id;
	char address[STORE_ADDRESS_SIZE];
	char role[STORE_ROLE_SIZE];         /* from "user" to "admin", base/terms.h */
	char route[STORE_ROUTE_SIZE];       /* "": its domain's */
	char password[STORE_PASSWORD_SIZE]; /* hash, "": none; wipe after use */
	int64_t password_at;
	int64_t created_at;
	bool is_off;
	int64_t blocked_at; /* 0: may send */
	char block_reason[STORE_WORDS_SIZE];
	int64_t twofactor_at;               /* 0: 2FA is off */
	char language[STORE_LANGUAGE_SIZE]; /* of letters to it, "": never said */
};

/*
 * The account of an address: its own, an alias, or either with a sub-address (alice+news@ is
 * alice@). GP_ERR_NOT_FOUND. Costs up to four index look-ups, however many accounts there are.
 */
enum gp_err store_account_find(
	struct store *store, struct slice address, struct store_account *ret_account) GP_CHECKED;
/* By its id. GP_ERR_NOT_FOUND. */
enum gp_err store_account_get(
	struct store *store, uint64_t id, struct store_account *ret_account) GP_CHECKED;
/* "alice+news@x" as "alice@x"; false if there is no sub-address or nothing before the '+'. */
bool store_base_address(struct slice address, char out[static STORE_ADDRESS_SIZE]);

/* Uses address, role, route, password and is_off of *account. GP_ERR_EXISTS, also if it is an
 * alias; GP_ERR_NOT_FOUND: no such domain, or it is an alias of one. */
enum gp_err store_account_add(struct store *store, const struct store_account *account, int64_t now,
	uint64_t *ret_id) GP_CHECKED;
/* Sets the hash and switches the account on; guesses so far count against it no more; the hash
 * before goes to the old ones (store_activity.h). GP_ERR_NOT_FOUND. */
enum gp_err store_account_set_password(
	struct store *store, uint64_t id, const char *hash, int64_t now) GP_CHECKED;
/* Replaces the hash only if it is still old_hash; the password stays the same, and so its date. */
enum gp_err store_account_rehash(
	struct store *store, uint64_t id, const char *old_hash, const char *hash) GP_CHECKED;
/* at 0 unblocks. GP_ERR_NOT_FOUND. */
enum gp_err store_account_block(
	struct store *store, uint64_t id, int64_t at, struct slice reason) GP_CHECKED;
/* Which route serves it, "": its domain's; does it let anybody in? GP_ERR_NOT_FOUND. */
enum gp_err store_account_set_route(
	struct store *store, uint64_t id, struct slice route) GP_CHECKED;
enum gp_err store_account_set_off(struct store *store, uint64_t id, bool is_off) GP_CHECKED;
/* at 0 switches 2FA off. GP_ERR_NOT_FOUND. */
enum gp_err store_account_set_twofactor(struct store *store, uint64_t id, int64_t at) GP_CHECKED;
/* A language tag (RFC 5646). GP_ERR_NOT_FOUND. */
enum gp_err store_account_set_language(
	struct store *store, uint64_t id, struct slice language) GP_CHECKED;
/* A role without any domains. GP_ERR_NOT_FOUND. */
enum gp_err store_account_set_role(struct store *store, uint64_t id, struct slice role) GP_CHECKED;
/* One more domain that the account is domain-admin of; fine if it is already. GP_ERR_NOT_FOUND: no
 * own domain. GP_ERR_LIMIT: their names are too long together. */
enum gp_err store_account_add_domain(
	struct store *store, uint64_t id, struct slice domain) GP_CHECKED;
/* All of them with a space between. */
enum gp_err store_account_domains(
	struct store *store, uint64_t id, char out[static STORE_DOMAINS_SIZE]) GP_CHECKED;
/* With its aliases and devices; events and audit stay. GP_ERR_NOT_FOUND. */
enum gp_err store_account_remove(struct store *store, uint64_t id) GP_CHECKED;
/* By address, from the first behind `after`, at most limit. match: part of the address, or empty.
 * domains: only of these (with a space between), empty: of any. */
enum gp_err store_account_each(struct store *store, struct slice match, struct slice domains,
	struct slice after, uint64_t limit,
	enum gp_err (*visit)(const struct store_account *account, void *arg), void *arg) GP_CHECKED;

/* The domain must exist and be no alias (GP_ERR_NOT_FOUND). GP_ERR_EXISTS; GP_ERR_LIMIT. */
enum gp_err store_alias_add(struct store *store, uint64_t account, struct slice address) GP_CHECKED;
/* GP_ERR_NOT_FOUND: that is no alias of this account. */
enum gp_err store_alias_remove(
	struct store *store, uint64_t account, struct slice address) GP_CHECKED;
/* By address. */
enum gp_err store_alias_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(struct slice address, void *arg), void *arg) GP_CHECKED;

/* ---- device passwords ---- */

struct store_device {
	uint64_t id;
	uint64_t account;
	char name[STORE_NAME_SIZE];
	unsigned scopes; /* enum scope bits */
	int64_t created_at;
	int64_t used_at;
	char used_from[IP_TEXT_SIZE];
	char used_service[STORE_NAME_SIZE]; /* "imaps" */
	char used_client[STORE_WORDS_SIZE]; /* what the program called itself */
};

/* GP_ERR_NOT_FOUND. The same work for an account that does not exist. */
enum gp_err store_device_find(struct store *store, uint64_t account,
	const uint8_t tag[static STORE_TAG_SIZE], struct store_device *ret_device) GP_CHECKED;
/* Uses account, name, scopes. GP_ERR_LIMIT: the account has STORE_DEVICES_MAX already. */
enum gp_err store_device_add(struct store *store, const struct store_device *device,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t now, uint64_t *ret_id) GP_CHECKED;
/* device 0: all of the account. GP_ERR_NOT_FOUND if none was there. */
enum gp_err store_device_remove(struct store *store, uint64_t account, uint64_t device) GP_CHECKED;
enum gp_err store_device_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const struct store_device *device, void *arg), void *arg) GP_CHECKED;

/* ---- bans ---- */

/*
 * How far the wall clock was ahead of the steady one when something was kept, and is now. What was
 * kept since the machine was started last comes back with its times moved as the wall clock was.
 */
struct store_clock {
	int64_t boot;  /* which start of the machine; > 0 */
	int64_t ahead; /* seconds */
};

struct store_ban {
	struct ip_net net; /* of a level */
	int64_t set_at;
	int64_t until;
	char reason[STORE_WORDS_SIZE];
	uint64_t origin; /* of its reference (base/reference.h) */
};

/* Replaces an earlier one of the network. */
enum gp_err store_ban_keep(struct store *store, const struct store_clock *clock,
	const struct store_ban *ban) GP_CHECKED;
/* Lifts it, and failures from its addresses at or after since count no more. Fine if there is none.
 */
enum gp_err store_ban_drop(struct store *store, const struct store_clock *clock,
	const struct ip_net *net, int64_t since) GP_CHECKED;
/* Those that last beyond now. */
enum gp_err store_ban_each(struct store *store, const struct store_clock *clock, int64_t now,
	enum gp_err (*visit)(const struct store_ban *ban, void *arg), void *arg) GP_CHECKED;

/* The same, of this reference (base/reference.h); of this source and the networks it is in. */
enum gp_err store_ban_each_reference(struct store *store, const struct store_clock *clock,
	int64_t now, uint64_t reference,
	enum gp_err (*visit)(const struct store_ban *ban, void *arg), void *arg) GP_CHECKED;
enum gp_err store_ban_each_source(struct store *store, const struct store_clock *clock, int64_t now,
	const struct ip *source, enum gp_err (*visit)(const struct store_ban *ban, void *arg),
	void *arg) GP_CHECKED;

/* ---- sign-in events ---- */

/* Texts come escaped from core; any that is not printable is escaped here (base/text.h). */
struct store_event {
	int64_t at;
	uint64_t session;
	struct ip client;
	uint16_t client_port;
	enum service service;
	enum mechanism mechanism;
	enum verdict verdict;
	enum reason reason;
	unsigned counted; /* weight as a failure of its source; 0: none */
	bool guess;       /* counts against the account */
	uint64_t account; /* 0: none, or unknown */
	uint64_t device;
	struct slice login;
	struct slice client_name;
	struct slice tls;
	struct slice detail;
	uint64_t number; /* in core's journal; < 2^63 */
	struct store_clock clock;
};

/* Also notes, of a good sign-in, the use of the device password and the source, which is known for
 * the account from now on. *ret_is_new_source (may be NULL): it was not before. */
enum gp_err store_event_add(
	struct store *store, const struct store_event *event, bool *ret_is_new_source) GP_CHECKED;
/* Of the newest event; GP_ERR_NOT_FOUND: there is none. */
enum gp_err store_event_last_number(struct store *store, uint64_t *ret_number) GP_CHECKED;

struct store_event_filter {
	uint64_t account;     /* 0: any */
	struct slice login;   /* empty: any */
	struct ip source;     /* IP_NONE: any */
	struct slice verdict; /* names of base/terms.h; empty: any */
	struct slice reason;
	struct slice service;
	uint64_t session;   /* 0: any */
	uint64_t reference; /* 0: any */
	int64_t since;      /* 0: any */
	int64_t until;      /* exclusive; 0: any */
	uint64_t before;    /* id, exclusive; 0: any */
	uint64_t limit;
};

/* As it is kept: names of base/terms.h instead of numbers. Slices are good during the visit. */
struct store_event_row {
	uint64_t id;
	int64_t at;
	struct slice session; /* 16 hexadecimal digits */
	struct slice client;
	uint16_t client_port;
	struct slice source;
	struct slice service;
	struct slice mechanism;
	struct slice verdict;
	struct slice reason;
	bool counted;
	uint64_t account;
	uint64_t device;
	struct slice login;
	struct slice client_name;
	struct slice tls;
	struct slice detail;
	struct slice address;     /* of the account, "" if there is none or it is gone */
	struct slice device_name; /* likewise */
	uint64_t reference;       /* of the refusal, 0 for a good sign-in */
};

/* Newest first. */
enum gp_err store_event_each(struct store *store, const struct store_event_filter *filter,
	enum gp_err (*visit)(const struct store_event_row *row, void *arg), void *arg) GP_CHECKED;
/* Counted failures at or after since, oldest first. */
enum gp_err store_event_each_failure(struct store *store, const struct store_clock *clock,
	int64_t since,
	enum gp_err (*visit)(const struct ip *source, int64_t at, unsigned weight, void *arg),
	void *arg) GP_CHECKED;
/* Accounts for which failures of this source counted at or after since, with what the last one of
 * each said; at most limit. */
enum gp_err store_event_each_culprit(struct store *store, const struct ip *source, int64_t since,
	uint64_t limit,
	enum gp_err (*visit)(
		uint64_t account, struct slice service, struct slice client_name, void *arg),
	void *arg) GP_CHECKED;
/* Guesses against an account at or after since, oldest first. */
enum gp_err store_event_each_guess(struct store *store, const struct store_clock *clock,
	int64_t since, enum gp_err (*visit)(uint64_t account, int64_t at, void *arg),
	void *arg) GP_CHECKED;
/*
 * Removes events older than `before` and the oldest beyond max_rows, but none at or after `keep`,
 * nor guesses against an account at or after `keep_guesses` (they still count); bans that are over
 * at `now`; known sources not used since known_before. At most `batch` events at a time; *ret_more:
 * call again.
 */
struct store_retention {
	int64_t before;
	uint64_t max_rows;
	int64_t keep;
	int64_t keep_guesses;
	int64_t known_before;
	int64_t now;
	uint64_t batch;
	struct store_clock clock;
};
enum gp_err store_sweep(
	struct store *store, const struct store_retention *retention, bool *ret_more) GP_CHECKED;

/* ---- known sources ---- */

/* The account signed in from there. *ret_is_new (may be NULL): it never did before, as far
 * as is known. Fine if the account is gone. */
enum gp_err store_known_note(struct store *store, uint64_t account, const struct ip *source,
	int64_t at, bool *ret_is_new) GP_CHECKED;
/* All of an account, in no order. */
enum gp_err store_known_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const struct ip *source, int64_t last_at, void *arg),
	void *arg) GP_CHECKED;
/* Did it at or after since (or up to STORE_KNOWN_STEP earlier)? The same work for an account that
 * does not exist. */
enum gp_err store_known_find(struct store *store, uint64_t account, const struct ip *source,
	int64_t since, bool *ret_is_known) GP_CHECKED;
/* When it was first; 0: never. */
enum gp_err store_known_first(struct store *store, uint64_t account, const struct ip *source,
	int64_t *ret_first) GP_CHECKED;
/* From anywhere. */
enum gp_err store_known_oldest(
	struct store *store, uint64_t account, int64_t *ret_first) GP_CHECKED;
/* Forgets those not used since. */
enum gp_err store_known_sweep(struct store *store, int64_t before) GP_CHECKED;

/* ---- import ---- */

/*
 * Accounts on their way in: gathered aside in small transactions while the store goes on serving,
 * then made real in one. One import at a time; what an interrupted one left is cleared by the next.
 */
struct store_staged {
	struct slice address;
	struct slice domain; /* of the address; made at the end if it does not exist */
	struct slice role;
	struct slice route;
	const char *password; /* hash, "": none */
	bool is_off;
};

enum gp_err store_stage_clear(struct store *store) GP_CHECKED;
/* GP_ERR_EXISTS: the address is taken, here or in the store. GP_ERR_NOT_FOUND: its domain is a host
 * alias, under which no account can live. */
enum gp_err store_stage_account(struct store *store, const struct store_staged *staged) GP_CHECKED;
/* Likewise; account: a staged address. */
enum gp_err store_stage_alias(
	struct store *store, struct slice address, struct slice account) GP_CHECKED;
/* Takes an account back, with its aliases. */
enum gp_err store_stage_drop(struct store *store, struct slice address) GP_CHECKED;
/* All of it in one go. GP_ERR_EXISTS: an address was taken meanwhile. */
enum gp_err store_stage_finish(
	struct store *store, int64_t now, uint64_t *ret_accounts, uint64_t *ret_domains) GP_CHECKED;

#endif
