/* SPDX-License-Identifier: ISC */
#include "front/core_link.h"

#include "base/log.h"
#include "base/mem.h"
#include "front/notice.h"
#include "front/session_core.h"

enum {
	REFUSED_BATCH_MS = 50
};

struct core_link {
	struct front *front;
	struct chan *chan; /* NULL: core is gone */
	struct chan *last; /* to the core before, with what it was not told; NULL: none */
	uint32_t core_pid;
	struct loop_timer refused_timer;
	uint32_t refused[SERVICE_MAX];
};

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct core_link *link = owner;

	(void)chan;
	(void)fd;
	if (message->type == IPC_NOTICE)
		notices_send(link->front->notices, &message->notice);
	else
		session_core_on_message(link->front, message);
}

/* A fresh channel comes with a fresh core. */
static void report_core(struct core_link *link)
{
	struct ipc_message message = { .type = IPC_CORE_BAD, .core_bad = { link->core_pid } };

	log_error("core_broke_the_rules", LOG_UINT("core", link->core_pid));
	if (chan_send(link->front->child->parent, &message, -1) != GP_OK)
		log_error("core_not_reported", LOG_UINT("core", link->core_pid));
}

static void leave(struct core_link *link)
{
	chan_free(&link->last);
	link->last = link->chan;
	link->chan = NULL;
	session_core_on_gone(link->front);
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct core_link *link = owner;

	(void)chan;
	if (end == CHAN_END_ATTACK)
		report_core(link);
	else
		log_warn("core_gone", LOG_STR("then", "sign-ins are temporarily unavailable"));
	leave(link);
}

static const struct chan_ops chan_ops = {
	.on_message = on_message,
	.on_end = on_end,
};

static void send_refused(struct loop_timer *timer)
{
	struct core_link *link = timer->owner;

	for (enum service service = 0; service < SERVICE_MAX; service++) {
		struct ipc_message message = { .type = IPC_REFUSED };

		if (link->refused[service] == 0)
			continue;
		message.refused = (struct ipc_refused){ .service = (uint8_t)service,
			.count = link->refused[service] };
		if (core_link_send(link, &message))
			link->refused[service] = 0;
	}
}

struct core_link *core_link_new(struct front *front)
{
	struct core_link *link = mem_new(1, sizeof *link);

	link->front = front;
	loop_timer_init(front->loop, &link->refused_timer, send_refused, link);
	return link;
}

void core_link_free(struct core_link **plink)
{
	struct core_link *link = *plink;

	*plink = NULL;
	if (link == NULL)
		return;
	loop_timer_fini(&link->refused_timer);
	chan_free(&link->chan);
	chan_free(&link->last);
	mem_free(link);
}

/* What the next hop has taken counts, though the core that had reserved it is gone. */
static void tell_new_core(const struct ipc_message *message, void *owner)
{
	struct core_link *link = owner;

	if (message->type == IPC_MESSAGE_DONE &&
		session_core_is_known(link->front, message->message_done.session))
		(void)core_link_tell(link, message);
}

void core_link_connect(struct core_link *link, uint32_t core_pid, int *fd)
{
	link->core_pid = core_pid;
	if (link->chan != NULL)
		leave(link);
	link->chan =
		chan_new(link->front->loop, fd, IPC_ROLE_FRONT, IPC_ROLE_CORE, &chan_ops, link);
	chan_gather(link->chan, NULL);
	session_core_on_back(link->front);
	if (link->last != NULL)
		chan_each_unsent(link->last, tell_new_core);
	chan_free(&link->last);
}

static bool is_taken(const struct ipc_message *message, enum gp_err err)
{
	/* CLOSED: on_end() is about to say so. */
	if (err != GP_OK && err != GP_ERR_CLOSED)
		log_error("core_not_told", LOG_STR("message", ipc_type_name(message->type)),
			LOG_STR("error", gp_err_text(err)));
	return err == GP_OK;
}

bool core_link_send(struct core_link *link, const struct ipc_message *message)
{
	return link->chan != NULL && is_taken(message, chan_send(link->chan, message, -1));
}

bool core_link_tell(struct core_link *link, const struct ipc_message *message)
{
	return link->chan != NULL && is_taken(message, chan_send_later(link->chan, message));
}

void core_link_count_refused(struct core_link *link, enum service service)
{
	link->refused[service]++;
	if (!loop_timer_is_set(&link->refused_timer))
		loop_timer_set(&link->refused_timer, REFUSED_BATCH_MS);
}
