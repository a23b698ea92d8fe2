/* SPDX-License-Identifier: ISC */
#include "vault/case.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypt/once.h"
#include "policy/sending.h"
#include "store/store_recovery.h"
#include "store/store_setup.h"
#include "vault/case_secret.h"

/* ---- what there is ---- */

static bool is_proved(const struct desk_op *op, const struct store_case *found)
{
	int64_t age = clock_wall() - found->proof_at;

	/* The old password is no more, and who set the new one had proved it. */
	if (found->password_at != 0)
		return true;
	return found->proof[0] != '\0' && op->portal != 0 && found->proof_portal == op->portal &&
	       age >= 0 && age < CASE_PROOF;
}

static enum gp_err look_at_source(struct desk_op *op, struct case_view *view)
{
	struct store *store = op->vault->store;
	struct ip source = ip_source(&op->source);
	enum gp_err err;

	if (source.family == IP_NONE)
		return GP_OK;
	err = store_case_has_source(store, view->found.id, &source, &view->facts.source_took_part);
	if (err != GP_OK)
		return err;
	return store_known_first(store, view->account.id, &source, &view->facts.source_first_at);
}

enum gp_err case_look(struct desk_op *op, struct case_view *ret_view)
{
	struct store *store = op->vault->store;
	struct store_recovery_address recovery = { .address = "" };
	const char *way_back = NULL;
	struct case_view view = { .found = { .id = 0 } };
	enum gp_err err = store_case_find(store, op->account, &view.found);

	if (err == GP_OK)
		err = store_account_get(store, op->account, &view.account);
	mem_wipe(view.account.password, sizeof view.account.password);
	if (err == GP_OK)
		err = store_recovery_address_get(store, op->account, clock_wall(), &recovery);
	if (err == GP_OK)
		err = store_recovery_made(store, op->account, &view.facts.codes_at);
	if (err == GP_OK)
		err = store_case_has_secret(store, view.found.id, CASE_SECRET_PANEL, clock_wall(),
			&view.facts.is_vouched);
	if (err == GP_OK)
		err = look_at_source(op, &view);
	if (err != GP_OK)
		return err;
	view.facts.rule = op->vault->config->release_proof;
	view.facts.is_for_staff = view.found.is_repeat || view.found.is_for_staff;
	view.facts.is_proved = is_proved(op, &view.found);
	view.facts.began_at = view.found.began_at;
	way_back = store_recovery_address_way_back(&recovery, &view.facts.address_at);
	memcpy(view.address, way_back, sizeof view.address);
	*ret_view = view;
	return GP_OK;
}

const char *case_next(const struct case_view *view)
{
	enum release_way way = release_judge(&view->facts, RELEASE_NO);

	if (way == RELEASE_STAFF)
		return "staff";
	if (strcmp(view->found.answer, "no") != 0)
		return "answer";
	if (way == RELEASE_PROVE)
		return "prove";
	/* One that was set since, by a link or the panel, will do. */
	if (view->found.password_at == 0 && view->account.password_at <= view->found.opened_at)
		return "password";
	return "twofactor";
}

/* ---- a case begins ---- */

static enum gp_err add_sources(struct desk_op *op, uint64_t id, const json_t *sources)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < json_array_size(sources); i++) {
		struct slice text = slice_str(json_string_value(json_array_get(sources, i)));
		struct ip source;

		err = ip_parse_source(text, &source);
		if (err == GP_OK)
			err = store_case_add_source(op->vault->store, id, &source);
		else
			err = gp_why_set(&op->why, err, "a source is no address");
	}
	return err;
}

static json_t *letter_values(const struct store_case *begun)
{
	char text[CLOCK_TEXT_SIZE];

	return json_pack("{s:s}", "began", clock_format(begun->began_at, text));
}

/* The owner's own mailbox may be read by others: it gets no link. So does an address that a thief
 * may have put there. */
static enum gp_err tell(struct desk_op *op, const struct store_case *begun, bool with_link)
{
	bool is_block = strcmp(begun->kind, STORE_CASE_BLOCK) == 0;
	const char *plain = is_block ? "sending_blocked" : "sending_asked";
	const char *linked = is_block ? "sending_blocked_link" : "sending_asked_link";
	struct case_view view;
	bool counts;
	json_t *values = NULL;
	enum gp_err err = case_look(op, &view);

	if (err != GP_OK)
		return err;
	counts = with_link && release_accepts(&view.facts, RELEASE_PROOF_ADDRESS);
	err = desk_post(op, &view.account, view.account.address, plain, letter_values(begun));
	if (err != GP_OK || view.address[0] == '\0')
		return err;
	if (!counts)
		return desk_post(op, &view.account, view.address, plain, letter_values(begun));
	values = letter_values(begun);
	err = case_secret_put_link(op, view.found.id, values);
	if (err == GP_OK)
		return desk_post(op, &view.account, view.address, linked, values);
	json_decref(values);
	return err;
}

/* What core blocked it has run the hook for. Words of people begin with ours, so that none of them
 * is an option of some program. */
static void set_hook(struct desk_op *op, const struct store_case *begun)
{
	struct sending_verdict verdict;
	const char *by = sending_read(slice_str(begun->reason), &verdict) ? "" : "by hand: ";

	if (op->role != ROLE_CORE)
		(void)snprintf(op->hook, sizeof op->hook, "%s%.*s", by, DESK_HOOK_SIZE - 16,
			begun->reason);
}

/* The account may send no more, nor may what did it sign in. */
static enum gp_err block(
	struct desk_op *op, const struct store_account *account, const struct store_case *begun)
{
	struct store *store = op->vault->store;
	struct slice reason = slice_head(slice_str(begun->reason), STORE_WORDS_SIZE - 1);
	enum gp_err err = store_account_block(store, account->id, clock_wall(), reason);

	if (err == GP_OK && begun->device != 0) {
		err = store_device_remove(store, account->id, begun->device);
		err = err == GP_ERR_NOT_FOUND ? GP_OK : err;
	}
	op->effect = IPC_EFFECT_BLOCKED;
	op->device = begun->device;
	return err;
}

static enum gp_err begin_or_raise(struct desk_op *op, const struct store_account *account,
	struct store_case *begun, bool *ret_is_news)
{
	struct store *store = op->vault->store;
	bool is_block = strcmp(begun->kind, STORE_CASE_BLOCK) == 0;
	struct store_case open = { .id = 0 };
	enum gp_err err = store_case_find(store, account->id, &open);

	*ret_is_news = false;
	if (err != GP_OK && err != GP_ERR_NOT_FOUND)
		return err;
	begun->id = open.id;
	if (err == GP_OK && (!is_block || strcmp(open.kind, STORE_CASE_BLOCK) == 0))
		return GP_OK;
	*ret_is_news = true;
	begun->account = account->id;
	begun->opened_at = clock_wall();
	err = GP_OK;
	if (is_block)
		err = store_case_was_blocked(
			store, account->id, begun->opened_at - RELEASE_REPEAT, &begun->is_repeat);
	if (err != GP_OK)
		return err;
	return open.id != 0 ? store_case_raise(store, begun)
			    : store_case_open(store, begun, &begun->id);
}

enum gp_err case_open(struct desk_op *op, const struct store_account *account,
	struct store_case *begun, const json_t *sources, bool with_link)
{
	bool is_news = false;
	enum gp_err err;

	op->account = account->id;
	memcpy(op->subject, account->address, sizeof op->subject);
	err = begin_or_raise(op, account, begun, &is_news);
	if (err == GP_OK)
		err = add_sources(op, begun->id, sources);
	if (err == GP_OK && strcmp(begun->kind, STORE_CASE_BLOCK) == 0)
		err = block(op, account, begun);
	if (err == GP_OK && is_news && strcmp(begun->kind, STORE_CASE_BLOCK) == 0)
		set_hook(op, begun);
	/* Such a link, made before, would give a device password. */
	if (err == GP_OK)
		err = store_setup_end_all(op->vault->store, account->id, clock_wall());
	return err == GP_OK && is_news ? tell(op, begun, with_link) : err;
}

enum gp_err case_raise(struct desk_op *op, const struct case_view *view)
{
	struct store_case begun = view->found;

	memcpy(begun.kind, STORE_CASE_BLOCK, sizeof STORE_CASE_BLOCK);
	if (!slice_copy(op->actor, begun.opened_by, sizeof begun.opened_by))
		begun.opened_by[0] = '\0';
	/* The link that led here goes on being good. */
	return case_open(op, &view->account, &begun, NULL, false);
}

/* ---- a case ends ---- */

enum gp_err case_close(struct desk_op *op, const struct case_view *view, const char *outcome)
{
	struct store *store = op->vault->store;
	enum gp_err err = store_case_close(store, view->found.id, outcome, op->actor, clock_wall());

	if (err == GP_OK)
		err = store_account_block(store, view->account.id, 0, SLICE_LIT(""));
	if (err == GP_OK)
		err = desk_post(op, &view->account, NULL, "sending_released", NULL);
	return err;
}

/* ---- while it is open ---- */

enum gp_err case_check_roots(struct desk_op *op)
{
	struct store_case found;
	enum gp_err err = store_case_find(op->vault->store, op->asker, &found);

	if (err == GP_ERR_NOT_FOUND)
		return GP_OK;
	return err != GP_OK ? err
			    : gp_why_set(&op->why, GP_ERR_ROLE,
				      "sending is stopped: first say whether it was you");
}

enum gp_err case_check_step(
	struct desk_op *op, const char *step, struct case_view *ret_view, bool *ret_is_release)
{
	enum gp_err err;

	*ret_is_release = false;
	op->account = op->asker;
	err = case_look(op, ret_view);
	if (err == GP_ERR_NOT_FOUND)
		return GP_OK;
	if (err != GP_OK)
		return err;
	*ret_is_release = true;
	if (strcmp(case_next(ret_view), step) == 0)
		return GP_OK;
	return gp_why_set(&op->why, GP_ERR_ROLE,
		"sending is stopped: first say whether it was you, and prove it");
}
