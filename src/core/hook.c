/* SPDX-License-Identifier: ISC */
#include "core/hook.h"

#include "base/log.h"
#include "core/core.h"

void hook_run(struct core *core, struct slice account, struct slice reason)
{
	struct ipc_message message = { .type = IPC_HOOK };

	if (core->config->sending_block_hook.count == 0 || core->parent == NULL)
		return;
	message.hook = (struct ipc_hook){ .account = account, .reason = reason };
	if (chan_send(core->parent, &message, -1) != GP_OK)
		log_error("hook_not_run", LOG_SLICE("account", account),
			LOG_STR("why", "gatepostd cannot be told"));
}
