/* SPDX-License-Identifier: ISC */
/*
 * SMTP: the dialogue stays ours to the end of the session. The engine (proto/smtp_server.h) parses,
 * core permits, the next hop (smtp_transaction.h) takes the message; this performs what the engine
 * asks for.
 */
#ifndef GP_FRONT_FRONT_SMTP_H
#define GP_FRONT_FRONT_SMTP_H

#include "front/session.h"

extern const struct session_protocol front_smtp_protocol;

#endif
