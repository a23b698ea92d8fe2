/* SPDX-License-Identifier: ISC */
/*
 * Device passwords, one's own (self.*) and those of others.
 * Rows of the lists: id, name, scopes ["imap", ...], created_at, used_at, used_from (address, ""),
 *	used_service ("imaps", ""), used_client (what the program called itself, "")
 * The row of a new one: id, address, name, scopes, password (shown this once)
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypt/device_password.h"
#include "vault/case.h"

static const struct {
	const char *name;
	enum scope scope;
} scopes[] = { { "imap", SCOPE_IMAP }, { "pop3", SCOPE_POP3 }, { "smtp", SCOPE_SMTP } };

static json_t *scopes_json(unsigned bits)
{
	json_t *list = json_array();

	for (size_t i = 0; i < GP_ARRAY_LEN(scopes); i++) {
		if ((bits & (unsigned)scopes[i].scope) != 0)
			GP_ASSERT(json_array_append_new(list, json_string(scopes[i].name)) == 0);
	}
	return list;
}

static enum gp_err scopes_argument(struct desk_op *op, unsigned *ret_bits)
{
	const json_t *list = json_object_get(op->args, "scopes");
	unsigned bits = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct slice name = slice_str(json_string_value(json_array_get(list, i)));
		unsigned bit = 0;

		for (size_t k = 0; k < GP_ARRAY_LEN(scopes); k++) {
			if (slice_is(name, scopes[k].name))
				bit = (unsigned)scopes[k].scope;
		}
		if (bit == 0)
			return gp_why_set(
				&op->why, GP_ERR_SYNTAX, "a scope is one of imap, pop3, smtp");
		bits |= bit;
	}
	*ret_bits = bits != 0 ? bits : SCOPE_ALL;
	return GP_OK;
}

static enum gp_err insert(
	struct desk_op *op, const struct store_device *device, const char *password)
{
	uint8_t tag[DEVICE_PASSWORD_TAG_SIZE];
	enum gp_err err;

	_Static_assert(
		(int)DEVICE_PASSWORD_TAG_SIZE == (int)STORE_TAG_SIZE, "the store keeps the tag");
	device_password_tag(
		secret_slice(op->vault->pepper), device->account, slice_str(password), tag);
	err = store_device_add(op->vault->store, device, tag, clock_wall(), &op->device);
	mem_wipe(tag, sizeof tag);
	if (err == GP_ERR_LIMIT)
		err = gp_why_set(&op->why, err, "an account has at most %d device passwords",
			STORE_DEVICES_MAX);
	return err;
}

/* Whose devices: the account that "address" names, or the asker's own. */
static enum gp_err find_owner(struct desk_op *op, bool is_self, struct store_account *ret_account)
{
	enum gp_err err = is_self ? desk_self(op, ret_account) : desk_account(op, ret_account);

	mem_wipe(ret_account->password, sizeof ret_account->password);
	return err;
}

enum gp_err desk_check_device_name(struct desk_op *op, char out[static STORE_NAME_SIZE])
{
	struct slice name = slice_trim(slice_str(desk_string(op, "name")));

	if (name.len == 0 || !text_is_printable(name) || !slice_copy(name, out, STORE_NAME_SIZE))
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"the name must be one line of 1 to %d bytes", STORE_NAME_SIZE - 1);
	return GP_OK;
}

enum gp_err desk_add_device(struct desk_op *op, const struct store_account *account,
	const char *name, unsigned bits, char password[static DEVICE_PASSWORD_TEXT_SIZE])
{
	struct store_device device = { .account = account->id, .scopes = bits };
	enum gp_err err;

	GP_ASSERT(slice_copy(slice_str(name), device.name, sizeof device.name));
	device_password_make(password);
	err = insert(op, &device, password);
	if (err == GP_OK)
		err = desk_post(
			op, account, NULL, "device_added", json_pack("{s:s}", "name", device.name));
	return err;
}

json_t *desk_device_json(const struct desk_op *op, const struct store_account *account,
	const char *name, unsigned bits, const char *password)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:s}", "id", (json_int_t)op->device, "address",
		account->address, "name", name, "scopes", scopes_json(bits), "password", password);
}

static enum gp_err add_device(struct desk_op *op, bool is_self)
{
	char password[DEVICE_PASSWORD_TEXT_SIZE] = "";
	char name[STORE_NAME_SIZE];
	struct store_account account = { 0 };
	unsigned bits = 0;
	enum gp_err err = scopes_argument(op, &bits);

	if (err == GP_OK)
		err = desk_check_device_name(op, name);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = find_owner(op, is_self, &account);
	if (err == GP_OK)
		err = desk_add_device(op, &account, name, bits, password);
	if (err == GP_OK)
		err = desk_row(op, desk_device_json(op, &account, name, bits, password));
	mem_wipe(password, sizeof password);
	return err;
}

enum gp_err op_device_add(struct desk_op *op)
{
	enum gp_err err = desk_check_secret(op);

	return err == GP_OK ? add_device(op, false) : err;
}

enum gp_err op_self_device_add(struct desk_op *op)
{
	enum gp_err err = case_check_roots(op);

	return err == GP_OK ? add_device(op, true) : err;
}

static enum gp_err device_row(const struct store_device *device, void *arg)
{
	return desk_row(arg,
		json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "id", (json_int_t)device->id,
			"name", desk_json_text(slice_str(device->name)), "scopes",
			scopes_json(device->scopes), "created_at",
			desk_json_time(device->created_at), "used_at",
			desk_json_time(device->used_at), "used_from", device->used_from,
			"used_service", device->used_service, "used_client",
			desk_json_text(slice_str(device->used_client))));
}

static enum gp_err list_devices(struct desk_op *op, bool is_self)
{
	struct store_account account = { 0 };
	enum gp_err err = find_owner(op, is_self, &account);

	return err == GP_OK ? store_device_each(op->vault->store, account.id, device_row, op) : err;
}

enum gp_err op_device_list(struct desk_op *op)
{
	return list_devices(op, false);
}

enum gp_err op_self_device_list(struct desk_op *op)
{
	return list_devices(op, true);
}

static enum gp_err revoke_device(struct desk_op *op, bool is_self)
{
	struct store_account account = { 0 };
	uint64_t device = 0;
	enum gp_err err = desk_number(op, "device", 0, &device);

	if (err != GP_OK)
		return err;
	if ((device != 0) == desk_bool(op, "all"))
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "say which device, or all");
	err = desk_begin(op);
	if (err == GP_OK)
		err = find_owner(op, is_self, &account);
	if (err != GP_OK)
		return err;
	err = store_device_remove(op->vault->store, account.id, device);
	op->effect = IPC_EFFECT_DEVICE;
	op->device = device;
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(
			&op->why, err, "%.200s has no such device password", account.address);
	return err;
}

enum gp_err op_device_revoke(struct desk_op *op)
{
	return revoke_device(op, false);
}

enum gp_err op_self_device_revoke(struct desk_op *op)
{
	return revoke_device(op, true);
}
