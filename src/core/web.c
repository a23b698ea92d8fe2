/* SPDX-License-Identifier: ISC */
#include "core/web.h"

#include <stdio.h>

#include "core/core.h"

/* No session, or one that is over: a guest, who may little. */
static struct caller find_caller(struct core *core, const struct ipc_call *call)
{
	struct caller caller = {
		.role = ROLE_GUEST,
		.actor = SLICE_LIT("portal"),
		.source = call->client,
		.client_name = call->client_name,
		.language = call->language,
		.idempotency = call->idempotency,
	};
	struct portal_session *session = portal_find(core, call->credential);

	if (session != NULL) {
		portal_note_use(core, session, &caller);
		portal_speak_for(session, &caller);
	}
	return caller;
}

static void on_message(struct asker *asker, const struct ipc_message *message, int fd)
{
	const struct ipc_call *call = &message->call;

	(void)fd;
	if (message->type != IPC_CALL)
		return;
	asker->core->stats.portal_calls++;
	if (call->is_token) {
		token_call_begin(asker, call);
	} else {
		struct caller caller = find_caller(asker->core, call);
		struct control_ask ask = { call->request, call->name, call->arguments, -1 };

		control_on_ask(asker, &caller, &ask);
	}
}

void web_gone(struct core *core, unsigned index)
{
	struct asker *asker = NULL;

	TAILQ_FOREACH (asker, &core->askers.all, link) {
		if (asker->kind->role == IPC_ROLE_WEB && asker->index == index)
			break;
	}
	if (asker != NULL)
		asker_close(&asker);
}

void web_open(struct core *core, const struct ipc_peer *peer, int *fd)
{
	static const struct asker_kind kind = { IPC_ROLE_WEB, WEB_OPS_MAX, on_message };
	char name[ASKER_NAME_SIZE];
	struct asker *asker = NULL;

	web_gone(core, peer->index);
	(void)snprintf(name, sizeof name, "web.%u", peer->index);
	asker = asker_open(core, fd, &kind, peer->index, name);
	asker->pid = peer->pid;
}
