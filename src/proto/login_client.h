/* SPDX-License-Identifier: ISC */
/*
 * What the IMAP and POP3 client engines have in common, embedded in each: a copy of what they are
 * to say, bounded lines, SASL messages, and the event that waits for the shell. Internal to proto.
 */
#ifndef GP_PROTO_LOGIN_CLIENT_H
#define GP_PROTO_LOGIN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"
#include "base/secret.h"
#include "proto/login.h"
#include "proto/sasl.h"

enum {
	LOGIN_CLIENT_OUTPUT_MAX = 16 * 1024,
	LOGIN_CLIENT_TOKEN_MAX = 4096, /* bytes of a secret; a password is shorter */
	LOGIN_CLIENT_SESSION_SIZE = 64,
};

enum login_mechanism {
	LOGIN_MECHANISM_NONE,
	LOGIN_MECHANISM_OAUTHBEARER,
	LOGIN_MECHANISM_XOAUTH2,
	LOGIN_MECHANISM_PLAIN,
};

struct login_client {
	enum login_credential credential;
	bool want_starttls;
	bool tell_client;
	bool is_tls; /* by STARTTLS; what was there before is not our concern */
	uint16_t client_port;
	uint16_t local_port;
	char address[SASL_LOGIN_MAX + 1];
	char user[SASL_LOGIN_MAX + 1];
	char client_address[IP_TEXT_SIZE];
	char local_address[IP_TEXT_SIZE];
	char session[LOGIN_CLIENT_SESSION_SIZE];
	struct buf secret; /* wiped once sent */
	struct buf output; /* secret */
	struct buf line;   /* what of the current line is there; may echo a secret */
	struct buf text;   /* of the event */
	enum engine_event_type event;
	bool is_misused; /* create() was given what cannot be said: nothing works */
};

void login_client_init(
	struct login_client *client, const struct login_client_conf *conf, size_t line_max);
void login_client_fini(struct login_client *client);

/* Moves bytes from the front of *rest to the line, up to and with LF. true: a line is there,
 * *ret_line without its CRLF, until login_client_drop_line(). A line that is too long, holds a NUL
 * or ends in a bare LF makes the event FAILED. */
bool login_client_read_line(
	struct login_client *client, struct slice *rest, struct slice *ret_line);
void login_client_drop_line(struct login_client *client);

/* Appends to the output, all or (FAILED) nothing. */
void login_client_send(struct login_client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for bytes that may be secret, without a copy left behind. */
void login_client_send_bytes(struct login_client *client, struct slice bytes);

/* What is best of these for the credential; NONE if nothing is. */
enum login_mechanism login_client_choose(
	const struct login_client *client, bool has_oauthbearer, bool has_xoauth2, bool has_plain);
const char *login_mechanism_name(enum login_mechanism mechanism);
/* Appends the mechanism's message in base64 to out, which is to be a secret buffer. */
enum gp_err login_client_sasl(const struct login_client *client, enum login_mechanism mechanism,
	struct buf *out) GP_CHECKED;
/* What a challenge that tells of failure is answered with: an OAUTHBEARER or XOAUTH2 server has
 * said why in it and says no after this. NULL: the mechanism has no such challenge. */
const char *login_mechanism_failure_answer(enum login_mechanism mechanism);
/* The secret has been sent. */
void login_client_forget(struct login_client *client);

/* The event to come, with words (cut to REPLY_LINE_MAX) that become its text. */
void login_client_set_event(
	struct login_client *client, enum engine_event_type event, struct slice words);
void login_client_fail(struct login_client *client, const char *words);

/* Whether list (words with spaces between) has this word, in any case. */
bool login_client_has_word(struct slice list, const char *word);

#endif
