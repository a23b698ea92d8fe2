/* SPDX-License-Identifier: ISC */
/*
 * One reading of the configuration with all that it names, ready to be handed out: the text, key
 * material and certificates in sealed memfds, backend hosts as socket addresses. Immutable but for
 * the addresses of host names, which resolver.c finds. Process: gatepostd.
 */
#ifndef GP_PARENT_GENERATION_H
#define GP_PARENT_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"
#include "config/config.h"
#include "ipc/message.h"

struct generation_material {
	enum ipc_material_kind kind;
	const char *name; /* of its section in config; "" if it has none */
	int fd;
};

struct generation_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* One of a backend's hosts. */
struct generation_member {
	struct generation_address *addresses;
	size_t count; /* 0: nothing is known of the name */
	char *name;   /* NULL: it is an address */
	uint16_t port;
	bool is_lost; /* the name could not be looked up the last time */
};

/* Whom a child becomes; 0 unless gatepostd is root. */
struct generation_user {
	uid_t uid;
	gid_t gid;
};

struct generation {
	uint64_t number;
	struct config *config;
	int text_fd;
	struct generation_material *materials;
	size_t material_count;
	struct generation_member **members; /* [backend][host], as in config */
	struct generation_member *rspamd;   /* its hosts */
	struct generation_user users[IPC_ROLE_MAX];
};

enum generation_use {
	GENERATION_CHECK,  /* to be looked at; nothing is made */
	GENERATION_START,  /* at the first start, store and keys are made (parent/first_start.h) */
	GENERATION_INIT,   /* store and keys are made wherever they are missing */
	GENERATION_RELOAD, /* a token key that is missing is made */
};

/*
 * Reads and checks everything. GP_ERR_CONFIG with error: file, line where there is one, and reason.
 * Host names are left to resolver.c; only GENERATION_CHECK looks them up, which may take seconds.
 */
enum gp_err generation_load(const char *path, uint64_t number, enum generation_use use,
	struct generation **ret_generation, struct config_error *error) GP_CHECKED;
void generation_free(struct generation **pgeneration);
/* Nobody is given it any more: keys and large files need not stay. */
void generation_drop_materials(struct generation *generation);

/* backend: an index, or IPC_DIAL_RSPAMD. NULL if there is no such backend or host. */
const struct generation_member *generation_member(
	const struct generation *generation, unsigned backend, unsigned member);

/* Visits every host of every backend, and of rspamd. */
void generation_each_member(struct generation *generation,
	void (*visit)(struct generation_member *member, void *arg), void *arg);
/* Users are those of the earlier one. Host names that stood in it have its addresses for the time
 * being. GP_ERR_CONFIG with error: a process that is wanted now has no user. */
enum gp_err generation_inherit(struct generation *generation, struct generation *earlier,
	struct config_error *error) GP_CHECKED;

/* Is material of this kind for processes of this role and, of vaults, lane? */
bool generation_is_for(enum ipc_material_kind kind, enum ipc_role role, enum ipc_lane lane);

#endif
