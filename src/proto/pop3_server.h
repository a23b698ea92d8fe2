/* SPDX-License-Identifier: ISC */
/*
 * POP3 server engine up to sign-in: RFC 1939 (USER, PASS, NOOP, QUIT), 2449 (CAPA, response codes),
 * 2595 (STLS), 5034 (AUTH PLAIN and LOGIN, with and without initial response). A password may hold
 * spaces: it is the rest of the line.
 */
#ifndef GP_PROTO_POP3_SERVER_H
#define GP_PROTO_POP3_SERVER_H

#include "proto/login.h"

enum {
	POP3_LINE_MAX = 2048 /* of a command that is not AUTH */
};

extern const struct login_server_ops pop3_server_ops;

#endif
