/* SPDX-License-Identifier: ISC */
/*
 * A core with everybody around it played by the test, in one loop, over real channels: two fronts,
 * a fast, two slow and a desk vault, one CLI, the portal and gatepostd. What they are told is
 * written down here.
 *
 * The played vault knows: "right" opens any account of example.test, "blocked" one that is blocked,
 * "second" one that has 2FA; "device-scope" and "twofactor" are those reasons, "store" is a fault
 * of the store; every other secret is wrong. A secret in device-password form is right on the fast
 * lane. A name that begins with "nobody" is nobody's; each that begins with "user" is an account of
 * its own; all others are one. Of the codes it takes 123456 once, and "recovery"; after ten wrong
 * ones in a row none.
 */
#ifndef GP_TESTS_CORE_WORLD_H
#define GP_TESTS_CORE_WORLD_H

#include "core/core.h"

enum {
	WORLD_FRONTS = 2,
	WORLD_VAULTS = 4,
	WORLD_ANSWERS_MAX = 1024,
	WORLD_CASE_SIZE = 4096,
	WORLD_ROWS_MAX = 4096,
	WORLD_WALL = 1800000000,
	WORLD_STEADY = 5000000,
	WORLD_RIGHT_ACCOUNT = 7,
	WORLD_PROFILES = 64,
	WORLD_PROFILE_MAX = 72 * 1024,
	WORLD_SENT_MAX = 512,
};

#define WORLD_DEVICE_SECRET "abcd-efgh-ijkl-mnop-qrst-uvwx"

struct world;

struct world_peer {
	struct world *world;
	unsigned index;
	enum ipc_lane lane;
	struct chan *chan;
	bool has_ended;
};

/* Which vault is which. */
enum {
	DESK,
	FAST,
	SLOW_1,
	SLOW_2,
};

struct world_answer {
	uint64_t session;
	enum verdict verdict;
	int64_t ban_ms;
	char address[321];
	char backend[65];
	char token[65];
};

enum {
	WORLD_LEASES = 64 /* sessions below this number can have one */
};

struct world_done {
	uint64_t request;
	enum gp_err err;
};

struct world_held {
	uint64_t request;
	char secret[64];
	char login[321];
	bool is_unchecked;
	bool is_portal;
	unsigned vault;
};

/* What the desk has of an account's profile. */
struct world_profile {
	uint64_t account;
	char *bytes;
	size_t len;
};

struct world_sent {
	uint64_t session, account;
	struct ip client;
	char sender[321];
	char subject[257];
	uint32_t recipients, strangers;
	enum sent_outcome outcome;
};

struct world {
	struct loop *loop;
	struct config *config;
	struct core *core;
	struct world_peer fronts[WORLD_FRONTS];
	struct world_peer vaults[WORLD_VAULTS]; /* desk, fast, slow, slow */
	struct world_peer cli;
	struct world_peer web;
	struct world_peer gatepostd;
	struct chan *core_parent; /* core's end of that */
	bool is_token;            /* the next calls come with an API token instead of a cookie */
	uint64_t moved;           /* messages that arrived anywhere */

	/* The vaults. */
	bool is_holding; /* VERIFYs are kept, not answered */
	bool is_mute;    /* LOAD is not answered */
	struct world_held held[WORLD_ANSWERS_MAX];
	unsigned held_count;
	unsigned most_at_once[WORLD_VAULTS];
	unsigned verified; /* VERIFYs that came */
	unsigned wrong;    /* of them answered as wrong */
	char last_login[321];
	unsigned last_vault;
	struct ip_net ban_rows[4];
	int64_t ban_set_at[4], ban_until[4];
	unsigned ban_row_count;
	struct ip failure_rows[16];
	int64_t failure_at[16];
	unsigned failure_row_count;
	unsigned guess_row_count;
	struct ip known_source; /* for every account */
	bool is_lookup_failing;
	bool is_fast_mute; /* the fast vault hangs: its LOOKUPs are not answered */
	unsigned lookups;
	int64_t last_since;
	unsigned loads;
	bool is_account_blocked; /* what account.show says */
	enum gp_err account_err;
	const char *account_row; /* all that it says; NULL: that alone */

	/* What the desk was told to keep. It says so of bans alone, as soon as it has them. */
	uint64_t journal;
	unsigned records;     /* that came since */
	bool is_keeping_mute; /* it says nothing by itself */
	unsigned events, counted, weight, guesses, bans_kept, bans_dropped;
	uint64_t last_account;
	enum reason last_reason;
	enum verdict last_verdict;
	char last_event_login[321];
	char last_detail[257];
	enum service last_service;
	uint64_t last_event_at; /* of moved */

	/* The desk's part of sending: world_sending.c. */
	bool is_sending_mute;    /* SENDING_LOAD is not answered */
	bool is_sending_failing; /* or answered as failed */
	bool is_profile_failing;
	unsigned sending_loads, name_loads;
	const char *alias;  /* of every account; NULL: none */
	const char *listed; /* likewise */
	struct world_profile profiles[WORLD_PROFILES];
	unsigned profiles_kept;
	struct world_sent sent[WORLD_SENT_MAX];
	unsigned sent_count;
	unsigned spent; /* recipients that were sent a minute ago, by whomever is asked for */

	/* What the fronts were told. */
	struct world_answer answers[WORLD_ANSWERS_MAX];
	unsigned answer_count;
	uint64_t first_answer_at, last_answer_at; /* of moved */
	uint64_t closed[WORLD_ANSWERS_MAX];
	enum close_reason close_reason[WORLD_ANSWERS_MAX];
	unsigned closed_count;
	enum permit mail_permit, rcpt_permit, from_permit, end_permit;
	unsigned mail_count, rcpt_count;
	bool has_lease[WORLD_LEASES]; /* by session, as its front has it */
	unsigned leases_ended;
	char mail_text[321];
	char rcpt_backend[65];
	char rcpt_text[321];
	bool rcpt_wants_body;

	/* What gatepostd was told to dial. */
	uint64_t dial; /* what sign-ins say */
	unsigned dials;
	struct ipc_dial_mailbox last_dial; /* but for backend */
	char dial_backend[65];

	/* Mail of Gatepost's own: what a front was handed, what the desk heard of it. */
	unsigned notices;
	unsigned last_notice_front;
	char notice_backend[65];
	unsigned notices_done;
	struct ipc_notice_done notice_done; /* text: not kept */

	/* The last operation the desk was asked for. */
	const char *cause; /* the source of a failure on the account; NULL: none */
	unsigned lifts;    /* noted; three may be */
	struct ip_net lift_rows[4];
	uint64_t lift_account;
	unsigned lift_row_count;
	bool is_mended;    /* what "must" says: nothing is left */
	bool is_code_used; /* the desk's */
	unsigned codes_checked, codes_wrong;
	char op_name[65], op_actor[321], op_domains[1025];
	char case_args[WORLD_CASE_SIZE]; /* of the last sending.open */
	unsigned cases;                  /* how many came */
	enum gp_err case_err;            /* what becomes of them */
	enum role op_role;
	uint64_t op_asker;
	unsigned ops;

	const char *idempotency; /* that both ask with, NULL: none */

	/* What the CLI, or the portal, was told. */
	json_t *rows; /* array; but for those with nothing in them but a cookie */
	char cookie[PORTAL_COOKIE_SIZE]; /* the last one */
	unsigned cookies;
	struct world_done done[WORLD_ANSWERS_MAX];
	unsigned done_count;
	bool is_done;
	enum gp_err done_err;
	char done_why[1024];
	uint64_t done_request;
};

/* extra: lines of configuration, "" for none. is_faked: the clock stands at WORLD_WALL and
 * WORLD_STEADY. */
struct world *world_new(const char *extra, bool is_faked);
void world_free(struct world **pworld);
/* Runs the loop until nothing more arrives. */
void world_settle(struct world *world);
/* Runs the loop, waiting in it, until count answers came. */
void world_await_answers(struct world *world, unsigned count);

/* A fresh core with the same surroundings: the old one was killed. */
void world_restart_core(struct world *world);
void world_connect_vault(struct world *world, unsigned vault);
void world_connect_front(struct world *world, unsigned front);
void world_connect_web(struct world *world);
void world_cut_vault(struct world *world, unsigned vault);
void world_cut_front(struct world *world, unsigned front, bool crashed);

void world_open(struct world *world, unsigned front, uint64_t session, enum service service,
	const char *client);
void world_end(struct world *world, unsigned front, uint64_t session);
void world_signin(struct world *world, unsigned front, uint64_t session, const char *login,
	const char *secret);
void world_mail(struct world *world, unsigned front, uint64_t session);
void world_rcpt(struct world *world, unsigned front, uint64_t session, const char *recipient);
void world_send(struct world *world, unsigned front, const struct ipc_message *message);
/* The desk has mail for this recipient. */
void world_notice(struct world *world, uint64_t notice, const char *recipient);
/* open, sign in, settle: the verdict. */
enum verdict world_try(struct world *world, uint64_t session, enum service service,
	const char *client, const char *secret);
/* Lets the vaults answer what they held, and all that follows. */
void world_answer_held(struct world *world);

/* The last answer this session got; its verdict is VERDICT_MAX if it got none. */
const struct world_answer *world_answer_of(const struct world *world, uint64_t session);
unsigned world_count(const struct world *world, enum verdict verdict);
bool world_was_closed(const struct world *world, uint64_t session, enum close_reason *ret_reason);

/* Asks as the CLI; rows are then in world->rows. */
uint64_t world_ask(struct world *world, const char *name, const char *arguments);
/* ... and waits for the end: how it went. */
enum gp_err world_op(struct world *world, const char *name, const char *arguments);
/* Asks as a browser at this address with this cookie; what came is in world->rows and ->cookie. */
enum gp_err world_call(struct world *world, const char *name, const char *arguments,
	const char *cookie, const char *client);
/* The same without waiting; its request. */
uint64_t world_send_call(struct world *world, const char *name, const char *arguments,
	const char *cookie, const char *client);
/* How many calls ended so. */
unsigned world_count_done(const struct world *world, enum gp_err err);
const json_t *world_row(const struct world *world, size_t n);

struct ip world_ip(const char *text);

/* world_vaults.c, for world.c. */
void world_on_vault_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner);
void world_answer_verify(struct world *world, const struct world_held *held);
/* world_sending.c, likewise. */
void world_on_sending_load(struct world_peer *vault, const struct ipc_sending_load *load);
void world_on_profile_part(struct world_peer *vault, const struct ipc_profile_part *part);
void world_on_sent(struct world *world, const struct ipc_sent *sent);
void world_free_profiles(struct world *world);

#endif
