/* SPDX-License-Identifier: ISC */
#include "core/audit.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "core/core.h"

enum {
	NOTED_MAX = 2048,   /* bytes of arguments */
	ACTOR_SHOWN = 1024, /* an actor, written out */
};

static bool is_noted(enum ops_id id)
{
	static const enum ops_id noted[] = { OPS_ban_add, OPS_ban_remove, OPS_session_kill,
		OPS_reload, OPS_clock_advance };

	for (size_t i = 0; i < GP_ARRAY_LEN(noted); i++) {
		if (noted[i] == id)
			return true;
	}
	return false;
}

static void on_row(struct op *op, struct slice row)
{
	(void)op;
	(void)row;
}

static void on_done(struct op *op, enum gp_err err, struct slice why)
{
	(void)op;
	(void)why;
	if (err != GP_OK)
		log_error("not_in_audit", LOG_STR("error", gp_err_text(err)));
}

void audit_note(struct core *core, const struct caller *caller, enum ops_id id, json_t *args)
{
	static const struct op_events events = { on_row, on_done };
	char detail[NOTED_MAX];
	char actor[ACTOR_SHOWN];
	json_t *note = NULL;
	size_t len;

	if (!is_noted(id))
		return;
	ops_strip(id, args);
	len = json_dumpb(args, detail, sizeof detail, JSON_COMPACT);
	text_escape(caller->actor, actor, sizeof actor);
	note = json_pack("{s:s, s:s, s:s%}", "operation", ops_entry(id)->name, "by", actor,
		"detail", len <= sizeof detail ? detail : "{}", len <= sizeof detail ? len : 2);
	GP_ASSERT(note != NULL);
	if (!control_ask_vault(core, OPS_audit_note, note, &events, 0))
		log_error("not_in_audit", LOG_STR("operation", ops_entry(id)->name));
	json_decref(note);
}
