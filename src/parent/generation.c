/* SPDX-License-Identifier: ISC */
#include "parent/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "parent/address.h"
#include "parent/first_start.h"
#include "parent/material.h"
#include "privsep/fdpass.h"
#include "privsep/sandbox.h"

enum {
	FILE_NAME_MAX = 255, /* of CONFIG */
};

bool generation_is_for(enum ipc_material_kind kind, enum ipc_role role, enum ipc_lane lane)
{
	switch (kind) {
	case IPC_MATERIAL_CERTIFICATE:
	case IPC_MATERIAL_KEY:
	case IPC_MATERIAL_BACKEND_CA:
	case IPC_MATERIAL_BACKEND_AUTH:
		return role == IPC_ROLE_FRONT;
	case IPC_MATERIAL_TOKEN_KEY:
	case IPC_MATERIAL_PEPPER:
		return role == IPC_ROLE_VAULT;
	case IPC_MATERIAL_GEOIP:
		return role == IPC_ROLE_CORE;
	case IPC_MATERIAL_SIGNING_CHAIN:
	case IPC_MATERIAL_SIGNING_KEY:
		return role == IPC_ROLE_VAULT && lane == IPC_LANE_DESK;
	case IPC_MATERIAL_MAX:
		break;
	}
	return false;
}

static enum gp_err read_text(const char *path, struct buf *text, struct config_error *error)
{
	struct gp_why why = { "" };
	enum gp_err err;
	int fd;

	if (strlen(path) > FILE_NAME_MAX) {
		(void)snprintf(
			error->text, sizeof error->text, "%.300s: the path is too long", path);
		return GP_ERR_CONFIG;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		(void)snprintf(error->text, sizeof error->text, "%s: %s", path, strerror(errno));
		return GP_ERR_CONFIG;
	}
	err = fdpass_read(fd, text, &why);
	if (err != GP_OK)
		(void)snprintf(error->text, sizeof error->text, "%s: %s", path, why.text);
	(void)close(fd);
	return err == GP_OK ? GP_OK : GP_ERR_CONFIG;
}

/* Once: a process that is to be started again needs no user database. */
static enum gp_err find_users(struct generation *generation, struct gp_why *why)
{
	const struct config *config = generation->config;
	const struct {
		enum ipc_role role;
		const char *option;
		const char *user;
		bool is_wanted;
	} children[] = {
		{ IPC_ROLE_FRONT, "front_user", config->front_user, true },
		{ IPC_ROLE_CORE, "core_user", config->core_user, true },
		{ IPC_ROLE_VAULT, "vault_user", config->vault_user, true },
		{ IPC_ROLE_WEB, "web_user", config->web_user,
			config_has_service(config, SERVICE_HTTPS) },
	};
	struct gp_why reason = { "" };

	for (size_t i = 0; geteuid() == 0 && i < GP_ARRAY_LEN(children); i++) {
		struct generation_user *user = &generation->users[children[i].role];

		if (children[i].is_wanted && user->uid == 0 &&
			sandbox_find_user(children[i].user, &user->uid, &user->gid, &reason) !=
				GP_OK)
			return gp_why_set(
				why, GP_ERR_CONFIG, "%s: %.200s", children[i].option, reason.text);
	}
	return GP_OK;
}

static enum gp_err parse_hosts(const struct config_strings *hosts,
	struct generation_member **ret_members, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	*ret_members = mem_new(hosts->count + 1, sizeof **ret_members);
	for (size_t i = 0; err == GP_OK && i < hosts->count; i++)
		err = address_parse(hosts->items[i], &(*ret_members)[i], why);
	return err;
}

static enum gp_err load_members(struct generation *generation, struct gp_why *why)
{
	const struct config *config = generation->config;
	enum gp_err err = parse_hosts(&config->rspamd, &generation->rspamd, why);

	generation->members = mem_new(config->backend_count + 1, sizeof *generation->members);
	for (size_t i = 0; err == GP_OK && i < config->backend_count; i++)
		err = parse_hosts(&config->backends[i].hosts, &generation->members[i], why);
	return err;
}

static void each_of(const struct config_strings *hosts, struct generation_member *members,
	void (*visit)(struct generation_member *member, void *arg), void *arg)
{
	for (size_t i = 0; members != NULL && i < hosts->count; i++)
		visit(&members[i], arg);
}

void generation_each_member(struct generation *generation,
	void (*visit)(struct generation_member *member, void *arg), void *arg)
{
	const struct config *config = generation->config;

	for (size_t i = 0; generation->members != NULL && i < config->backend_count; i++)
		each_of(&config->backends[i].hosts, generation->members[i], visit, arg);
	if (config != NULL)
		each_of(&config->rspamd, generation->rspamd, visit, arg);
}

static void check_name(struct generation_member *member, void *arg)
{
	struct gp_why *why = arg;
	struct address_answer answer;

	if (member->name == NULL || why->text[0] != '\0')
		return;
	address_look_up(member->name, &answer);
	if (answer.code != 0)
		(void)gp_why_set(why, GP_ERR_CONFIG, "backend host %.100s: %s", member->name,
			gai_strerror(answer.code));
}

static enum gp_err check_names(struct generation *generation, struct gp_why *why)
{
	generation_each_member(generation, check_name, why);
	return why->text[0] == '\0' ? GP_OK : GP_ERR_CONFIG;
}

/* Who looks for the addresses of its name. */
struct heir {
	struct generation_member *member;
	bool is_done;
};

static void bequeath(struct generation_member *member, void *arg)
{
	struct heir *heir = arg;
	struct generation_member *to = heir->member;

	if (heir->is_done || member->name == NULL || strcmp(member->name, to->name) != 0 ||
		member->port != to->port || member->count == 0)
		return;
	heir->is_done = true;
	to->addresses = mem_new(member->count, sizeof *to->addresses);
	memcpy(to->addresses, member->addresses, member->count * sizeof *to->addresses);
	to->count = member->count;
	to->is_lost = member->is_lost;
}

static void inherit(struct generation_member *member, void *arg)
{
	struct heir heir = { .member = member };

	if (member->name != NULL && member->count == 0)
		generation_each_member(arg, bequeath, &heir);
}

enum gp_err generation_inherit(
	struct generation *generation, struct generation *earlier, struct config_error *error)
{
	struct gp_why why = { "" };
	enum gp_err err;

	memcpy(generation->users, earlier->users, sizeof generation->users);
	err = find_users(generation, &why);
	if (err != GP_OK)
		(void)snprintf(error->text, sizeof error->text, "%s", why.text);
	generation_each_member(generation, inherit, earlier);
	return err;
}

/* Nobody is kept out because a file of countries is missing: at a start it is only said. */
static enum gp_err load_geoip(
	struct generation *generation, enum generation_use use, struct gp_why *why)
{
	enum gp_err err = material_load_geoip(generation, why);

	if (err == GP_OK || use == GENERATION_CHECK || use == GENERATION_RELOAD)
		return err;
	log_error("countries_not_known", LOG_STR("why", why->text));
	return GP_OK;
}

static enum gp_err load_parts(
	struct generation *generation, enum generation_use use, struct config_error *error)
{
	struct gp_why why = { "" };
	enum gp_err err = material_load(generation, &why);

	if (err == GP_OK && use != GENERATION_RELOAD)
		err = find_users(generation, &why);
	if (err == GP_OK)
		err = load_members(generation, &why);
	if (err == GP_OK && use == GENERATION_CHECK)
		err = check_names(generation, &why);
	if (err == GP_OK && (use == GENERATION_CHECK || use == GENERATION_START))
		err = first_start_check(generation->config, &why);
	/* After all else is found good: what fails before this is still a first start. */
	if (err == GP_OK && (use == GENERATION_START || use == GENERATION_INIT))
		err = first_start_make(generation->config, &why);
	if (err == GP_OK)
		err = material_load_keys(generation, use != GENERATION_CHECK, &why);
	if (err == GP_OK)
		err = load_geoip(generation, use, &why);
	if (err != GP_OK) {
		(void)snprintf(error->text, sizeof error->text, "%s", why.text);
		err = GP_ERR_CONFIG;
	}
	return err;
}

enum gp_err generation_load(const char *path, uint64_t number, enum generation_use use,
	struct generation **ret_generation, struct config_error *error)
{
	struct generation *generation = mem_new(1, sizeof *generation);
	struct buf text;
	enum gp_err err;

	generation->number = number;
	generation->text_fd = -1;
	buf_init(&text, FDPASS_FILE_MAX);
	err = read_text(path, &text, error);
	if (err == GP_OK)
		err = config_parse(buf_slice(&text), path, &generation->config, error);
	if (err == GP_OK &&
		fdpass_make("gatepost-config", buf_slice(&text), &generation->text_fd) != GP_OK) {
		(void)snprintf(error->text, sizeof error->text, "memfd: %s", strerror(errno));
		err = GP_ERR_IO;
	}
	if (err == GP_OK)
		err = load_parts(generation, use, error);
	if (err == GP_OK) {
		*ret_generation = generation;
		generation = NULL;
	}
	generation_free(&generation);
	buf_fini(&text);
	return err;
}

static void free_member(struct generation_member *member, void *arg)
{
	(void)arg;
	address_free(member);
}

void generation_drop_materials(struct generation *generation)
{
	for (size_t i = 0; i < generation->material_count; i++)
		(void)close(generation->materials[i].fd);
	mem_free(generation->materials);
	generation->materials = NULL;
	generation->material_count = 0;
}

void generation_free(struct generation **pgeneration)
{
	struct generation *generation = *pgeneration;

	*pgeneration = NULL;
	if (generation == NULL)
		return;
	generation_drop_materials(generation);
	generation_each_member(generation, free_member, NULL);
	for (size_t i = 0; generation->members != NULL && i < generation->config->backend_count;
		i++)
		mem_free(generation->members[i]);
	mem_free(generation->members);
	mem_free(generation->rspamd);
	if (generation->text_fd >= 0)
		(void)close(generation->text_fd);
	config_free(&generation->config);
	mem_free(generation);
}

const struct generation_member *generation_member(
	const struct generation *generation, unsigned backend, unsigned member)
{
	const struct config *config = generation->config;

	if (backend == IPC_DIAL_RSPAMD)
		return member < config->rspamd.count ? &generation->rspamd[member] : NULL;
	if (backend >= config->backend_count || member >= config->backends[backend].hosts.count)
		return NULL;
	return &generation->members[backend][member];
}
