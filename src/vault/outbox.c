/* SPDX-License-Identifier: ISC */
#include "vault/outbox.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "crypt/seal.h"
#include "vault/letter.h"
#include "vault/staff_notice.h"
#include "vault/vault.h"

_Static_assert((int)LETTER_MAX <= (int)IPC_NOTICE_MAX, "a letter fits into a message");

static const char purpose[] = "notice";

/* Seconds until the next try, by the number of tries so far. The first is short: a core that ended
 * takes what it was handed with it. */
static int64_t pause_after(unsigned tries)
{
	static const int64_t pauses[] = { OUTBOX_CORE_MS / 1000, 60, 300, 900, 1800, 3600 };

	return pauses[tries < GP_ARRAY_LEN(pauses) ? tries : GP_ARRAY_LEN(pauses) - 1];
}

/* ---- into the outbox ---- */

static json_t *all_values(const struct vault *vault, const struct outbox_post *post, int64_t now)
{
	json_t *values = json_object();
	char time[CLOCK_TEXT_SIZE];

	if (post->values != NULL)
		GP_ASSERT(json_object_update(values, post->values) == 0);
	GP_ASSERT(
		json_object_set_new(values, "portal", json_string(vault->config->portal_url)) == 0);
	GP_ASSERT(
		json_object_set_new(values, "hostname", json_string(vault->config->hostname)) == 0);
	GP_ASSERT(json_object_set_new(values, "time", json_string(clock_format(now, time))) == 0);
	return values;
}

/* The values as JSON, sealed. */
static enum gp_err seal_values(
	const struct vault *vault, uint64_t account, const json_t *values, struct buf *out)
{
	struct buf plain;
	size_t len;
	enum gp_err err;

	buf_init_secret(&plain, STORE_OUTBOX_CONTENT_MAX);
	err = buf_reserve(&plain, STORE_OUTBOX_CONTENT_MAX);
	GP_ASSERT(err == GP_OK);
	len = json_dumpb(values, buf_tail(&plain), STORE_OUTBOX_CONTENT_MAX, JSON_COMPACT);
	if (len == 0 || len > STORE_OUTBOX_CONTENT_MAX - SEAL_OVERHEAD) {
		err = GP_ERR_LIMIT;
	} else {
		buf_added(&plain, len);
		err = seal_close(
			secret_slice(vault->seal_key), purpose, account, buf_slice(&plain), out);
	}
	buf_fini(&plain);
	return err;
}

static enum gp_err add(
	struct vault *vault, const struct outbox_post *post, struct slice content, int64_t now)
{
	struct store_outbox row = {
		.account = post->account, .content = content, .created_at = now, .due_at = now
	};
	uint64_t id = 0;

	if (!slice_copy(slice_str(post->recipient), row.recipient, sizeof row.recipient) ||
		!slice_copy(slice_str(post->kind), row.kind, sizeof row.kind) ||
		!slice_copy(slice_str(post->language), row.language, sizeof row.language))
		return GP_ERR_LIMIT;
	return store_outbox_add(vault->store, &row, &id);
}

enum gp_err outbox_post(struct vault *vault, const struct outbox_post *post)
{
	int64_t now = clock_wall();
	json_t *values = NULL;
	struct buf content;
	enum gp_err err;

	GP_ASSERT(letter_has_kind(post->kind));
	if (!vault->config->notices)
		return GP_OK;
	values = all_values(vault, post, now);
	buf_init(&content, STORE_OUTBOX_CONTENT_MAX);
	err = seal_values(vault, post->account, values, &content);
	if (err == GP_OK)
		err = add(vault, post, buf_slice(&content), now);
	if (err == GP_OK)
		vault->outbox.has_new = true;
	buf_fini(&content);
	json_decref(values);
	if (err == GP_ERR_LIMIT) {
		log_warn("notice_lost", LOG_STR("kind", post->kind),
			LOG_STR("why", "the outbox is full, or it is too long"));
		return GP_OK;
	}
	return err;
}

/* ---- out of it ---- */

/* OUTBOX_AT_ONCE: there is none. */
static unsigned free_place(const struct outbox *outbox)
{
	unsigned i = 0;

	while (i < OUTBOX_AT_ONCE && outbox->under_way[i] != 0)
		i++;
	return i;
}

static bool is_under_way(const struct outbox *outbox, uint64_t id)
{
	for (int i = 0; i < OUTBOX_AT_ONCE; i++) {
		if (outbox->under_way[i] == id)
			return true;
	}
	return false;
}

static void forget(struct outbox *outbox, uint64_t id)
{
	for (int i = 0; i < OUTBOX_AT_ONCE; i++) {
		if (outbox->under_way[i] == id)
			outbox->under_way[i] = 0;
	}
}

static void forget_lost(struct outbox *outbox)
{
	int64_t now = clock_steady();

	for (int i = 0; i < OUTBOX_AT_ONCE; i++) {
		if (outbox->under_way[i] != 0 && outbox->until[i] <= now)
			outbox->under_way[i] = 0;
	}
}

static enum gp_err write_letter(
	const struct vault *vault, const struct store_outbox *row, struct buf *out)
{
	struct letter letter = { .kind = row->kind,
		.language = row->language,
		.from = vault->config->notice_from,
		.recipient = row->recipient,
		.hostname = vault->config->hostname,
		.id = row->id,
		.at = row->created_at };
	struct buf plain;
	json_t *values = NULL;
	enum gp_err err;

	buf_init_secret(&plain, STORE_OUTBOX_CONTENT_MAX);
	err = seal_open(secret_slice(vault->seal_key), purpose, row->account, row->content, &plain);
	if (err == GP_OK)
		values = json_loadb(plain.data + plain.head, plain.len, 0, NULL);
	letter.values = values;
	if (err == GP_OK)
		err = letter_write(&letter, out);
	json_decref(values);
	buf_fini(&plain);
	return err;
}

static enum gp_err hand_over(struct vault *vault, const struct store_outbox *row)
{
	struct ipc_message message = { .type = IPC_NOTICE };
	struct buf text;
	enum gp_err err;

	buf_init_secret(&text, LETTER_MAX);
	err = write_letter(vault, row, &text);
	if (err == GP_OK) {
		message.notice = (struct ipc_notice){ .notice = row->id,
			.recipient = slice_str(row->recipient),
			.message = buf_slice(&text) };
		err = vault_send(vault, &message);
	}
	buf_fini(&text);
	return err;
}

/* said: the next hop's words, cleaned; "" if they are not its own. */
static void give_up(
	struct vault *vault, const struct store_outbox *row, const char *why, const char *said)
{
	log_warn("notice_given_up", LOG_UINT("notice", row->id), LOG_STR("kind", row->kind),
		LOG_STR("why", why), LOG_STR("text", said));
	if (store_outbox_finish(vault->store, row->id, clock_wall(), STORE_OUTBOX_REFUSED, said) !=
		GP_OK)
		log_error("notice_not_ended", LOG_UINT("notice", row->id));
}

/* What is due, copied: while they are sent the store changes. */
struct due {
	struct vault *vault;
	unsigned count;
	struct store_outbox rows[OUTBOX_AT_ONCE];
	struct buf contents[OUTBOX_AT_ONCE];
};

static enum gp_err take_due(const struct store_outbox *row, void *arg)
{
	struct due *due = arg;
	struct buf *content = &due->contents[due->count];

	if (due->count >= OUTBOX_AT_ONCE || is_under_way(&due->vault->outbox, row->id))
		return GP_OK;
	buf_init(content, STORE_OUTBOX_CONTENT_MAX);
	if (buf_append(content, row->content) != GP_OK)
		return GP_ERR_LIMIT;
	due->rows[due->count] = *row;
	due->rows[due->count].content = buf_slice(content);
	due->count++;
	return GP_OK;
}

static void send_one(struct vault *vault, const struct store_outbox *row)
{
	struct outbox *outbox = &vault->outbox;
	int64_t now = clock_wall();
	unsigned place = free_place(outbox);
	enum gp_err err;

	if (now - row->created_at > OUTBOX_KEEP_S) {
		give_up(vault, row, "nobody took it for too long", "");
		return;
	}
	if (place == OUTBOX_AT_ONCE)
		return;
	/* First the next date: should this process die now, it is not tried without end. */
	if (store_outbox_put_off(vault->store, row->id, now + pause_after(row->tries)) != GP_OK)
		return;
	err = hand_over(vault, row);
	if (err == GP_OK) {
		outbox->under_way[place] = row->id;
		outbox->until[place] = clock_steady() + OUTBOX_ANSWER_MS;
	} else if (err != GP_ERR_CLOSED && err != GP_ERR_BUSY) {
		give_up(vault, row, gp_err_text(err), "");
	}
}

static void on_tick(struct loop_timer *timer)
{
	struct vault *vault = timer->owner;
	struct due due = { .vault = vault };
	enum gp_err err = GP_OK;

	loop_timer_set(timer, OUTBOX_TICK_MS);
	vault->outbox.has_new = false;
	if (vault->core == NULL)
		return;
	record_flush(vault);
	forget_lost(&vault->outbox);
	err = staff_notice_post(vault);
	if (err != GP_OK)
		log_warn("staff_not_told", LOG_STR("error", gp_err_text(err)));
	err = store_outbox_each_due(
		vault->store, clock_wall(), (uint64_t)OUTBOX_AT_ONCE * 2, take_due, &due);
	for (unsigned i = 0; i < due.count; i++) {
		if (err == GP_OK)
			send_one(vault, &due.rows[i]);
		buf_fini(&due.contents[i]);
	}
	if (err == GP_OK)
		err = store_outbox_sweep(vault->store, clock_wall() - OUTBOX_DONE_S);
	if (err != GP_OK)
		log_warn("outbox", LOG_STR("error", gp_err_text(err)));
}

/* The lines of a reply as one, and nothing in it that could not be shown. */
static void clean(struct slice text, char said[static STORE_OUTBOX_SAID_SIZE])
{
	char line[IPC_NOTICE_TEXT_MAX + 1];

	if (!slice_copy(slice_head(text, IPC_NOTICE_TEXT_MAX), line, sizeof line))
		line[0] = '\0';
	for (char *at = line; *at != '\0'; at++) {
		if (*at == '\n')
			*at = ' ';
	}
	text_escape(slice_str(line), said, STORE_OUTBOX_SAID_SIZE);
}

void outbox_on_done(struct vault *vault, const struct ipc_notice_done *done)
{
	struct store_outbox row;
	char said[STORE_OUTBOX_SAID_SIZE];
	enum gp_err err;

	if (done->notice == 0 || !is_under_way(&vault->outbox, done->notice))
		return;
	forget(&vault->outbox, done->notice);
	record_flush(vault);
	if (done->outcome == NOTICE_TEMPORARY) {
		log_info("notice_put_off", LOG_UINT("notice", done->notice),
			LOG_SLICE("text", done->text));
	} else if (done->outcome == NOTICE_REFUSED) {
		clean(done->text, said);
		err = store_outbox_find(vault->store, done->notice, &row);
		if (err == GP_OK)
			give_up(vault, &row, "the next hop refused it", said);
	} else if (store_outbox_finish(vault->store, done->notice, clock_wall(), STORE_OUTBOX_TAKEN,
			   "") != GP_OK) {
		log_error("notice_not_ended", LOG_UINT("notice", done->notice));
	}
	outbox_wake(vault);
}

void outbox_wake(struct vault *vault)
{
	if (vault->lane == IPC_LANE_DESK)
		loop_timer_set(&vault->outbox.tick, 0);
}

void outbox_on_core_gone(struct vault *vault)
{
	memset(vault->outbox.under_way, 0, sizeof vault->outbox.under_way);
}

void outbox_on_core(struct vault *vault)
{
	if (vault->lane == IPC_LANE_DESK)
		loop_timer_set(&vault->outbox.tick, OUTBOX_CORE_MS);
}

void outbox_init(struct vault *vault)
{
	loop_timer_init(vault->loop, &vault->outbox.tick, on_tick, vault);
	if (vault->lane == IPC_LANE_DESK)
		loop_timer_set(&vault->outbox.tick, OUTBOX_TICK_MS);
}

void outbox_fini(struct vault *vault)
{
	loop_timer_fini(&vault->outbox.tick);
}
