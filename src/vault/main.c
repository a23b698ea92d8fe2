/* SPDX-License-Identifier: ISC */
/*
 * gatepost-vault: the only process that opens the store and sees hashes and keys. The store is
 * opened before the sandbox closes; afterwards there is nothing but it and the channel to core.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "crypt/cms.h"
#include "crypt/key.h"
#include "crypt/seal.h"
#include "crypt/totp.h"
#include "ops/json_setup.h"
#include "privsep/child.h"
#include "vault/desk.h"
#include "vault/import.h"
#include "vault/twofactor.h"
#include "vault/vault.h"

enum {
	BOOT_ID_LEN = 36,
	VAULT_SLOW_NICE = 10, /* of the lane that hashes */
};

/* The process's own; child_main() hands out a struct child, whose state points here. */
static struct vault vault;

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	(void)chan;
	vault_on_message(owner, message, fd);
}

/* The process's own channel to gatepostd, and the core that it is connected with. */
static struct {
	struct chan *parent;
	uint32_t core_pid;
} links;

/* A fresh channel comes with a fresh core. */
static void report_core(void)
{
	struct ipc_message message = { .type = IPC_CORE_BAD, .core_bad = { links.core_pid } };

	log_error("core_broke_the_rules", LOG_UINT("core", links.core_pid));
	if (chan_send(links.parent, &message, -1) != GP_OK)
		log_error("core_not_reported", LOG_UINT("core", links.core_pid));
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct vault *self = owner;

	(void)chan;
	if (end == CHAN_END_ATTACK)
		report_core();
	else
		log_info("core_gone", LOG_UINT("core", links.core_pid));
	vault_on_core_gone(self);
	chan_free(&self->core);
}

static char *database_path(const struct config *config)
{
	return config->database != NULL ? mem_strdup(config->database)
					: mem_printf("%s/gatepost.db", config->state_dir);
}

/* The kernel's name for this start of the machine, shortened. Without one, every start of this
 * process is another: times are then told by the wall clock alone. */
static int64_t find_boot(void)
{
	static const uint64_t any_key[2] = { 0 };
	char text[BOOT_ID_LEN + 1] = "";
	uint64_t boot = rand_u64();
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1)
		boot = map_hash_keyed(any_key, slice_str(text));
	if (fd >= 0)
		(void)close(fd);
	return (int64_t)(boot >> 1 | 1);
}

static enum gp_err before_jail(struct child *child, const struct config *config, struct gp_why *why)
{
	char *path = database_path(config);
	enum gp_err err;

	json_setup();
	child->state = &vault;
	vault.lane = child->lane;
	vault.loop = child->loop;
	vault.boot = find_boot();
	/* Whoever waits for anything else than a hash is in a greater hurry. */
	if (child->lane == IPC_LANE_SLOW)
		(void)setpriority(PRIO_PROCESS, 0, VAULT_SLOW_NICE);
	err = store_open(path, &vault.store, why);
	if (err == GP_OK && vault.lane != IPC_LANE_DESK)
		store_set_wait(vault.store, VAULT_LANE_WAIT_MS);
	if (err == GP_OK)
		err = pwhash_policy_init(
			&vault.policy, config->argon2_memory, config->argon2_passes);
	if (err == GP_OK)
		err = totp_setup();
	if (err == GP_OK)
		err = cms_setup();
	mem_free(path);
	return err;
}

static enum gp_err take_key(const struct child_material *material, const char *what,
	struct secret **pkey, struct gp_why *why)
{
	return *pkey == NULL ? key_decode(material->bytes, what, pkey, why)
			     : gp_why_set(why, GP_ERR_CONFIG, "the %s came twice", what);
}

/* What profiles are signed with may be missing: without a certificate there is no portal. */
static void take_signer(const struct child_material *materials, size_t count)
{
	secret_free(&vault.signing_chain);
	secret_free(&vault.signing_key);
	for (size_t i = 0; i < count; i++) {
		if (materials[i].kind == IPC_MATERIAL_SIGNING_CHAIN && vault.signing_chain == NULL)
			vault.signing_chain = secret_new(materials[i].bytes);
		else if (materials[i].kind == IPC_MATERIAL_SIGNING_KEY && vault.signing_key == NULL)
			vault.signing_key = secret_new(materials[i].bytes);
	}
}

static enum gp_err take_keys(const struct child_material *materials, size_t count,
	struct secret **ppepper, struct secret **ptoken_key, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < count; i++) {
		if (materials[i].kind == IPC_MATERIAL_PEPPER)
			err = take_key(&materials[i], "pepper", ppepper, why);
		else if (materials[i].kind == IPC_MATERIAL_TOKEN_KEY)
			err = take_key(&materials[i], "token key", ptoken_key, why);
	}
	if (err == GP_OK && *ppepper == NULL)
		err = gp_why_set(why, GP_ERR_CONFIG, "there is no pepper (pepper_file)");
	return err;
}

static enum gp_err on_config(struct child *child, const struct config *config,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	struct secret *pepper = NULL;
	struct secret *token_key = NULL;
	struct pwhash_policy policy = vault.policy;
	bool is_first = vault.config == NULL;
	enum gp_err err = take_keys(materials, count, &pepper, &token_key, why);

	(void)child;
	if (err == GP_OK &&
		(policy.memory != config->argon2_memory || policy.passes != config->argon2_passes))
		err = pwhash_policy_init(&policy, config->argon2_memory, config->argon2_passes);
	if (err != GP_OK) {
		secret_free(&pepper);
		secret_free(&token_key);
		return err;
	}
	secret_free(&vault.pepper);
	secret_free(&vault.token_key);
	vault.pepper = pepper;
	secret_free(&vault.seal_key);
	vault.seal_key = seal_key_new(secret_slice(pepper));
	vault.token_key = token_key;
	take_signer(materials, count);
	vault.policy = policy;
	vault.config = config;
	if (is_first) {
		record_init(&vault);
		sending_state_init(&vault);
		hindsight_init(&vault);
		outbox_init(&vault);
		twofactor_init(&vault);
	}
	return GP_OK;
}

/* What a core that is gone has handed over is kept, and what it asked for is done. */
static void drop_core(void)
{
	if (vault.core != NULL && vault.lane == IPC_LANE_DESK)
		chan_drain(vault.core);
	if (vault.core != NULL)
		vault_on_core_gone(&vault);
	chan_free(&vault.core);
}

static void on_control(struct child *child, const struct ipc_message *message, int *fd)
{
	static const struct chan_ops ops = { on_message, on_end };

	if (message->type != IPC_PEER || message->peer.role != IPC_ROLE_CORE || *fd < 0)
		return;
	drop_core();
	links.parent = child->parent;
	links.core_pid = message->peer.pid;
	vault.core = chan_new(child->loop, fd, IPC_ROLE_VAULT, IPC_ROLE_CORE, &ops, &vault);
	chan_gather(vault.core, NULL);
	outbox_on_core(&vault);
}

static void on_stop(struct child *child, unsigned grace_ms)
{
	(void)grace_ms;
	drop_core();
	twofactor_fini(&vault);
	outbox_fini(&vault);
	record_fini(&vault);
	sending_state_fini(&vault);
	hindsight_fini(&vault);
	store_close(&vault.store);
	secret_free(&vault.pepper);
	secret_free(&vault.seal_key);
	secret_free(&vault.token_key);
	secret_free(&vault.signing_chain);
	secret_free(&vault.signing_key);
	loop_stop(child->loop);
}

int main(int argc, char **argv)
{
	static const struct child_ops ops = { .role = IPC_ROLE_VAULT,
		.before_jail = before_jail,
		.on_config = on_config,
		.on_message = on_control,
		.on_stop = on_stop };

	return child_main(&ops, argc, argv);
}
