/* SPDX-License-Identifier: ISC */
/* Letters to the people whom an operation concerns. */
#include "base/check.h"
#include "base/clock.h"
#include "store/store_recovery.h"
#include "vault/desk.h"

static enum gp_err post(struct vault *vault, const struct store_account *account,
	const char *recipient, const char *kind, const char *language, json_t *values)
{
	const struct outbox_post letter = { .account = account->id,
		.recipient = recipient,
		.kind = kind,
		.language = account->language[0] != '\0' ? account->language : language,
		.values = values };

	return outbox_post(vault, &letter);
}

enum gp_err desk_post_for(struct vault *vault, const struct store_account *account,
	const char *recipient, const char *kind, const char *language, json_t *values)
{
	struct store_recovery_address recovery = { .address = "" };
	enum gp_err err = GP_OK;

	values = values != NULL ? values : json_object();
	GP_ASSERT(json_object_set_new(values, "account", json_string(account->address)) == 0);
	if (recipient == NULL)
		err = store_recovery_address_get(
			vault->store, account->id, clock_wall(), &recovery);
	if (err == GP_OK)
		err = post(vault, account, recipient != NULL ? recipient : account->address, kind,
			language, values);
	if (err == GP_OK && recovery.address[0] != '\0')
		err = post(vault, account, recovery.address, kind, language, values);
	if (err == GP_OK && recovery.former[0] != '\0')
		err = post(vault, account, recovery.former, kind, language, values);
	json_decref(values);
	return err;
}

enum gp_err desk_post(struct desk_op *op, const struct store_account *account,
	const char *recipient, const char *kind, json_t *values)
{
	char language[STORE_LANGUAGE_SIZE] = "";

	/* Who never chose one is written to in that of his browser; the staff's says nothing. */
	if (op->asker == account->id && !slice_copy(op->language, language, sizeof language))
		language[0] = '\0';
	op->has_posted = true;
	return desk_post_for(op->vault, account, recipient, kind, language, values);
}
