/* SPDX-License-Identifier: ISC */
#include "parent/generation.h"

#include <errno.h>
#include <fcntl.h>
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

static enum gp_err resolve(const struct config_strings *hosts,
	struct generation_member **ret_members, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	*ret_members = mem_new(hosts->count + 1, sizeof **ret_members);
	for (size_t i = 0; err == GP_OK && i < hosts->count; i++)
		err = address_resolve(hosts->items[i], &(*ret_members)[i], why);
	return err;
}

static enum gp_err load_members(struct generation *generation, struct gp_why *why)
{
	const struct config *config = generation->config;
	enum gp_err err = resolve(&config->rspamd, &generation->rspamd, why);

	generation->members = mem_new(config->backend_count + 1, sizeof *generation->members);
	for (size_t i = 0; err == GP_OK && i < config->backend_count; i++)
		err = resolve(&config->backends[i].hosts, &generation->members[i], why);
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

	if (err == GP_OK)
		err = load_members(generation, &why);
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

static void free_members(const struct config_strings *hosts, struct generation_member *members)
{
	for (size_t i = 0; members != NULL && i < hosts->count; i++)
		mem_free(members[i].addresses);
	mem_free(members);
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
	for (size_t i = 0; generation->members != NULL && i < generation->config->backend_count;
		i++)
		free_members(&generation->config->backends[i].hosts, generation->members[i]);
	mem_free(generation->members);
	if (generation->rspamd != NULL)
		free_members(&generation->config->rspamd, generation->rspamd);
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
