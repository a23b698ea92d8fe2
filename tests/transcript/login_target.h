/* SPDX-License-Identifier: ISC */
/*
 * Transcripts of the engines that end at sign-in, IMAP's and POP3's.
 *
 * Settings: "engine client" (towards a backend; default: server). For a server: tls, starttls,
 * plaintext (yes or no), service, commands, attempts, reference. For a client: credential (token,
 * master, passthrough), starttls, tell (yes or no), address, user, secret.
 *
 * Actions of a server:  ASK: SIGNIN mechanism login secret | NOTE: reason detail | STARTTLS | CLOSE
 * TELL to a server:     ok [capabilities] [= words] | denied | banned 29 [reference] |
 * denied+banned 30 | busy | temporary | abort words Actions of a client:  STARTTLS | READY:
 * capabilities = words | REFUSED: words | FAILED: words; READY+FILTER: where the session must be
 * filtered After STARTTLS, TLS is up. "TELL: name text" fails unless the mail program has called
 * itself so.
 */
#ifndef GP_TESTS_LOGIN_TARGET_H
#define GP_TESTS_LOGIN_TARGET_H

#include "proto/login.h"

int login_target_main(enum protocol protocol, const struct login_server_ops *server_ops,
	const struct login_client_ops *client_ops, int argc, char **argv);

#endif
