/* SPDX-License-Identifier: ISC */
#include "core/sending_account.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/sending_case.h"

/* ---- texts ---- */

static void texts_add(struct sending_texts *texts, struct slice text)
{
	if (texts->count == SENDING_NAMES_MAX)
		return;
	texts->items = mem_resize(texts->items, texts->count + 1, sizeof *texts->items);
	texts->owned = mem_resize(texts->owned, texts->count + 1, sizeof *texts->owned);
	texts->owned[texts->count] = slice_dup(text);
	texts->items[texts->count] = slice_str(texts->owned[texts->count]);
	texts->count++;
}

static void texts_clear(struct sending_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		mem_free(texts->owned[i]);
	mem_free(texts->owned);
	mem_free(texts->items);
	*texts = (struct sending_texts){ 0 };
}

static void texts_move(struct sending_texts *from, struct sending_texts *to)
{
	texts_clear(to);
	*to = *from;
	*from = (struct sending_texts){ 0 };
}

/* ---- making and loading ---- */

struct sending_account *sending_account_new(struct core *core)
{
	struct sending_account *account = mem_new(1, sizeof *account);

	(void)core;
	buf_init(&account->packed, PROFILE_PACKED_MAX);
	return account;
}

void sending_account_free(struct sending_account *account)
{
	struct sending *sending = &account->unit.core->sending;

	if (account->is_dirty)
		TAILQ_REMOVE(&sending->dirty, account, by_dirty);
	if (account->is_urgent)
		TAILQ_REMOVE(&sending->urgent, account, by_urgent);
	if (account->is_saving)
		sending->saving--;
	sending_case_free(account);
	texts_clear(&account->aliases);
	texts_clear(&account->listed);
	texts_clear(&account->next_aliases);
	texts_clear(&account->next_listed);
	profile_fini(&account->profile);
	sending_parts_fini(&account->parts);
	buf_fini(&account->packed);
	mem_free(account->route);
	mem_free(account);
}

void sending_account_on_load(struct sending_account *account, enum ipc_sending what)
{
	/* What changes from here on is not in the answer for certain. */
	account->is_stale = false;
	texts_clear(&account->next_aliases);
	texts_clear(&account->next_listed);
	if (what == IPC_SENDING_ACCOUNT)
		buf_clear(&account->packed);
}

void sending_account_on_sender(struct sending_account *account, const struct ipc_sender_row *row)
{
	texts_add(row->is_listed ? &account->next_listed : &account->next_aliases, row->sender);
}

void sending_account_on_part(struct core *core, const struct ipc_profile_part *part)
{
	struct sending_unit *unit = sending_unit_find_account(core, part->account);

	if (unit == NULL || unit->state != SENDING_LOADING)
		return;
	if (part->is_first)
		buf_clear(&unit->of->packed);
	if (buf_append(&unit->of->packed, part->bytes) != GP_OK)
		log_error("profile_too_large", LOG_UINT("account", part->account));
}

static void measure(struct sending_account *account)
{
	size_t names = account->aliases.count + account->listed.count;

	sending_unit_set_bytes(&account->unit,
		sizeof *account - sizeof account->profile + profile_bytes(&account->profile) +
			names * 64 + account->parts.room * sizeof *account->parts.items);
}

static void unpack(struct sending_account *account)
{
	struct profile profile = { 0 };

	if (account->packed.len > 0 &&
		profile_unpack(buf_slice(&account->packed), &profile) != GP_OK)
		log_error("profile_damaged", LOG_UINT("account", account->unit.account));
	profile_fini(&account->profile);
	account->profile = profile;
	buf_fini(&account->packed);
}

void sending_account_on_loaded(struct sending_account *account, enum ipc_sending what,
	const struct ipc_sending_loaded *message)
{
	account->is_gone = !message->found;
	if (account->is_gone)
		return;
	/* What core has decided, and the vault has not got yet, holds. */
	account->is_blocked = message->is_blocked || sending_case_is_block(account);
	if (account->is_blocked)
		sending_mail_end_leases(account->unit.core, account->unit.account);
	mem_free(account->route);
	account->route = slice_dup(message->route);
	texts_move(&account->next_aliases, &account->aliases);
	texts_move(&account->next_listed, &account->listed);
	if (what == IPC_SENDING_ACCOUNT)
		unpack(account);
	measure(account);
	sending_account_apply(account, account->pending);
}

struct sending_names sending_account_names(
	const struct sending_account *account, struct slice address)
{
	return (struct sending_names){ .account = address,
		.aliases = account->aliases.items,
		.alias_count = account->aliases.count,
		.listed = account->listed.items,
		.listed_count = account->listed.count,
		.separator = '+' };
}

/* ---- keeping the profile ---- */

static void set_dirty(struct sending_account *account)
{
	if (account->is_dirty)
		return;
	account->is_dirty = true;
	account->dirty_since = sending_now(account->unit.core);
	TAILQ_INSERT_TAIL(&account->unit.core->sending.dirty, account, by_dirty);
}

void sending_account_touch(struct sending_account *account)
{
	set_dirty(account);
	measure(account);
}

static void set_clean(struct sending_account *account)
{
	if (account->is_dirty)
		TAILQ_REMOVE(&account->unit.core->sending.dirty, account, by_dirty);
	account->is_dirty = false;
}

static enum gp_err send_parts(struct sending_account *account, struct slice rest)
{
	struct ipc_message message = { .type = IPC_PROFILE_PART };
	struct ipc_profile_part *part = &message.profile_part;
	enum gp_err err = GP_OK;

	part->account = account->unit.account;
	part->is_first = true;
	while (err == GP_OK && rest.len > 0) {
		part->bytes = slice_head(rest, IPC_PROFILE_PART_MAX);
		rest = slice_from(rest, part->bytes.len);
		part->is_last = rest.len == 0;
		err = vaults_send_desk(account->unit.core, &message, -1);
		part->is_first = false;
	}
	return err;
}

void sending_account_save(struct sending_account *account)
{
	struct sending *sending = &account->unit.core->sending;
	struct buf packed;
	enum gp_err err;

	/* One at a time: which of two was kept could not be told. */
	if (account->unit.state != SENDING_READY || account->is_saving) {
		set_dirty(account);
		return;
	}
	buf_init(&packed, PROFILE_PACKED_MAX);
	err = profile_pack(&account->profile, &packed);
	GP_ASSERT(err == GP_OK);
	err = send_parts(account, buf_slice(&packed));
	buf_fini(&packed);
	if (err != GP_OK) {
		set_dirty(account);
		return;
	}
	set_clean(account);
	account->is_saving = true;
	sending->saving++;
}

void sending_account_save_due(struct core *core, bool all)
{
	struct sending *sending = &core->sending;
	int64_t due = sending_now(core) - SENDING_SAVE_S;
	struct sending_account *account = TAILQ_FIRST(&sending->dirty);

	while (account != NULL && sending->saving < SENDING_SAVES_MAX) {
		struct sending_account *next = TAILQ_NEXT(account, by_dirty);

		if (!all && account->dirty_since > due)
			return;
		if (!account->is_saving)
			sending_account_save(account);
		/* The vault takes no more now. */
		if (account->is_dirty && !account->is_saving)
			return;
		account = next;
	}
}

static void end_save(struct sending_account *account, bool is_kept)
{
	account->is_saving = false;
	account->unit.core->sending.saving--;
	if (!is_kept)
		set_dirty(account);
}

void sending_account_on_kept(struct core *core, const struct ipc_profile_kept *kept)
{
	struct sending_unit *unit = sending_unit_find_account(core, kept->account);

	if (unit == NULL || !unit->of->is_saving)
		return;
	end_save(unit->of, kept->ok);
	if (kept->ok && !kept->found) {
		unit->of->is_gone = true;
		set_clean(unit->of);
	}
	if (!kept->ok)
		core->stats.profiles_not_kept++;
	else
		core->stats.profiles_kept++;
	if (kept->ok)
		sending_account_save_due(core, false);
	sending_unit_trim(core);
}

static void lose(struct map_node *node, void *arg)
{
	struct sending_account *account = MAP_ENTRY(node, struct sending_unit, node)->of;

	(void)arg;
	if (account->is_saving)
		end_save(account, false);
	/* What an operation has changed may not have been told. */
	account->is_stale = true;
}

void sending_account_on_desk_gone(struct core *core)
{
	map_each(&core->sending.units.by_key[IPC_SENDING_ACCOUNT], lose, NULL);
	sending_mail_end_leases(core, 0);
}

bool sending_account_may_go(struct sending_account *account)
{
	struct sending *sending = &account->unit.core->sending;

	if (account->is_dirty && !account->is_saving && sending->saving < SENDING_SAVES_MAX)
		sending_account_save(account);
	return !account->is_dirty && !account->is_saving && !account->is_urgent;
}

/* ---- what is left to do ---- */

void sending_account_set_urgent(struct sending_account *account)
{
	if (account->is_urgent)
		return;
	account->is_urgent = true;
	TAILQ_INSERT_TAIL(&account->unit.core->sending.urgent, account, by_urgent);
}

void sending_account_settle(struct sending_account *account)
{
	if (!account->is_urgent || account->open != NULL ||
		account->pending != SENDING_PENDING_NONE)
		return;
	account->is_urgent = false;
	TAILQ_REMOVE(&account->unit.core->sending.urgent, account, by_urgent);
}

/* When what is suspected began. */
static int64_t suspected_since(const struct sending_account *account, int64_t now)
{
	int64_t began = profile_began(&account->profile, &account->unit.core->sending.policy, now);

	return account->profile.asked_at != 0 && account->profile.asked_at < began
		       ? account->profile.asked_at
		       : began;
}

void sending_account_apply(struct sending_account *account, enum sending_pending pending)
{
	struct core *core = account->unit.core;
	int64_t now = sending_now(core);

	account->pending = pending;
	if (pending == SENDING_PENDING_NONE)
		return;
	/* Called while it is loading too, as soon as the profile is there. */
	if (account->unit.state == SENDING_IDLE || sending_unit_is_loading(&account->unit)) {
		sending_account_set_urgent(account);
		(void)sending_unit_want(&account->unit);
		return;
	}
	if (pending == SENDING_PENDING_CONFIRM)
		profile_confirm(&account->profile, now);
	else
		profile_forgive(&account->profile, &core->sending.policy,
			suspected_since(account, now), now);
	sending_parts_fini(&account->parts);
	account->pending = SENDING_PENDING_NONE;
	account->has_asked = false;
	set_dirty(account);
	sending_account_settle(account);
}
