/* SPDX-License-Identifier: ISC */
#include "vault/twofactor.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypt/once.h"
#include "crypt/seal.h"
#include "vault/desk.h"

static const char seal_purpose[] = "totp";

enum gp_err twofactor_seal(struct vault *vault, uint64_t account,
	const uint8_t key[static TOTP_SECRET_SIZE], struct store_sealed *ret_sealed)
{
	struct buf sealed;
	enum gp_err err;

	_Static_assert((int)TOTP_SECRET_SIZE + (int)SEAL_OVERHEAD <= (int)STORE_SEALED_SIZE,
		"the store has room");
	buf_init(&sealed, STORE_SEALED_SIZE);
	err = seal_close(secret_slice(vault->seal_key), seal_purpose, account,
		slice_of(key, TOTP_SECRET_SIZE), &sealed);
	if (err == GP_OK) {
		memcpy(ret_sealed->data, buf_slice(&sealed).data, sealed.len);
		ret_sealed->len = sealed.len;
	}
	buf_fini(&sealed);
	return err;
}

enum gp_err twofactor_open(struct vault *vault, uint64_t account, const struct store_sealed *sealed,
	uint8_t out[static TOTP_SECRET_SIZE])
{
	struct buf key;
	enum gp_err err;

	buf_init_secret(&key, STORE_SEALED_SIZE);
	err = seal_open(secret_slice(vault->seal_key), seal_purpose, account,
		slice_of(sealed->data, sealed->len), &key);
	if (err == GP_OK && key.len == TOTP_SECRET_SIZE) {
		memcpy(out, buf_slice(&key).data, TOTP_SECRET_SIZE);
	} else {
		log_error("twofactor_unreadable", LOG_UINT("account", account),
			LOG_STR("hint", "is the pepper another one?"));
		err = GP_ERR_STORE;
	}
	buf_fini(&key);
	return err;
}

/* Decides on a code of six digits: GP_OK, GP_ERR_DENIED, or our own fault. */
static enum gp_err judge_code(struct vault *vault, uint64_t account, struct slice code,
	const struct store_twofactor *facts)
{
	uint8_t key[TOTP_SECRET_SIZE];
	uint64_t step = 0;
	uint64_t replayed = 0;
	enum gp_err err = twofactor_open(vault, account, &facts->secret, key);

	if (err == GP_OK)
		err = totp_match(key, code, clock_wall(), facts->used_step, &step);
	if (err == GP_OK && step == 0)
		err = totp_match(key, code, clock_wall(), 0, &replayed);
	mem_wipe(key, sizeof key);
	if (err != GP_OK)
		return err;
	if (step > 0) {
		err = store_twofactor_use(vault->store, account, step);
		return err == GP_ERR_NOT_FOUND ? GP_ERR_DENIED : err;
	}
	err = replayed == 0 ? store_twofactor_note_wrong(vault->store, account, false) : GP_OK;
	return err == GP_OK ? GP_ERR_DENIED : err;
}

/* Its use is told, and stands in the audit. */
static enum gp_err tell_recovery(struct vault *vault, uint64_t id)
{
	struct store_account account = { 0 };
	unsigned left = 0;
	char text[16];
	json_t *detail = NULL;
	enum gp_err err = store_account_get(vault->store, id, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = store_recovery_count(vault->store, id, &left);
	if (err != GP_OK)
		return err;
	(void)snprintf(text, sizeof text, "%u", left);
	err = desk_post_for(
		vault, &account, NULL, "recovery_code", "", json_pack("{s:s}", "left", text));
	if (err != GP_OK)
		return err;
	detail = json_pack("{s:s, s:i}", "kind", "recovery", "left", (int)left);
	err = desk_audit(
		vault, SLICE_LIT("core"), OPS_twofactor_check, id, account.address, detail);
	json_decref(detail);
	return err;
}

static enum gp_err judge_recovery(struct vault *vault, uint64_t account, struct slice code)
{
	uint8_t tag[ONCE_TAG_SIZE];
	enum gp_err err;

	_Static_assert((int)ONCE_TAG_SIZE == (int)STORE_TAG_SIZE, "the store keeps the tag");
	once_tag(secret_slice(vault->pepper), "gatepost recovery code", account, code, tag);
	err = store_recovery_use(vault->store, account, tag);
	mem_wipe(tag, sizeof tag);
	if (err == GP_OK)
		err = tell_recovery(vault, account);
	return err == GP_ERR_NOT_FOUND ? GP_ERR_DENIED : err;
}

static enum gp_err judge(struct vault *vault, uint64_t account, struct slice code,
	bool takes_recovery, struct twofactor_answer *answer)
{
	struct store_twofactor facts = { 0 };
	enum gp_err err = store_twofactor_get(vault->store, account, &facts);

	if (err != GP_OK)
		return err;
	if (takes_recovery && once_is_code(code)) {
		answer->is_recovery = true;
		return judge_recovery(vault, account, code);
	}
	if (!totp_is_form(code) || facts.secret.len == 0)
		return GP_ERR_DENIED;
	if (facts.wrong >= STORE_WRONG_MAX)
		return GP_ERR_LIMIT;
	return judge_code(vault, account, code, &facts);
}

enum gp_err twofactor_check(struct vault *vault, uint64_t account, struct slice code,
	bool takes_recovery, struct twofactor_answer *ret_answer, struct gp_why *why)
{
	struct twofactor_answer answer = { 0 };
	enum gp_err verdict;
	enum gp_err err = store_begin(vault->store, STORE_DURABLE);

	if (err != GP_OK)
		return err;
	verdict = judge(vault, account, code, takes_recovery, &answer);
	if (verdict == GP_OK)
		verdict = store_recovery_count(vault->store, account, &answer.left);
	/* A wrong code is kept too. */
	if (verdict == GP_OK || verdict == GP_ERR_DENIED) {
		err = store_commit(vault->store);
		verdict = err != GP_OK ? err : verdict;
	} else {
		store_rollback(vault->store);
	}
	if (verdict == GP_OK && answer.is_recovery)
		outbox_wake(vault);
	if (verdict == GP_OK)
		*ret_answer = answer;
	else if (verdict == GP_ERR_DENIED)
		(void)gp_why_set(why, verdict, "that code is not right, or was used before");
	else if (verdict == GP_ERR_LIMIT)
		(void)gp_why_set(why, verdict,
			"too many wrong codes: use a recovery code, or ask the staff");
	return verdict;
}
