/* SPDX-License-Identifier: ISC */
/*
 * The commands of the SMTP server engine: one table of verbs with the states they belong to, and
 * what each does. A verb outside its states is refused by smtp_command_run(), so that no handler
 * looks at the state. Private to the engine.
 */
#ifndef GP_PROTO_SMTP_COMMAND_H
#define GP_PROTO_SMTP_COMMAND_H

#include "proto/smtp_session.h"

struct smtp_verb;

const struct smtp_verb *smtp_command_find(struct slice word); /* NULL: unknown */
/* Whether it may be taken while replies to earlier commands are owed; NULL: no. */
bool smtp_command_overtakes(
	const struct smtp_server *server, const struct smtp_verb *verb, struct slice args);
/* What DATA is answered when its transaction has come to nothing. */
void smtp_command_refuse_data(const struct smtp_server *server, struct smtp_reply *ret_reply);
/* One command line; verb NULL: an unknown one. */
void smtp_command_run(struct smtp_server *server, const struct smtp_verb *verb, struct slice args,
	struct engine_action *action);
/* One line of an AUTH exchange. */
void smtp_command_run_response(
	struct smtp_server *server, struct slice line, struct engine_action *action);

#endif
