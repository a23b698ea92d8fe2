/* SPDX-License-Identifier: ISC */
/*
 * IMAP server engine up to sign-in: RFC 9051 and 3501 (CAPABILITY, NOOP, ID of RFC 2971, STARTTLS,
 * LOGIN with atoms, quoted strings and both literal forms of RFC 7888, AUTHENTICATE PLAIN and LOGIN
 * with and without SASL-IR of RFC 4959, LOGOUT, LOGINDISABLED). Every other command is BAD or NO
 * here. After the sign-in its input is the backend's.
 */
#ifndef GP_PROTO_IMAP_SERVER_H
#define GP_PROTO_IMAP_SERVER_H

#include "proto/login.h"

enum {
	IMAP_COMMAND_MAX = 8192, /* one command with its literals, before sign-in */
	IMAP_LITERAL_MAX = 4096, /* one literal; longer is refused without reading it */
	IMAP_TAG_MAX = 64,
};

extern const struct login_server_ops imap_server_ops;

#endif
