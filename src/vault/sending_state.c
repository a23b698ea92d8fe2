/* SPDX-License-Identifier: ISC */
#include "vault/sending_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypt/key.h"
#include "crypt/seal.h"
#include "policy/profile.h"
#include "store/store_sending.h"
#include "vault/vault.h"

enum {
	TAG_KEY_SIZE = 16
};

static const char tag_purpose[] = "recipients of profiles";
static const char subject_purpose[] = "subject of what was sent";

void sending_state_init(struct vault *vault)
{
	vault->sending.account = 0;
	buf_init(&vault->sending.packed, PROFILE_PACKED_MAX);
}

void sending_state_fini(struct vault *vault)
{
	buf_fini(&vault->sending.packed);
}

enum gp_err sending_state_send_key(struct vault *vault)
{
	struct ipc_message message = { .type = IPC_SENDING_KEY };
	uint8_t key[KEY_DERIVED_SIZE];
	enum gp_err err;

	key_derive(secret_slice(vault->pepper), tag_purpose, key);
	message.sending_key.key = slice_of(key, TAG_KEY_SIZE);
	err = vault_send(vault, &message);
	mem_wipe(key, sizeof key);
	return err;
}

/* ---- what was sent ---- */

enum gp_err sending_state_seal(
	struct vault *vault, uint64_t account, struct slice subject, struct buf *out)
{
	if (subject.len == 0)
		return GP_OK;
	return seal_close(secret_slice(vault->seal_key), subject_purpose, account, subject, out);
}

enum gp_err sending_state_open(
	struct vault *vault, uint64_t account, struct slice sealed, struct buf *out)
{
	if (sealed.len == 0)
		return GP_OK;
	return seal_open(secret_slice(vault->seal_key), subject_purpose, account, sealed, out);
}

/* ---- what core asks for ---- */

struct loading {
	struct vault *vault;
	uint64_t request;
	bool is_listed;
};

static enum gp_err send_spent(const struct store_spent *spent, void *arg)
{
	const struct loading *loading = arg;
	struct ipc_message row = { .type = IPC_SPENT_ROW,
		.spent_row = { .request = loading->request,
			.at = spent->at,
			.messages = spent->messages,
			.recipients = spent->recipients,
			.strangers = spent->strangers } };

	return vault_send(loading->vault, &row);
}

static enum gp_err send_name(struct slice address, void *arg)
{
	const struct loading *loading = arg;
	struct ipc_message row = { .type = IPC_SENDER_ROW,
		.sender_row = { .request = loading->request,
			.is_listed = loading->is_listed,
			.sender = address } };

	return vault_send(loading->vault, &row);
}

static enum gp_err send_names(struct loading *loading, const struct store_account *account)
{
	struct store *store = loading->vault->store;
	struct slice address = slice_str(account->address);
	const struct store_sender_owner own = { .account = account->id };
	const struct store_sender_owner all = {
		.domain = slice_from(address, (size_t)slice_find_last(address, '@') + 1)
	};
	enum gp_err err = store_alias_each(store, account->id, send_name, loading);

	loading->is_listed = true;
	if (err == GP_OK)
		err = store_sender_each(store, &own, send_name, loading);
	if (err == GP_OK)
		err = store_sender_each(store, &all, send_name, loading);
	return err;
}

static enum gp_err send_profile(const struct loading *loading, uint64_t account)
{
	struct ipc_message message = { .type = IPC_PROFILE_PART };
	struct ipc_profile_part *part = &message.profile_part;
	struct slice rest;
	struct buf packed;
	enum gp_err err;

	buf_init(&packed, PROFILE_PACKED_MAX);
	err = store_profile_find(loading->vault->store, account, &packed);
	rest = buf_slice(&packed);
	part->account = account;
	part->is_first = true;
	while (err == GP_OK && rest.len > 0) {
		part->bytes = slice_head(rest, IPC_PROFILE_PART_MAX);
		rest = slice_from(rest, part->bytes.len);
		part->is_last = rest.len == 0;
		err = vault_send(loading->vault, &message);
		part->is_first = false;
	}
	buf_fini(&packed);
	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

/* account: stays zeroed if there is none. */
static enum gp_err load_account(struct loading *loading, const struct ipc_sending_load *message,
	struct store_account *account)
{
	struct store *store = loading->vault->store;
	enum gp_err err = store_account_get(store, message->account, account);

	mem_wipe(account->password, sizeof account->password);
	if (err == GP_ERR_NOT_FOUND)
		return GP_OK;
	if (err == GP_OK)
		err = send_names(loading, account);
	if (err == GP_OK && message->what == IPC_SENDING_ACCOUNT)
		err = send_profile(loading, account->id);
	if (err == GP_OK && message->what == IPC_SENDING_ACCOUNT)
		err = store_spent_each_of_account(
			store, account->id, message->since, send_spent, loading);
	return err;
}

static enum gp_err load(struct loading *loading, const struct ipc_sending_load *message,
	struct store_account *account)
{
	struct store *store = loading->vault->store;

	switch ((enum ipc_sending)message->what) {
	case IPC_SENDING_ACCOUNT:
	case IPC_SENDING_NAMES:
		return load_account(loading, message, account);
	case IPC_SENDING_DOMAIN:
		return store_spent_each_of_domain(
			store, message->domain, message->since, send_spent, loading);
	case IPC_SENDING_SOURCE:
		return store_spent_each_of_source(
			store, &message->source, message->since, send_spent, loading);
	case IPC_SENDING_MAX:
		break;
	}
	return GP_ERR_UNSUPPORTED;
}

void sending_state_load(struct vault *vault, const struct ipc_sending_load *message)
{
	struct loading loading = { .vault = vault, .request = message->request };
	struct ipc_message done = { .type = IPC_SENDING_LOADED };
	struct store_account account = { .id = 0 };
	enum gp_err err;

	record_flush(vault);
	err = load(&loading, message, &account);
	if (err != GP_OK)
		log_error("sending_load_failed", LOG_STR("error", gp_err_text(err)));
	done.sending_loaded = (struct ipc_sending_loaded){ .request = message->request,
		.ok = err == GP_OK,
		.found = account.id != 0,
		.is_blocked = account.blocked_at != 0,
		.route = slice_str(account.route) };
	if (vault_send(vault, &done) != GP_OK)
		log_warn("sending_load_unheard", LOG_UINT("request", message->request));
}

/* ---- profiles that core wants kept ---- */

static void keep(struct vault *vault)
{
	struct sending_state *state = &vault->sending;
	struct ipc_message kept = { .type = IPC_PROFILE_KEPT,
		.profile_kept = { .account = state->account } };
	enum gp_err err;

	record_flush(vault);
	err = store_begin(vault->store, STORE_RELAXED);
	if (err == GP_OK) {
		err = store_profile_keep(
			vault->store, state->account, buf_slice(&state->packed), clock_wall());
		if (err == GP_OK)
			err = store_commit(vault->store);
		else
			store_rollback(vault->store);
	}
	kept.profile_kept.ok = err == GP_OK || err == GP_ERR_NOT_FOUND;
	kept.profile_kept.found = err == GP_OK;
	if (!kept.profile_kept.ok)
		log_error("profile_not_kept", LOG_UINT("account", state->account),
			LOG_STR("error", gp_err_text(err)));
	if (vault_send(vault, &kept) != GP_OK)
		log_debug("profile_kept_unheard", LOG_UINT("account", state->account));
}

void sending_state_on_part(struct vault *vault, const struct ipc_profile_part *part)
{
	struct sending_state *state = &vault->sending;

	if (part->is_first) {
		buf_clear(&state->packed);
		state->account = part->account;
	}
	/* What follows a part that is missing is of no use. */
	if (state->account == 0 || part->account != state->account)
		return;
	if (buf_append(&state->packed, part->bytes) != GP_OK) {
		log_error("profile_too_large", LOG_UINT("account", part->account));
		state->account = 0;
		return;
	}
	if (!part->is_last)
		return;
	keep(vault);
	state->account = 0;
}
