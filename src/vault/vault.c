/* SPDX-License-Identifier: ISC */
#include "vault/vault.h"

#include "base/clock.h"
#include "base/log.h"
#include "vault/desk.h"
#include "vault/import.h"
#include "vault/twofactor.h"
#include "vault/verify.h"

enum gp_err vault_send(struct vault *vault, const struct ipc_message *message)
{
	enum gp_err err;

	if (vault->core == NULL)
		return GP_ERR_CLOSED;
	err = chan_send(vault->core, message, -1);
	if (err != GP_ERR_BUSY)
		return err;
	err = chan_flush(vault->core, VAULT_SEND_WAIT_MS);
	if (err == GP_ERR_CLOSED)
		return err;
	return chan_send(vault->core, message, -1);
}

static void take_message(struct vault *vault, const struct ipc_message *message, int *fd)
{
	if (message->type == IPC_VERIFY) {
		verify_on_message(vault, &message->verify);
		return;
	}
	if (message->type == IPC_LOOKUP) {
		verify_on_lookup(vault, &message->lookup);
		return;
	}
	if (message->type == IPC_CLOCK) {
		clock_shift(message->clock.shift_ms);
		if (vault->lane == IPC_LANE_DESK)
			twofactor_run_due(vault);
		return;
	}
	if (vault->lane != IPC_LANE_DESK) {
		log_error("vault_wrong_lane", LOG_STR("message", ipc_type_name(message->type)));
		return;
	}
	if (message->type == IPC_JOURNAL)
		record_journal(vault, &message->journal);
	else if (message->type == IPC_EVENT)
		record_event(vault, &message->event);
	else if (message->type == IPC_SENT)
		record_sent(vault, &message->sent);
	else if (message->type == IPC_SENDING_LOAD)
		sending_state_load(vault, &message->sending_load);
	else if (message->type == IPC_PROFILE_PART)
		sending_state_on_part(vault, &message->profile_part);
	else if (message->type == IPC_BAN_KEEP)
		record_ban_keep(vault, &message->ban_keep);
	else if (message->type == IPC_BAN_DROP)
		record_ban_drop(vault, &message->ban_drop);
	else if (message->type == IPC_LOAD)
		record_load(vault, &message->load);
	else if (message->type == IPC_OP)
		desk_on_op(vault, &message->op, fd);
	else if (message->type == IPC_NOTICE_DONE)
		outbox_on_done(vault, &message->notice_done);
}

/*
 * Questions that arrived together are answered from one look at the store. Not more: core has put
 * all of them before this look, so if it hears of a change that the look has missed, it does so
 * after it asked, and asks again (core/effects.h).
 */
static void begin_look(struct vault *vault)
{
	if (vault->lane == IPC_LANE_FAST && !store_is_in_transaction(vault->store) &&
		store_begin_reading(vault->store) != GP_OK)
		log_warn("look_not_begun", LOG_STR("lane", "fast"));
}

static void end_look(struct vault *vault)
{
	if (vault->lane == IPC_LANE_FAST && store_is_in_transaction(vault->store) &&
		store_commit(vault->store) != GP_OK)
		log_warn("look_not_ended", LOG_STR("lane", "fast"));
}

void vault_on_message(struct vault *vault, const struct ipc_message *message, int *fd)
{
	begin_look(vault);
	take_message(vault, message, fd);
	if (vault->core == NULL || !chan_has_more(vault->core))
		end_look(vault);
}

void vault_on_core_gone(struct vault *vault)
{
	end_look(vault);
	record_end_journal(vault);
	import_cancel(vault);
	outbox_on_core_gone(vault);
}
