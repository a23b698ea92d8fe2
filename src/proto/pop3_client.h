/* SPDX-License-Identifier: ISC */
/*
 * POP3 client engine towards a backend: greeting, STLS, XCLIENT with the client's address (Dovecot:
 * only if the greeting names it), CAPA, AUTH. Assumes a hostile backend.
 */
#ifndef GP_PROTO_POP3_CLIENT_H
#define GP_PROTO_POP3_CLIENT_H

#include "proto/login.h"

enum {
	POP3_CLIENT_LINE_MAX = 1024,
	POP3_CLIENT_LINES_MAX = 100, /* of the CAPA answer */
};

extern const struct login_client_ops pop3_client_ops;

#endif
