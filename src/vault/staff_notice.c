/* SPDX-License-Identifier: ISC */
#include "vault/staff_notice.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/store_case.h"
#include "vault/vault.h"

enum {
	LINE_SIZE = STORE_ADDRESS_SIZE + CLOCK_TEXT_SIZE + 4,
	COUNT_SIZE = 24,
};

static enum gp_err add_line(const struct store_case *found, void *arg)
{
	json_t *lines = arg;
	char line[LINE_SIZE];
	char time[CLOCK_TEXT_SIZE];

	(void)clock_format(found->opened_at, time);
	(void)snprintf(line, sizeof line, "%s, %.10s %.5s", found->address, time, time + 11);
	GP_ASSERT(json_array_append_new(lines, json_string(line)) == 0);
	return GP_OK;
}

static void set_count(json_t *values, const char *key, uint64_t count)
{
	char text[COUNT_SIZE];

	(void)snprintf(text, sizeof text, "%" PRIu64, count);
	GP_ASSERT(json_object_set_new(values, key, json_string(text)) == 0);
}

/* To an account in its language, to any other address in English. */
static enum gp_err post_to(struct vault *vault, const char *recipient, json_t *values)
{
	struct store_account account = { 0 };
	struct outbox_post letter = {
		.recipient = recipient, .kind = "staff_cases", .language = "", .values = values
	};
	enum gp_err err = store_account_find(vault->store, slice_str(recipient), &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK) {
		letter.account = account.id;
		letter.language = account.language;
	}
	return err == GP_OK || err == GP_ERR_NOT_FOUND ? outbox_post(vault, &letter) : err;
}

static enum gp_err post(struct vault *vault, const struct store_case_waiting *waiting, int64_t now)
{
	const struct config_strings *recipients = &vault->config->staff_notice;
	json_t *values = json_object();
	json_t *lines = json_array();
	enum gp_err err =
		store_case_each_untold(vault->store, STAFF_NOTICE_LISTED, add_line, lines);

	GP_ASSERT(json_object_set_new(values, "accounts", lines) == 0);
	set_count(values, "new", waiting->untold);
	set_count(values, "waiting", waiting->count);
	for (size_t i = 0; err == GP_OK && i < recipients->count; i++)
		err = post_to(vault, recipients->items[i], values);
	if (err == GP_OK)
		err = store_case_set_told(vault->store, now);
	json_decref(values);
	return err;
}

enum gp_err staff_notice_post(struct vault *vault)
{
	int64_t now = clock_wall();
	struct store_case_waiting waiting = { 0 };
	enum gp_err err;

	if (vault->config->staff_notice.count == 0 || !vault->config->notices)
		return GP_OK;
	err = store_case_count_waiting(vault->store, &waiting);
	/* A clock that was set back makes nobody wait for longer than that. */
	if (err != GP_OK || waiting.untold == 0 ||
		(waiting.told_at <= now && now - waiting.told_at < STAFF_NOTICE_PAUSE))
		return err;
	err = store_begin(vault->store, STORE_DURABLE);
	if (err != GP_OK)
		return err;
	err = post(vault, &waiting, now);
	if (err == GP_OK)
		return store_commit(vault->store);
	store_rollback(vault->store);
	return err;
}
