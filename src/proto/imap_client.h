/* SPDX-License-Identifier: ISC */
/*
 * IMAP client engine towards a backend: greeting, STARTTLS, ID with the client's address,
 * AUTHENTICATE, and the capabilities that it offers a signed-in client. Assumes a hostile backend:
 * lines and literals are bounded.
 */
#ifndef GP_PROTO_IMAP_CLIENT_H
#define GP_PROTO_IMAP_CLIENT_H

#include "proto/login.h"

enum {
	IMAP_CLIENT_LINE_MAX = 8192,
	IMAP_CLIENT_LINES_MAX = 100, /* untagged lines before sign-in */
};

extern const struct login_client_ops imap_client_ops;

#endif
