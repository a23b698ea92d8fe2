/* SPDX-License-Identifier: ISC */
/* A vault with a fresh store, and the test in core's place at the other end of its channel. */
#ifndef GP_TESTS_VAULT_FIXTURE_H
#define GP_TESTS_VAULT_FIXTURE_H

#include "vault/desk.h"
#include "vault/import.h"
#include "vault/vault.h"

enum {
	FIXTURE_TEXT = 64 * 1024
};

struct fixture {
	char dir[64];
	char path[96];
	struct config config;
	struct config_route route;
	struct vault vault;
	struct chan *core; /* the test's end */
	/* what came from the vault */
	char rows[FIXTURE_TEXT]; /* of the last operation, a line each */
	unsigned row_count;
	unsigned progress_count;
	uint64_t progress_done;
	uint64_t progress_total;
	char load[FIXTURE_TEXT];    /* rows of the last LOAD */
	char profile[FIXTURE_TEXT]; /* its parts, a line each */
	unsigned parts;
	unsigned char sending_key[16];
	bool found, is_blocked; /* what the last SENDING_LOADED or PROFILE_KEPT said */
	struct ipc_kept kept;   /* the last one, and how many came */
	unsigned kept_count;
	unsigned kept_open; /* messages after which a transaction was open */
	bool is_done;       /* OP_DONE, LOADED or VERIFY_REPLY has come */
	enum gp_err err;
	char why[1024];
	char fault[64];
	enum ipc_effect effect;
	uint64_t account;
	uint64_t device;
	struct ipc_lookup_reply lookup;
	unsigned notice_count; /* NOTICEs that came, and the last one */
	uint64_t notice;
	char notice_recipient[STORE_ADDRESS_SIZE];
	char letter[IPC_NOTICE_MAX + 1];
	const char *reader; /* whose last letter is kept apart; NULL: nobody's */
	char read[IPC_NOTICE_MAX + 1];
	uint64_t asker;      /* who is signed in, for fixture_op(); 0: nobody */
	enum role role;      /* and may what; ROLE_ADMIN after the setup */
	const char *domains; /* and where; NULL: everywhere */
	uint64_t portal;     /* by which session at the portal, for fixture_op() */
	const char *source;  /* where fixture_op() and _verify() come from; NULL: nowhere */
	bool is_unchecked;   /* what fixture_verify() asks for */
	struct ipc_verify_reply reply; /* its slices are in the three texts */
	char address[STORE_ADDRESS_SIZE];
	char route_name[STORE_ROUTE_SIZE];
	char token[4096];
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Sends it and waits for what ends it. */
void fixture_send(struct fixture *fixture, const struct ipc_message *message, int fd);
/* Sends it without waiting. */
void fixture_post(struct fixture *fixture, const struct ipc_message *message);
void fixture_run(struct fixture *fixture); /* until the vault has nothing to do */
/* An operation; its error. */
enum gp_err fixture_op(struct fixture *fixture, const char *name, const char *arguments);
enum gp_err fixture_op_fd(struct fixture *fixture, const char *name, const char *arguments, int fd);
/* A sign-in; its reason. */
enum reason fixture_verify(
	struct fixture *fixture, enum protocol protocol, const char *login, const char *secret);
/* A string of the last rows: what stands behind "key":" */
const char *fixture_value(struct fixture *fixture, const char *key, char out[static 512]);

#endif
