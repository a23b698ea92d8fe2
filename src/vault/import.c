/* SPDX-License-Identifier: ISC */
/*
 *	op_account_import	takes the descriptor, looks at the first line
 *	  on_turn ...		reads and stages some lines; bad ones become rows
 *	  on_turn, last		finish(): everything becomes real, or nothing
 *
 * Without keep_going the first bad line decides that nothing will change; the rest of the file is
 * read all the same, so that one run shows all mistakes.
 */
#include "vault/import.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypt/device_password.h"
#include "vault/desk.h"
#include "vault/import_read.h"

struct import {
	struct vault *vault;
	uint64_t request;
	char actor[IMPORT_ACTOR_SIZE];
	int fd;
	uint64_t size;
	struct import_reader reader;
	struct loop_timer turn;
	bool is_keeping_going;
	uint64_t bad;
};

static void import_free(struct import **pimport)
{
	struct import *import = *pimport;

	loop_timer_fini(&import->turn);
	import_reader_fini(&import->reader);
	(void)close(import->fd);
	import->vault->import = NULL;
	mem_free(import);
	*pimport = NULL;
}

static void clear_stage(struct vault *vault)
{
	enum gp_err err = store_stage_clear(vault->store);

	/* The next import tries again. */
	if (err != GP_OK)
		log_warn("import_not_cleared", LOG_STR("error", gp_err_text(err)));
}

void import_cancel(struct vault *vault)
{
	if (vault->import == NULL)
		return;
	log_warn("import_cancelled", LOG_UINT("bytes", import_reader_done(&vault->import->reader)));
	import_free(&vault->import);
	clear_stage(vault);
}

static void end(
	struct import *import, enum gp_err err, const struct gp_why *why, enum ipc_effect effect)
{
	struct vault *vault = import->vault;
	uint64_t request = import->request;

	import_free(&import);
	if (err != GP_OK)
		clear_stage(vault);
	desk_send_done(vault, request, err, why, effect);
}

/* ---- one line ---- */

/* A line on its way from text to what is staged. */
struct draft {
	char address[STORE_ADDRESS_SIZE];
	char password[PWHASH_SIZE];
	bool is_off;
};

static enum gp_err make_hash(
	struct import *import, struct slice plain, struct draft *draft, struct gp_why *why)
{
	if (plain.len == 0 || plain.len > SECRET_MAX)
		return gp_why_set(why, GP_ERR_SYNTAX, "a password has 1 to %d bytes", SECRET_MAX);
	if (device_password_is_form(plain))
		return gp_why_set(why, GP_ERR_SYNTAX,
			"a password of 24 letters a-z and 2-7 would be taken for a device "
			"password");
	/* It takes long and would be thrown away. */
	if (import->bad > 0 && !import->is_keeping_going)
		return GP_OK;
	return pwhash_make(&import->vault->policy, plain, draft->password);
}

static enum gp_err take_hash(
	struct import *import, struct slice text, struct draft *draft, struct gp_why *why)
{
	struct slice plain = { 0 };
	enum gp_err err;

	draft->is_off = text.len > 0 && (text.data[0] == '!' || slice_is(text, "*"));
	while (draft->is_off && text.len > 0 && (text.data[0] == '!' || text.data[0] == '*'))
		text = slice_from(text, 1);
	if (text.len == 0)
		return GP_OK;
	err = pwhash_import(text, draft->password, &plain, why);
	return err == GP_OK && draft->password[0] == '\0' ? make_hash(import, plain, draft, why)
							  : err;
}

static enum gp_err take_secret(struct import *import, const struct import_record *record,
	struct draft *draft, struct gp_why *why)
{
	struct slice plain = record->column[IMPORT_PASSWORD];
	struct slice hash = record->column[IMPORT_HASH];

	if (plain.len > 0 && hash.len > 0)
		return gp_why_set(why, GP_ERR_SYNTAX, "both a password and a hash");
	return plain.len > 0 ? make_hash(import, plain, draft, why)
			     : take_hash(import, hash, draft, why);
}

static enum gp_err say_taken(enum gp_err err, const char *address, struct gp_why *why)
{
	if (err == GP_ERR_EXISTS)
		return gp_why_set(why, err, "%.200s exists already", address);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(why, err, "the domain of %.200s is a host alias", address);
	return err;
}

static enum gp_err stage_aliases(
	struct import *import, struct slice list, const char *account, struct gp_why *why)
{
	enum gp_err err = GP_OK;
	unsigned count = 0;

	while (err == GP_OK && list.len > 0) {
		ptrdiff_t end = slice_find(list, ';');
		struct slice one = end < 0 ? list : slice_head(list, (size_t)end);
		char address[STORE_ADDRESS_SIZE];

		list = slice_from(list, end < 0 ? list.len : (size_t)end + 1);
		if (slice_trim(one).len == 0)
			continue;
		if (++count > STORE_ALIASES_MAX)
			return gp_why_set(
				why, GP_ERR_LIMIT, "more than %d aliases", STORE_ALIASES_MAX);
		err = desk_new_address(import->vault, one, address, why);
		if (err != GP_OK)
			return err;
		err = store_stage_alias(
			import->vault->store, slice_str(address), slice_str(account));
		err = say_taken(err, address, why);
	}
	return err;
}

static enum gp_err stage(struct import *import, const struct import_record *record,
	const struct draft *draft, struct gp_why *why)
{
	struct slice role = slice_trim(record->column[IMPORT_ROLE]);
	struct slice route = slice_trim(record->column[IMPORT_ROUTE]);
	struct store_staged staged = { .address = slice_str(draft->address),
		.domain = slice_str(strrchr(draft->address, '@') + 1),
		.role = role.len > 0 ? role : SLICE_LIT("user"),
		.route = route,
		.password = draft->password,
		.is_off = draft->is_off };
	enum gp_err err = desk_check_role(staged.role, why);

	if (err == GP_OK)
		err = desk_check_route(import->vault, route, why);
	if (err != GP_OK)
		return err;
	err = store_stage_account(import->vault->store, &staged);
	if (err != GP_OK)
		return say_taken(err, draft->address, why);
	err = stage_aliases(import, record->column[IMPORT_ALIASES], draft->address, why);
	/* A line is taken whole or not at all. */
	if (err != GP_OK && store_stage_drop(import->vault->store, staged.address) != GP_OK)
		err = GP_ERR_STORE;
	return err;
}

static enum gp_err take_line(
	struct import *import, const struct import_record *record, struct gp_why *why)
{
	struct draft draft = { .is_off = false };
	enum gp_err err =
		desk_new_address(import->vault, record->column[IMPORT_ADDRESS], draft.address, why);

	if (err == GP_OK)
		err = take_secret(import, record, &draft, why);
	if (err == GP_OK)
		err = stage(import, record, &draft, why);
	mem_wipe(&draft, sizeof draft);
	return err;
}

/* Is it the line's fault, and not ours? */
static bool is_about_line(enum gp_err err)
{
	return err == GP_ERR_SYNTAX || err == GP_ERR_LIMIT || err == GP_ERR_EXISTS ||
	       err == GP_ERR_NOT_FOUND || err == GP_ERR_UNSUPPORTED;
}

static enum gp_err report(struct import *import, uint64_t line, const char *why)
{
	json_t *row;
	enum gp_err err;

	if (++import->bad > IMPORT_ERRORS_SHOWN)
		return GP_OK;
	row = json_pack("{s:I, s:s}", "line", (json_int_t)line, "error", why);
	GP_ASSERT(row != NULL);
	err = desk_send_row(import->vault, import->request, row);
	json_decref(row);
	return err;
}

/* ---- turns ---- */

/* Some lines; GP_ERR_CLOSED: the file is at its end. */
static enum gp_err take_lines(struct import *import, struct gp_why *why)
{
	int64_t until = clock_steady() + IMPORT_TURN_MS;
	enum gp_err err = GP_OK;

	for (int i = 0; err == GP_OK && i < IMPORT_TURN_LINES; i++) {
		struct import_record record;
		struct gp_why bad = { "" };

		if (i > 0 && clock_steady() >= until)
			break;
		err = import_reader_next(&import->reader, &record, &bad);
		if (err == GP_OK)
			err = take_line(import, &record, &bad);
		if (is_about_line(err)) {
			const char *text = bad.text[0] != '\0' ? bad.text : gp_err_text(err);

			err = report(import, record.line, text);
		} else if (err != GP_OK) {
			*why = bad;
		}
	}
	return err;
}

static enum gp_err send_result(struct import *import, uint64_t accounts)
{
	json_t *row = json_pack(
		"{s:I, s:I}", "imported", (json_int_t)accounts, "skipped", (json_int_t)import->bad);
	enum gp_err err;

	GP_ASSERT(row != NULL);
	err = desk_send_row(import->vault, import->request, row);
	json_decref(row);
	return err;
}

static enum gp_err make_real(struct import *import, uint64_t *ret_accounts, uint64_t *ret_domains)
{
	struct vault *vault = import->vault;
	json_t *detail = NULL;
	enum gp_err err = store_begin(vault->store, STORE_DURABLE);

	if (err != GP_OK)
		return err;
	err = store_stage_finish(vault->store, clock_wall(), ret_accounts, ret_domains);
	if (err == GP_OK) {
		detail = json_pack("{s:I, s:I}", "imported", (json_int_t)*ret_accounts, "skipped",
			(json_int_t)import->bad);
		GP_ASSERT(detail != NULL);
		err = desk_audit(
			vault, slice_str(import->actor), OPS_account_import, 0, "", detail);
		json_decref(detail);
	}
	if (err == GP_OK)
		err = store_commit(vault->store);
	else
		store_rollback(vault->store);
	audit_on_end(vault, err == GP_OK);
	return err;
}

static void finish(struct import *import)
{
	struct gp_why why = { "" };
	uint64_t accounts = 0;
	uint64_t domains = 0;
	enum gp_err err;

	if (import->bad > 0 && !import->is_keeping_going) {
		err = gp_why_set(&why, GP_ERR_SYNTAX,
			"%llu bad lines: nothing was changed (keep_going skips them)",
			(unsigned long long)import->bad);
		end(import, err, &why, IPC_EFFECT_NONE);
		return;
	}
	err = make_real(import, &accounts, &domains);
	if (err == GP_ERR_EXISTS)
		(void)gp_why_set(
			&why, err, "an address was taken while the file was read: try again");
	if (err == GP_OK && send_result(import, accounts) != GP_OK)
		log_warn("import_result_unheard", LOG_UINT("imported", accounts));
	end(import, err, &why, domains > 0 ? IPC_EFFECT_DOMAINS : IPC_EFFECT_NONE);
}

/* Staged lines are worth nothing after a power cut: no need to wait for the disk. */
static void on_turn(struct loop_timer *timer)
{
	struct import *import = timer->owner;
	struct vault *vault = import->vault;
	struct gp_why why = { "" };
	bool is_at_end;
	enum gp_err err;

	record_flush(vault);
	err = store_begin(vault->store, STORE_RELAXED);
	if (err == GP_OK) {
		err = take_lines(import, &why);
		is_at_end = err == GP_ERR_CLOSED;
		if (err == GP_OK || is_at_end)
			err = store_commit(vault->store);
		else
			store_rollback(vault->store);
	}
	if (err != GP_OK) {
		end(import, err, &why, IPC_EFFECT_NONE);
		return;
	}
	desk_send_progress(
		vault, import->request, import_reader_done(&import->reader), import->size);
	if (is_at_end)
		finish(import);
	else
		loop_timer_set(&import->turn, 0);
}

/* ---- the operation ---- */

static enum gp_err format_argument(struct desk_op *op, enum import_format *ret_format)
{
	struct slice name = slice_str(desk_string(op, "format"));

	if (name.len == 0)
		*ret_format = IMPORT_FORMAT_AUTO;
	else if (slice_is(name, "csv"))
		*ret_format = IMPORT_FORMAT_CSV;
	else if (slice_is(name, "passwd"))
		*ret_format = IMPORT_FORMAT_PASSWD;
	else
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "the format must be csv or passwd");
	return GP_OK;
}

/* A pipe would make the whole desk wait for whoever writes to it. */
static enum gp_err check_file(struct desk_op *op, uint64_t *ret_size)
{
	struct stat info;

	if (*op->fd < 0)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "no file came along");
	if (fstat(*op->fd, &info) != 0 || !S_ISREG(info.st_mode))
		return gp_why_set(&op->why, GP_ERR_UNSUPPORTED, "that is no regular file");
	*ret_size = (uint64_t)info.st_size;
	return GP_OK;
}

enum gp_err op_account_import(struct desk_op *op)
{
	struct import *import = NULL;
	enum import_format format = IMPORT_FORMAT_AUTO;
	uint64_t size = 0;
	enum gp_err err = format_argument(op, &format);

	if (err == GP_OK)
		err = check_file(op, &size);
	if (err == GP_OK && op->vault->import != NULL)
		err = gp_why_set(&op->why, GP_ERR_BUSY, "another import is under way");
	if (err == GP_OK)
		err = store_stage_clear(op->vault->store);
	if (err != GP_OK)
		return err;
	import = mem_new(1, sizeof *import);
	*import = (struct import){ .vault = op->vault,
		.request = op->request,
		.fd = *op->fd,
		.size = size,
		.is_keeping_going = desk_bool(op, "keep_going") };
	*op->fd = -1;
	if (!slice_copy(op->actor, import->actor, sizeof import->actor))
		import->actor[0] = '\0';
	loop_timer_init(op->vault->loop, &import->turn, on_turn, import);
	err = import_reader_init(&import->reader, import->fd, format, &op->why);
	if (err != GP_OK) {
		import_free(&import);
		return err;
	}
	op->vault->import = import;
	op->is_going_on = true;
	loop_timer_set(&import->turn, 0);
	return GP_OK;
}
