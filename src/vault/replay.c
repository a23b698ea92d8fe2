/* SPDX-License-Identifier: ISC */
#include "vault/replay.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypt/once.h"
#include "crypt/seal.h"
#include "store/store_replay.h"
#include "vault/vault.h"

_Static_assert((int)ONCE_TAG_SIZE == (int)STORE_TAG_SIZE, "the store keeps the tag");

static const char purpose[] = "replay";

/* What was asked, as a keyed tag: the arguments may hold a password. */
static void tag_request(const struct replay *replay, uint8_t out[static ONCE_TAG_SIZE])
{
	once_tag(secret_slice(replay->vault->pepper), ops_entry(replay->id)->name, 0,
		replay->arguments, out);
}

static enum gp_err open_answer(const struct replay *replay, struct slice sealed, json_t **ret_rows)
{
	struct buf plain;
	enum gp_err err;

	buf_init_secret(&plain, REPLAY_ANSWER_MAX);
	err = seal_open(secret_slice(replay->vault->seal_key), purpose, 0, sealed, &plain);
	if (err == GP_OK)
		*ret_rows = json_loadb(buf_slice(&plain).data, plain.len, 0, NULL);
	buf_fini(&plain);
	return err == GP_OK && *ret_rows != NULL ? GP_OK : GP_ERR_STORE;
}

enum gp_err replay_find(const struct replay *replay, json_t **ret_rows, struct gp_why *why)
{
	uint8_t asked[STORE_TAG_SIZE];
	uint8_t kept[STORE_TAG_SIZE];
	json_t *rows = NULL;
	struct buf sealed;
	enum gp_err err;

	if (replay->idempotency.len == 0)
		return GP_ERR_NOT_FOUND;
	buf_init(&sealed, REPLAY_ANSWER_MAX + SEAL_OVERHEAD);
	err = store_replay_find(replay->vault->store, replay->actor, replay->idempotency,
		clock_wall() - REPLAY_KEEP_S, kept, &sealed);
	if (err == GP_OK) {
		tag_request(replay, asked);
		if (memcmp(asked, kept, sizeof kept) != 0)
			err = gp_why_set(why, GP_ERR_EXISTS,
				"this idempotency key was used for another request");
	}
	if (err == GP_OK)
		err = open_answer(replay, buf_slice(&sealed), &rows);
	buf_fini(&sealed);
	if (err == GP_OK)
		*ret_rows = rows;
	return err;
}

enum gp_err replay_keep(const struct replay *replay, const json_t *rows, struct gp_why *why)
{
	uint8_t asked[STORE_TAG_SIZE];
	struct buf plain;
	struct buf sealed;
	size_t len;
	enum gp_err err;

	if (replay->idempotency.len == 0)
		return GP_OK;
	buf_init_secret(&plain, REPLAY_ANSWER_MAX);
	buf_init(&sealed, REPLAY_ANSWER_MAX + SEAL_OVERHEAD);
	err = buf_reserve(&plain, REPLAY_ANSWER_MAX);
	GP_ASSERT(err == GP_OK);
	len = json_dumpb(rows, buf_tail(&plain), REPLAY_ANSWER_MAX, JSON_COMPACT);
	if (len == 0 || len > REPLAY_ANSWER_MAX) {
		err = gp_why_set(why, GP_ERR_LIMIT,
			"the answer is too long to be kept under an idempotency key");
	} else {
		buf_added(&plain, len);
		err = seal_close(secret_slice(replay->vault->seal_key), purpose, 0,
			buf_slice(&plain), &sealed);
	}
	/* One that is too old to be given again makes room. */
	if (err == GP_OK)
		err = store_replay_sweep(replay->vault->store, clock_wall() - REPLAY_KEEP_S);
	tag_request(replay, asked);
	if (err == GP_OK)
		err = store_replay_add(replay->vault->store, replay->actor, replay->idempotency,
			asked, buf_slice(&sealed), clock_wall());
	buf_fini(&plain);
	buf_fini(&sealed);
	return err;
}
