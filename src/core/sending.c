/* SPDX-License-Identifier: ISC */
#include "core/sending.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/sending_account.h"
#include "core/sending_case.h"

void sending_init(struct core *core)
{
	struct sending *sending = &core->sending;

	sending_policy_init(&sending->policy, core->config);
	TAILQ_INIT(&sending->dirty);
	TAILQ_INIT(&sending->urgent);
	TAILQ_INIT(&sending->due);
	sending_unit_init_all(core);
}

void sending_fini(struct core *core)
{
	sending_forget_due(core);
	sending_unit_fini_all(core);
	mem_wipe(core->sending.key, sizeof core->sending.key);
}

void sending_configure(struct core *core)
{
	sending_policy_init(&core->sending.policy, core->config);
	sending_mail_end_leases(core, 0);
	sending_unit_trim(core);
}

int64_t sending_now(const struct core *core)
{
	return core->started + (clock_steady() - core->started_steady) / 1000;
}

static void finish_urgent(struct core *core)
{
	struct sending_account *account = NULL;

	TAILQ_FOREACH (account, &core->sending.urgent, by_urgent) {
		if (account->pending != SENDING_PENDING_NONE)
			(void)sending_unit_want(&account->unit);
	}
	sending_case_tick(core);
}

void sending_tick(struct core *core)
{
	finish_urgent(core);
	sending_account_save_due(core, false);
	sending_unit_trim(core);
}

void sending_stop(struct core *core, int64_t ms)
{
	struct sending *sending = &core->sending;
	struct sending_account *account = NULL;
	int64_t until = clock_steady() + ms;

	/* Nobody is left to hear what was kept: so many at once as the channel takes. */
	TAILQ_FOREACH (account, &sending->dirty, by_dirty)
		account->is_saving = false;
	while (!TAILQ_EMPTY(&sending->dirty) && clock_steady() < until) {
		account = TAILQ_FIRST(&sending->dirty);
		sending->saving = 0;
		sending_account_save_due(core, true);
		vaults_flush_desk(core, until - clock_steady());
		if (account == TAILQ_FIRST(&sending->dirty))
			return;
	}
}

void sending_on_key(struct core *core, const struct ipc_sending_key *message)
{
	if (message->key.len != sizeof core->sending.key)
		return;
	memcpy(core->sending.key, message->key.data, sizeof core->sending.key);
	core->sending.has_key = true;
}

void sending_on_desk(struct core *core, bool is_there)
{
	if (is_there)
		return;
	sending_unit_on_desk_gone(core);
	sending_account_on_desk_gone(core);
}

/* ---- what operations change ---- */

static void set_stale(struct map_node *node, void *arg)
{
	(void)arg;
	MAP_ENTRY(node, struct sending_unit, node)->of->is_stale = true;
}

static void let_send(struct core *core, uint64_t id, enum sending_pending pending)
{
	struct sending_unit *unit = sending_unit_hold_account(core, id);

	if (unit == NULL) {
		log_error("sending_full", LOG_UINT("account", id));
		return;
	}
	unit->of->is_blocked = false;
	sending_case_free(unit->of);
	sending_account_apply(unit->of, pending);
	sending_account_settle(unit->of);
	sending_unit_drop(&unit);
}

void sending_on_effect(struct core *core, const struct ipc_op_done *done)
{
	struct sending_unit *unit = sending_unit_find_account(core, done->account);

	/* Few operations change what MAIL is answered; to ask once too often costs nothing. */
	sending_mail_end_leases(core, done->account);
	switch ((enum ipc_effect)done->effect) {
	case IPC_EFFECT_BLOCKED:
		if (unit != NULL)
			unit->of->is_blocked = true;
		break;
	case IPC_EFFECT_UNBLOCKED:
	case IPC_EFFECT_RELEASED:
		let_send(core, done->account, SENDING_PENDING_FORGIVE);
		break;
	case IPC_EFFECT_CONFIRMED:
		let_send(core, done->account, SENDING_PENDING_CONFIRM);
		break;
	case IPC_EFFECT_SENDERS:
		if (done->account == 0)
			map_each(&core->sending.units.by_key[IPC_SENDING_ACCOUNT], set_stale, NULL);
		else if (unit != NULL)
			unit->of->is_stale = true;
		break;
	case IPC_EFFECT_REMOVED:
	case IPC_EFFECT_SHUT:
		if (unit != NULL)
			unit->of->is_stale = true;
		break;
	case IPC_EFFECT_NONE:
	case IPC_EFFECT_PASSWORD:
	case IPC_EFFECT_DEVICE:
	case IPC_EFFECT_DOMAINS:
	case IPC_EFFECT_TWOFACTOR:
	case IPC_EFFECT_ROLE:
	case IPC_EFFECT_MAX:
		break;
	}
}
