/* SPDX-License-Identifier: ISC */
#include "core/notices.h"

#include "base/log.h"
#include "core/core.h"
#include "policy/signin.h"

static const struct config_backend *next_hop(struct core *core, struct slice recipient)
{
	ptrdiff_t at = slice_find_last(recipient, '@');
	char domain[SIGNIN_DOMAIN_SIZE];
	struct slice target = { NULL, 0 };
	bool is_own = false;

	if (at < 0 || !signin_domain(slice_from(recipient, (size_t)at + 1), domain))
		return NULL;
	target = slice_str(domain);
	is_own = domains_find(core, slice_str(domain), &target) != SIGNIN_DOMAIN_FOREIGN;
	return config_route(core->config, target, PROTOCOL_SMTP, is_own);
}

static struct front *any_front(struct core *core)
{
	for (unsigned i = 0; i < FRONTS_MAX; i++) {
		struct front *front = core->fronts.front[i];

		if (front != NULL && front->chan != NULL)
			return front;
	}
	return NULL;
}

void notices_on_done(struct core *core, const struct ipc_notice_done *done)
{
	struct ipc_message message = { .type = IPC_NOTICE_DONE, .notice_done = *done };

	if (vaults_send_desk(core, &message, -1) != GP_OK)
		log_warn("notice_answer_lost", LOG_UINT("notice", done->notice));
}

void notices_on_notice(struct core *core, const struct ipc_notice *notice)
{
	const struct config_backend *backend = next_hop(core, notice->recipient);
	struct front *front = any_front(core);
	struct ipc_message message = { .type = IPC_NOTICE, .notice = *notice };
	const struct ipc_notice_done failed = { .notice = notice->notice,
		.outcome = NOTICE_TEMPORARY,
		.text = backend == NULL ? SLICE_LIT("no next hop is configured for it")
					: SLICE_LIT("no front is there") };

	if (backend == NULL || front == NULL) {
		notices_on_done(core, &failed);
		return;
	}
	message.notice.backend = slice_str(backend->name);
	front_send(front, &message);
}
