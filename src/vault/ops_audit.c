/* SPDX-License-Identifier: ISC */
/* audit.list, audit.note and audit.verify; rows in ops.def. */
#include <string.h>

#include "base/check.h"
#include "base/encode.h"
#include "vault/audit.h"
#include "vault/desk.h"

static const struct {
	const char *name;
	const char *words;
} faults[AUDIT_FAULT_MAX] = {
#define AUDIT_NAME(id, text, words) [id] = { text, words },
	AUDIT_FAULT_LIST(AUDIT_NAME)
#undef AUDIT_NAME
};

static void set_text(json_t *row, const char *key, struct slice text)
{
	GP_ASSERT(json_object_set_new(row, key, desk_json_text(text)) == 0);
}

static enum gp_err audit_row(const struct store_audit *audit, void *arg)
{
	json_t *detail = json_loadb(audit->detail.data, audit->detail.len, 0, NULL);
	json_t *row = json_pack("{s:I, s:o, s:o}", "id", (json_int_t)audit->id, "at",
		desk_json_time(audit->at), "detail", detail != NULL ? detail : json_object());

	GP_ASSERT(row != NULL);
	set_text(row, "actor", audit->actor);
	set_text(row, "operation", audit->operation);
	set_text(row, "account", audit->account);
	return desk_row(arg, row);
}

/* An operation of place CORE was done. */
enum gp_err op_audit_note(struct desk_op *op)
{
	enum ops_id id = ops_by_name(slice_str(desk_string(op, "operation")));
	const char *text = desk_string(op, "detail");
	json_t *detail = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	enum gp_err err = GP_ERR_SYNTAX;

	if (id < OPS_MAX && json_is_object(detail))
		err = desk_audit(op->vault, slice_str(desk_string(op, "by")), id, 0, "", detail);
	json_decref(detail);
	return err;
}

enum gp_err op_audit_list(struct desk_op *op)
{
	const char *account = desk_string(op, "account");
	char address[STORE_ADDRESS_SIZE] = "";
	uint64_t limit;
	uint64_t before = 0;
	enum gp_err err = desk_limit(op, &limit);

	if (err == GP_OK)
		err = desk_number(op, "before", 0, &before);
	if (err == GP_OK && account != NULL)
		err = desk_old_address(op->vault, slice_str(account), address, &op->why);
	return err == GP_OK ? store_audit_each(op->vault->store, slice_str(address), before, limit,
				      audit_row, op)
			    : err;
}

/* ---- audit.verify ---- */

const char *desk_hex(const uint8_t hash[static CHAIN_SIZE], char out[static 2 * CHAIN_SIZE + 1])
{
	struct buf text;

	buf_init(&text, 2 * CHAIN_SIZE);
	GP_ASSERT(encode_hex(slice_of(hash, CHAIN_SIZE), &text) == GP_OK);
	GP_ASSERT(slice_copy(buf_slice(&text), out, 2 * CHAIN_SIZE + 1));
	buf_fini(&text);
	return out;
}

/* "record" and "hash", which belong together. */
static enum gp_err noted_arguments(
	struct desk_op *op, uint64_t *ret_record, uint8_t out[static CHAIN_SIZE])
{
	const char *hash = desk_string(op, "hash");
	struct buf bytes;
	enum gp_err err = desk_number(op, "record", 0, ret_record);

	if (err != GP_OK)
		return err;
	if ((hash != NULL) != (*ret_record != 0))
		return gp_why_set(
			&op->why, GP_ERR_SYNTAX, "\"record\" and \"hash\" belong together");
	if (hash == NULL)
		return GP_OK;
	buf_init(&bytes, 2 * CHAIN_SIZE);
	err = decode_hex(slice_str(hash), &bytes);
	if (err == GP_OK && buf_slice(&bytes).len == CHAIN_SIZE)
		memcpy(out, buf_slice(&bytes).data, CHAIN_SIZE);
	else
		err = gp_why_set(&op->why, GP_ERR_SYNTAX, "\"hash\" is %d digits", 2 * CHAIN_SIZE);
	buf_fini(&bytes);
	return err;
}

enum gp_err op_audit_verify(struct desk_op *op)
{
	struct audit_report report = { .fault = AUDIT_WHOLE };
	uint8_t hash[CHAIN_SIZE] = { 0 };
	char hex[2 * CHAIN_SIZE + 1];
	uint64_t record = 0;
	enum gp_err err = noted_arguments(op, &record, hash);

	if (err == GP_OK)
		err = audit_verify(op->vault, record, hash, &report);
	if (err != GP_OK)
		return err;
	return desk_row(op,
		json_pack("{s:b, s:s, s:s, s:o, s:I, s:I, s:I, s:s}", "ok",
			report.fault == AUDIT_WHOLE, "fault", faults[report.fault].name, "why",
			faults[report.fault].words, "record",
			report.record != 0 ? json_integer((json_int_t)report.record) : json_null(),
			"records", (json_int_t)report.records, "earlier",
			(json_int_t)report.earlier, "last", (json_int_t)report.last, "hash",
			desk_hex(report.hash, hex)));
}
