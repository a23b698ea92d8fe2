/* SPDX-License-Identifier: ISC */
/*
 * One errand:
 *
 *	OPENING --[ready]--> MAIL --[250]--> RCPT --[25x]--> DATA --[354]--> BODY --[reply]--> told
 *	any --[refusal]--> told, as the next hop said; any --[connection lost]--> told: temporary
 */
#include "front/notice.h"

#include <sys/queue.h>

#include "base/log.h"
#include "base/mem.h"
#include "front/core_link.h"
#include "front/smtp_hop.h"
#include "front/smtp_pool.h"

struct errand {
	TAILQ_ENTRY(errand) entry;
	struct notices *notices;
	uint64_t notice;
	struct smtp_hop *hop;
	char *recipient;
	struct buf message;
	bool has_transaction; /* the next hop is in the middle of one */
};

struct notices {
	struct front *front;
	TAILQ_HEAD(, errand) errands;
	size_t count;
};

static void tell(
	struct front *front, uint64_t notice, enum notice_outcome outcome, const char *text)
{
	struct ipc_message message = { .type = IPC_NOTICE_DONE };

	message.notice_done = (struct ipc_notice_done){ .notice = notice,
		.outcome = (uint8_t)outcome,
		.text = slice_head(slice_str(text), IPC_NOTICE_TEXT_MAX) };
	(void)core_link_send(front->core, &message);
}

static void errand_free(struct errand *errand)
{
	struct notices *notices = errand->notices;

	TAILQ_REMOVE(&notices->errands, errand, entry);
	notices->count--;
	if (errand->hop != NULL)
		smtp_pool_give(notices->front->hops, &errand->hop, errand->has_transaction);
	buf_fini(&errand->message);
	mem_free(errand->recipient);
	mem_free(errand);
}

static void finish(struct errand *errand, enum notice_outcome outcome, const char *text)
{
	tell(errand->notices->front, errand->notice, outcome, text);
	errand_free(errand);
}

/* The message as it goes over the wire: dots at the start of a line doubled (RFC 5321
 * section 4.5.2). */
static void send_body(struct errand *errand)
{
	struct slice rest = buf_slice(&errand->message);

	while (rest.len > 0) {
		ptrdiff_t end = slice_find(rest, '\n');
		struct slice line = end < 0 ? rest : slice_head(rest, (size_t)end + 1);

		if (line.data[0] == '.')
			smtp_hop_send_body(errand->hop, SLICE_LIT("."));
		smtp_hop_send_body(errand->hop, line);
		rest = slice_from(rest, line.len);
	}
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* The command that follows the one that was just accepted. */
static enum gp_err go_on(struct errand *errand, enum smtp_command accepted)
{
	struct smtp_client *client = smtp_hop_client(errand->hop);

	switch (accepted) {
	case SMTP_COMMAND_NONE:
		errand->has_transaction = true;
		return smtp_client_mail(client, SLICE_LIT(""),
			is_ascii(errand->recipient) ? SLICE_LIT("") : SLICE_LIT("SMTPUTF8"));
	case SMTP_COMMAND_MAIL:
		return smtp_client_rcpt(client, slice_str(errand->recipient), SLICE_LIT(""));
	case SMTP_COMMAND_RCPT:
		return smtp_client_data(client);
	case SMTP_COMMAND_DATA:
		send_body(errand);
		return smtp_client_body_end(client);
	case SMTP_COMMAND_BODY:
	case SMTP_COMMAND_RSET:
	case SMTP_COMMAND_VRFY:
	case SMTP_COMMAND_NOOP:
	case SMTP_COMMAND_QUIT:
	case SMTP_COMMAND_PART:
		break;
	}
	return GP_ERR_PROTOCOL;
}

static void take_step(struct errand *errand, enum smtp_command accepted)
{
	enum gp_err err = go_on(errand, accepted);

	/* The hop may have failed in here: on_failed() is on its way. */
	if (err == GP_OK)
		smtp_hop_flush(errand->hop);
	else if (smtp_hop_is_ready(errand->hop))
		finish(errand, err == GP_ERR_UNSUPPORTED ? NOTICE_REFUSED : NOTICE_TEMPORARY,
			gp_err_text(err));
}

static void on_ready(struct smtp_hop *hop, void *owner)
{
	(void)hop;
	take_step(owner, SMTP_COMMAND_NONE);
}

static void on_reply(struct smtp_hop *hop, const struct smtp_client_event *event, void *owner)
{
	struct errand *errand = owner;
	enum smtp_command command = event->command;
	const struct smtp_reply *reply = event->reply;
	bool is_good = command == SMTP_COMMAND_DATA ? reply->code == 354 : reply->code / 100 == 2;

	(void)hop;
	/* Either way the transaction is over; a refused one is ended by RSET. */
	if (command == SMTP_COMMAND_BODY)
		errand->has_transaction = false;
	if (!is_good)
		finish(errand, reply->code >= 500 ? NOTICE_REFUSED : NOTICE_TEMPORARY, reply->text);
	else if (command == SMTP_COMMAND_BODY)
		finish(errand, NOTICE_SENT, reply->text);
	else
		take_step(errand, command);
}

static void on_drained(struct smtp_hop *hop, void *owner)
{
	(void)hop;
	(void)owner;
}

static void on_failed(struct smtp_hop *hop, void *owner)
{
	struct errand *errand = owner;

	smtp_hop_free(&errand->hop);
	(void)hop;
	finish(errand, NOTICE_TEMPORARY, "the next hop is not to be had");
}

static const struct smtp_hop_ops hop_ops = {
	.on_ready = on_ready,
	.on_reply = on_reply,
	.on_drained = on_drained,
	.on_failed = on_failed,
};

void notices_send(struct notices *notices, const struct ipc_notice *notice)
{
	struct front *front = notices->front;
	struct settings_backend *backend = settings_backend(front->settings, notice->backend);
	struct errand *errand = NULL;

	if (backend == NULL || notices->count >= NOTICES_MAX || front->is_stopping) {
		tell(front, notice->notice, NOTICE_TEMPORARY,
			backend == NULL ? "no next hop" : "too many notices at once");
		return;
	}
	errand = mem_new(1, sizeof *errand);
	errand->notices = notices;
	errand->notice = notice->notice;
	errand->recipient = mem_strndup(notice->recipient.data, notice->recipient.len);
	buf_init_secret(&errand->message, IPC_NOTICE_MAX);
	TAILQ_INSERT_TAIL(&notices->errands, errand, entry);
	notices->count++;
	if (buf_append(&errand->message, notice->message) != GP_OK) {
		finish(errand, NOTICE_REFUSED, "too long");
		return;
	}
	errand->hop = smtp_hop_new(front, backend, NULL, &hop_ops, errand);
}

struct notices *notices_new(struct front *front)
{
	struct notices *notices = mem_new(1, sizeof *notices);

	notices->front = front;
	TAILQ_INIT(&notices->errands);
	return notices;
}

void notices_free(struct notices **pnotices)
{
	struct notices *notices = *pnotices;

	*pnotices = NULL;
	if (notices == NULL)
		return;
	while (!TAILQ_EMPTY(&notices->errands))
		errand_free(TAILQ_FIRST(&notices->errands));
	mem_free(notices);
}
