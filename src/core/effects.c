/* SPDX-License-Identifier: ISC */
#include "core/effects.h"

#include "base/log.h"
#include "core/core.h"

uint64_t effects_count(const struct core *core)
{
	return core->effects.count;
}

bool effects_has_changed(const struct core *core, uint64_t account, uint64_t since)
{
	const struct effects *effects = &core->effects;

	if (effects->count - since > EFFECTS_KEPT)
		return true;
	for (uint64_t n = since; n < effects->count; n++) {
		if (effects->accounts[n % EFFECTS_KEPT] == account)
			return true;
	}
	return false;
}

struct change {
	struct core *core;
	const struct ipc_op_done *done;
};

static void close_for(struct change *change, struct session *session, enum close_reason reason)
{
	session_close(change->core, session, reason, 0);
}

static void change_session(struct map_node *node, void *arg)
{
	struct session *session = MAP_ENTRY(node, struct session, node);
	struct change *change = arg;
	const struct ipc_op_done *done = change->done;

	if (session->state != SESSION_SIGNED_IN || session->account != done->account)
		return;
	switch ((enum ipc_effect)done->effect) {
	case IPC_EFFECT_PASSWORD:
		close_for(change, session, CLOSE_PASSWORD_CHANGED);
		break;
	case IPC_EFFECT_BLOCKED:
		session->block = SESSION_BLOCK_YES;
		/* The device password that did it is no more. */
		if (done->device != 0 && session->device == done->device)
			close_for(change, session, CLOSE_DEVICE_REVOKED);
		break;
	case IPC_EFFECT_UNBLOCKED:
	case IPC_EFFECT_CONFIRMED:
		session->block = SESSION_BLOCK_NO;
		break;
	case IPC_EFFECT_RELEASED:
		session->block = SESSION_BLOCK_NO;
		if (session->device == 0)
			close_for(change, session, CLOSE_TWOFACTOR);
		break;
	case IPC_EFFECT_REMOVED:
		close_for(change, session, CLOSE_ACCOUNT_REMOVED);
		break;
	case IPC_EFFECT_SHUT:
		close_for(change, session, CLOSE_ADMIN);
		break;
	case IPC_EFFECT_DEVICE:
		if (session->device != 0 && (done->device == 0 || session->device == done->device))
			close_for(change, session, CLOSE_DEVICE_REVOKED);
		break;
	case IPC_EFFECT_TWOFACTOR:
		if (session->device == 0)
			close_for(change, session, CLOSE_TWOFACTOR);
		break;
	case IPC_EFFECT_NONE:
	case IPC_EFFECT_SENDERS:
	case IPC_EFFECT_DOMAINS:
	case IPC_EFFECT_ROLE:
	case IPC_EFFECT_MAX:
		break;
	}
}

void effects_apply(struct core *core, const struct ipc_op_done *done, uint64_t portal)
{
	struct change change = { core, done };

	if (done->effect == IPC_EFFECT_NONE)
		return;
	if (done->effect == IPC_EFFECT_DOMAINS) {
		loading_want(core);
		return;
	}
	/* What was guessed so far was about another password. */
	if (done->effect == IPC_EFFECT_PASSWORD)
		counter_forget(
			core->windows.accounts, slice_of(&done->account, sizeof done->account));
	core->effects.accounts[core->effects.count % EFFECTS_KEPT] = done->account;
	core->effects.count++;
	map_each(&core->sessions.by_id, change_session, &change);
	sending_on_effect(core, done);
	portal_apply(core, done, portal);
}
