/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "vault/desk.h"
#include "vault/twofactor.h"

/* In a transaction. */
static enum gp_err remove_one(struct vault *vault, uint64_t id)
{
	struct store_account account = { 0 };
	json_t *detail = NULL;
	enum gp_err err = store_account_get(vault->store, id, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = store_twofactor_off(vault->store, id);
	if (err == GP_OK)
		err = desk_post_for(vault, &account, NULL, "twofactor_off", "", NULL);
	if (err != GP_OK)
		return err;
	detail = json_pack("{s:b}", "done", 1);
	err = desk_audit(
		vault, SLICE_LIT("vault"), OPS_twofactor_remove, id, account.address, detail);
	json_decref(detail);
	return err;
}

/* An answer that nobody asked for: core does what follows from it. */
static void tell_core(struct vault *vault, uint64_t account)
{
	struct ipc_message message = { .type = IPC_OP_DONE,
		.op_done = { .effect = IPC_EFFECT_TWOFACTOR, .account = account } };

	if (vault_send(vault, &message) != GP_OK)
		log_warn("twofactor_removal_unheard", LOG_UINT("account", account));
}

/* The next one that is due; false if there is none, or it cannot be done now. */
static bool run_one(struct vault *vault)
{
	uint64_t account = 0;
	enum gp_err err = store_twofactor_find_due(vault->store, clock_wall(), &account);

	if (err == GP_ERR_NOT_FOUND)
		return false;
	if (err == GP_OK)
		err = store_begin(vault->store, STORE_DURABLE);
	if (err == GP_OK) {
		err = remove_one(vault, account);
		if (err == GP_OK)
			err = store_commit(vault->store);
		else
			store_rollback(vault->store);
		audit_on_end(vault, err == GP_OK);
	}
	if (err != GP_OK) {
		log_error("twofactor_removal_failed", LOG_UINT("account", account),
			LOG_STR("error", gp_err_text(err)));
		return false;
	}
	log_info("twofactor_removed", LOG_UINT("account", account));
	tell_core(vault, account);
	outbox_wake(vault);
	return true;
}

void twofactor_run_due(struct vault *vault)
{
	/* An import between two of its turns has no transaction open; a batch of events may. */
	record_flush(vault);
	while (run_one(vault))
		continue;
}

static void on_due(struct loop_timer *timer)
{
	twofactor_run_due(timer->owner);
	loop_timer_set(timer, TWOFACTOR_DUE_MS);
}

void twofactor_init(struct vault *vault)
{
	loop_timer_init(vault->loop, &vault->twofactor_due, on_due, vault);
	if (vault->lane == IPC_LANE_DESK)
		loop_timer_set(&vault->twofactor_due, TWOFACTOR_DUE_MS);
}

void twofactor_fini(struct vault *vault)
{
	loop_timer_fini(&vault->twofactor_due);
}
