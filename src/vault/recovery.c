/* SPDX-License-Identifier: ISC */
#include "vault/recovery.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

void recovery_hint(const char *address, char out[static STORE_ADDRESS_SIZE])
{
	ptrdiff_t at = slice_find_last(slice_str(address), '@');

	out[0] = '\0';
	if (at > 0)
		(void)snprintf(out, STORE_ADDRESS_SIZE, "%.1s***%.300s", address, address + at);
}

static const char *kind_of(
	const struct store_recovery_address *was, const struct store_recovery_address *is)
{
	bool was_held = was->former[0] != '\0';

	if (is->former[0] == '\0')
		return was_held ? "recovery_restored" : "recovery_added";
	return is->address[0] != '\0' ? "recovery_changed" : "recovery_removed";
}

static json_t *values_of(const struct desk_op *op, const struct store_recovery_address *is)
{
	char address[STORE_ADDRESS_SIZE];
	char former[STORE_ADDRESS_SIZE];
	char until[CLOCK_TEXT_SIZE];
	char source[IP_TEXT_SIZE];
	json_t *values = NULL;

	recovery_hint(is->address, address);
	recovery_hint(is->former, former);
	values = json_pack("{s:s, s:s, s:s, s:s, s:o}", "address", address, "former", former,
		"until", clock_format(is->former_until, until), "source",
		ip_format(&op->source, source), "client", desk_json_text(op->client_name));
	GP_ASSERT(values != NULL);
	return values;
}

static enum gp_err tell_one(struct desk_op *op, const struct store_account *account,
	const char *recipient, const char *kind, const struct store_recovery_address *is)
{
	return recipient[0] != '\0' ? desk_post(op, account, recipient, kind, values_of(op, is))
				    : GP_OK;
}

enum gp_err recovery_tell(struct desk_op *op, const struct store_account *account,
	const struct store_recovery_address *was)
{
	struct store_recovery_address is = { .address = "" };
	const char *kind = NULL;
	enum gp_err err =
		store_recovery_address_get(op->vault->store, account->id, clock_wall(), &is);

	if (err != GP_OK || strcmp(was->address, is.address) == 0)
		return err;
	kind = kind_of(was, &is);
	err = tell_one(op, account, account->address, kind, &is);
	if (err == GP_OK)
		err = tell_one(op, account, was->address, kind, &is);
	/* Whoever changes it twice does not keep the first one's owner from hearing of it. */
	if (err == GP_OK)
		err = tell_one(op, account, was->former, kind, &is);
	return err;
}

enum gp_err recovery_restore(struct desk_op *op, const struct store_account *account)
{
	struct store *store = op->vault->store;
	struct store_recovery_address was = { .address = "" };
	int64_t now = clock_wall();
	enum gp_err err = store_recovery_address_get(store, account->id, now, &was);

	if (err == GP_OK)
		err = store_recovery_address_restore(store, account->id, now);
	return err == GP_OK ? recovery_tell(op, account, &was) : err;
}
