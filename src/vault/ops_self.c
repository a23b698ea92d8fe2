/* SPDX-License-Identifier: ISC */
/* What an account sees of itself. */
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/store_case.h"
#include "store/store_recovery.h"
#include "vault/desk.h"

static enum gp_err count_device(const struct store_device *device, void *arg)
{
	unsigned *count = arg;

	(void)device;
	(*count)++;
	return GP_OK;
}

enum gp_err op_self_show(struct desk_op *op)
{
	struct store *store = op->vault->store;
	struct store_account account = { 0 };
	struct store_twofactor facts = { 0 };
	struct store_recovery_address recovery = { .address = "" };
	struct store_case found = { .kind = "" };
	unsigned codes = 0;
	unsigned devices = 0;
	enum gp_err err = desk_self(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = store_twofactor_get(store, op->asker, &facts);
	if (err == GP_OK)
		err = store_recovery_count(store, op->asker, &codes);
	if (err == GP_OK)
		err = store_device_each(store, op->asker, count_device, &devices);
	if (err == GP_OK)
		err = store_recovery_address_get(store, op->asker, clock_wall(), &recovery);
	if (err == GP_OK)
		err = store_case_find(store, op->asker, &found);
	if (err == GP_ERR_NOT_FOUND && account.id != 0)
		err = GP_OK;
	if (err != GP_OK)
		return err;
	return desk_row(op,
		json_pack("{s:s, s:s, s:s, s:b, s:o, s:s, s:o, s:o, s:i, s:i, s:s, s:s, s:s, s:o, "
			  "s:s, s:o, s:o}",
			"address", account.address, "role", account.role, "language",
			account.language, "may_send", (int)(account.blocked_at == 0), "blocked_at",
			desk_json_time(account.blocked_at), "block_reason", account.block_reason,
			"twofactor_at", desk_json_time(account.twofactor_at), "password_at",
			desk_json_time(account.password_at), "recovery_codes_left", (int)codes,
			"devices", (int)devices, "recovery_address", recovery.address,
			"recovery_address_pending", recovery.pending, "recovery_address_former",
			recovery.former, "recovery_address_former_until",
			desk_json_time(recovery.former_until), "stopped", found.kind,
			"removal_due_at", desk_json_time(facts.removal_due_at), "must",
			desk_must_json(op, &facts)));
}
