/* SPDX-License-Identifier: ISC */
#include "core/journal.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "core/core.h"

enum {
	LOGIN_SIZE = 320 + 1,
	CLIENT_NAME_SIZE = 128 + 1,
	TLS_SIZE = 32 + 1,
	DETAIL_SIZE = 256 + 1,
};

struct journal_packet {
	STAILQ_ENTRY(journal_packet) link;
	bool was_sent; /* to any vault */
	struct buf bytes;
};

void journal_init(struct core *core)
{
	STAILQ_INIT(&core->journal.waiting);
	TAILQ_INIT(&core->journal.waits);
	/* Never to be taken for the number of another core; below 2^63, as the store has it. */
	core->journal.number = rand_u64() >> 2;
}

static void drop_first(struct journal *journal)
{
	struct journal_packet *packet = STAILQ_FIRST(&journal->waiting);

	if (journal->next == packet)
		journal->next = STAILQ_NEXT(packet, link);
	STAILQ_REMOVE_HEAD(&journal->waiting, link);
	journal->count--;
	journal->number++;
	buf_fini(&packet->bytes);
	mem_free(packet);
}

void journal_wait_fini(struct journal_wait *wait)
{
	if (wait->core == NULL)
		return;
	TAILQ_REMOVE(&wait->core->journal.waits, wait, link);
	loop_timer_fini(&wait->timer);
	wait->core = NULL;
}

static void end_wait(struct journal_wait *wait, bool is_kept)
{
	journal_wait_fini(wait);
	wait->on_end(wait, is_kept);
}

static void on_wait_over(struct loop_timer *timer)
{
	end_wait(timer->owner, false);
}

/* They stand in the order of their numbers. */
static void end_waits(struct journal *journal)
{
	struct journal_wait *wait;

	while ((wait = TAILQ_FIRST(&journal->waits)) != NULL &&
		(journal->is_held || wait->number <= journal->number))
		end_wait(wait, wait->number <= journal->number);
}

enum gp_err journal_await_bans(struct core *core, struct journal_wait *wait,
	void (*on_end)(struct journal_wait *wait, bool is_kept))
{
	struct journal *journal = &core->journal;

	if (journal->bans <= journal->number)
		return GP_OK;
	if (journal->is_held)
		return GP_ERR_STORE;
	wait->core = core;
	wait->number = journal->bans;
	wait->on_end = on_end;
	loop_timer_init(core->loop, &wait->timer, on_wait_over, wait);
	loop_timer_set(&wait->timer, JOURNAL_AWAIT_MS);
	TAILQ_INSERT_TAIL(&journal->waits, wait, link);
	return GP_ERR_AGAIN;
}

void journal_fini(struct core *core)
{
	while (!STAILQ_EMPTY(&core->journal.waiting))
		drop_first(&core->journal);
}

static void append(struct core *core, const struct ipc_message *message, bool must)
{
	struct journal *journal = &core->journal;
	struct journal_packet *packet = NULL;
	size_t most = must ? JOURNAL_WAITING_MAX : JOURNAL_INFORM_MAX;

	if (journal->count >= most) {
		core->stats.events_dropped++;
		if (must)
			log_error("journal_full", LOG_STR("message", ipc_type_name(message->type)));
		return;
	}
	packet = mem_new(1, sizeof *packet);
	buf_init(&packet->bytes, IPC_PACKET_MAX);
	if (ipc_encode(message, &packet->bytes) != GP_OK) {
		core->stats.events_dropped++;
		buf_fini(&packet->bytes);
		mem_free(packet);
		return;
	}
	STAILQ_INSERT_TAIL(&journal->waiting, packet, link);
	journal->count++;
	if (message->type != IPC_EVENT || message->event.verdict != VERDICT_OK)
		journal->is_urgent = true;
	if (message->type == IPC_BAN_KEEP || message->type == IPC_BAN_DROP)
		journal->bans = journal->number + journal->count;
	if (journal->next == NULL)
		journal->next = packet;
}

/* Only said when the vault cannot know: at the beginning, and before what is sent again. */
static enum gp_err begin(struct core *core)
{
	struct journal *journal = &core->journal;
	struct ipc_message message = { .type = IPC_JOURNAL,
		.journal = { .number = journal->number } };
	enum gp_err err = GP_OK;

	if (!journal->is_begun)
		err = vaults_send_desk(core, &message, -1);
	journal->is_begun = err == GP_OK;
	return err;
}

void journal_flush(struct core *core)
{
	struct journal *journal = &core->journal;

	if (journal->is_held || journal->next == NULL || begin(core) != GP_OK)
		return;
	while (journal->next != NULL) {
		struct journal_packet *packet = journal->next;
		struct ipc_message message;

		GP_ASSERT(ipc_decode(buf_slice(&packet->bytes), &message) == GP_OK);
		if (vaults_send_desk(core, &message, -1) != GP_OK)
			return;
		core->stats.events_sent += message.type == IPC_EVENT && !packet->was_sent;
		packet->was_sent = true;
		journal->next = STAILQ_NEXT(packet, link);
	}
}

void journal_restart(struct core *core)
{
	struct journal *journal = &core->journal;

	journal->is_held = false;
	journal->is_begun = false;
	journal->next = STAILQ_FIRST(&journal->waiting);
	journal_flush(core);
}

void journal_tick(struct core *core)
{
	if (core->journal.is_held)
		journal_restart(core);
	else
		journal_flush(core);
}

void journal_on_kept(struct core *core, const struct ipc_kept *kept)
{
	struct journal *journal = &core->journal;

	/* Of what was never sent nothing can be kept. */
	while (journal->number < kept->number && !STAILQ_EMPTY(&journal->waiting) &&
		STAILQ_FIRST(&journal->waiting) != journal->next)
		drop_first(journal);
	if (kept->again && !journal->is_held) {
		log_warn("journal_held", LOG_UINT("waiting", journal->count));
		journal->is_held = true;
	}
	end_waits(journal);
}

void journal_send(struct core *core, const struct ipc_message *message, bool must)
{
	append(core, message, must);
	journal_flush(core);
}

/* A secret was checked, or a failure counts: that costs the source something, and so bounds it. */
static bool is_checked(const struct ipc_event *event)
{
	if (event->counted || event->verdict == VERDICT_OK)
		return true;
	return (event->verdict == VERDICT_DENY || event->verdict == VERDICT_DENY_BANNED) &&
	       event->mechanism != MECHANISM_NONE;
}

void journal_event(struct core *core, struct ipc_event *event)
{
	struct ipc_message message = { .type = IPC_EVENT };
	struct ip source = ip_source(&event->client);
	bool must = is_checked(event);
	char login[LOGIN_SIZE];
	char client_name[CLIENT_NAME_SIZE];
	char tls[TLS_SIZE];
	char detail[DETAIL_SIZE];

	if (!must && !source_may_note(core, &source)) {
		core->stats.events_dropped++;
		return;
	}
	text_escape(event->login, login, sizeof login);
	text_escape(event->client_name, client_name, sizeof client_name);
	text_escape(event->tls, tls, sizeof tls);
	text_escape(event->detail, detail, sizeof detail);
	event->at = clock_wall();
	event->login = slice_str(login);
	event->client_name = slice_str(client_name);
	event->tls = slice_str(tls);
	event->detail = slice_str(detail);
	log_info("signin", LOG_ID("session", event->session), LOG_IP("client", &event->client),
		LOG_STR("service", service_name((enum service)event->service)),
		LOG_STR("login", login),
		LOG_STR("verdict", verdict_name((enum verdict)event->verdict)),
		LOG_STR("reason", reason_name((enum reason)event->reason)));
	message.event = *event;
	journal_send(core, &message, must);
}

static struct ipc_event event_of(
	const struct session *session, enum verdict verdict, enum reason reason)
{
	return (struct ipc_event){
		.session = session->id,
		.client = session->client,
		.client_port = session->client_port,
		.service = (uint8_t)session->service,
		.mechanism = MECHANISM_NONE,
		.verdict = (uint8_t)verdict,
		.reason = (uint8_t)reason,
		.account = session->account,
		.device = session->device,
		.login = slice_str(session->address),
		.client_name = slice_str(session->client_name),
		.tls = slice_str(session->tls),
	};
}

void journal_session_event(struct core *core, const struct session *session, enum verdict verdict,
	enum reason reason, struct slice detail)
{
	struct ipc_event event = event_of(session, verdict, reason);

	event.detail = detail;
	event.counted = reason == REASON_CRASHED;
	journal_event(core, &event);
}

void journal_note(struct core *core, const struct session *session, const struct ipc_note *note)
{
	bool is_fault = note->reason == REASON_BACKEND;
	struct ipc_event event = event_of(
		session, is_fault ? VERDICT_TEMPORARY : VERDICT_DENY, (enum reason)note->reason);

	if (note->reason == REASON_LEFT && !watchers_has(core, &session->client))
		return;
	core->stats.notes++;
	event.client_name = note->client_name;
	event.tls = note->tls;
	event.detail = note->detail;
	journal_event(core, &event);
}
