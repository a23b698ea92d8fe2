/* SPDX-License-Identifier: ISC */
/*
 * What a session and core say to each other. A question that can not be asked, or whose answer is
 * lost with core, is answered TEMPORARY: our fault is never the client's.
 */
#ifndef GP_FRONT_SESSION_CORE_H
#define GP_FRONT_SESSION_CORE_H

#include "front/session.h"

void session_core_tell_open(struct session *session);
void session_core_tell_end(struct session *session); /* once; later calls say nothing */
/* A connection that never became a session: opened, noted and ended in core's eyes. */
void session_core_note_only(struct front *front, enum service service, unsigned listener,
	const struct haproxy_header *peer, enum reason reason, const char *detail);
void session_core_note(
	struct session *session, const struct engine_note *note, const char *client_name);
/* A refusal after sign-in that is our own fault: so that its reference leads to something. Once. */
void session_core_note_fault(struct session *session);

/* The next host of the server of its mailbox; the answer comes to the dial with this request. */
bool session_core_ask_host(
	struct front *front, uint64_t session, uint64_t dial, uint64_t generation, unsigned member);

/* false: no account has a name or a secret like these; the answer is "wrong", without a question.
 */
bool session_core_is_askable(const struct engine_signin *signin);

/* Questions; the answer comes by protocol->on_...(). false: core can not be asked now. */
/* dial: as in SIGNIN. */
bool session_core_ask_signin(struct session *session, const struct engine_signin *signin,
	const char *client_name, uint64_t dial);
bool session_core_ask_mail(struct session *session, struct slice sender, uint64_t size);
bool session_core_ask_rcpt(struct session *session, struct slice recipient);
/* addresses: with commas between. */
bool session_core_ask_from(struct session *session, struct slice addresses);
bool session_core_ask_end(struct session *session, enum filter filter);

/* A MAIL that was answered by a lease (smtp_lease.h), before the question of its first RCPT. */
bool session_core_tell_mail(struct session *session, struct slice sender, uint64_t size);
/* number: of the recipient, as in RCPT_DONE. */
void session_core_tell_rcpt(struct session *session, uint32_t number, enum rcpt_outcome outcome);
/* done: without its session. */
void session_core_tell_done(struct session *session, const struct ipc_message_done *done);
/* The backend did not open the mailbox after VERDICT_OK. */
void session_core_undo_signin(struct session *session, enum reason reason);

/* From core_link.c. */
void session_core_on_message(struct front *front, const struct ipc_message *message);
void session_core_on_gone(struct front *front);
void session_core_on_back(struct front *front);
/* Core was told of a session with this id, which lives. */
bool session_core_is_known(struct front *front, uint64_t id);

#endif
