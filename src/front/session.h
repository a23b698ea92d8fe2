/* SPDX-License-Identifier: ISC */
/*
 * One client connection, from accept to its end: identity, deadlines, TLS, the question that is
 * with core. What is spoken is its protocol's (front_mailbox.c, front_smtp.c,
 * front_https.c).
 *
 *	new --> [implicit TLS] --> begin() --> unsettled --[session_settle]--> settled
 *	new --> begin(), if it speaks first --> [implicit TLS] --> unsettled
 *	any --[session_say_last, session_finish]--> finishing --> over
 *
 * Unsettled sessions have login_timeout from their start and give way to new ones when a front is
 * full; settled ones may be idle for as long as their protocol allows. A session that is over stays
 * in memory until the end of the loop's turn, deaf: whoever may have ended it checks is_over.
 */
#ifndef GP_FRONT_SESSION_H
#define GP_FRONT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/map.h"
#include "front/front.h"
#include "front/last_words.h"
#include "net/conn.h"
#include "proto/engine.h"
#include "proto/haproxy.h"

enum {
	/* Before sign-in: an engine needs a whole line. */
	SESSION_INPUT_MAX = ENGINE_LINE_MAX + 4096,
	SESSION_OUTPUT_MAX = 64 * 1024,
	SESSION_INPUT_SETTLED_MAX = 64 * 1024,
};

/* At most one question of a session is with core at a time. */
enum session_question {
	SESSION_ASKS_NOTHING,
	SESSION_ASKS_SIGNIN,
	SESSION_ASKS_MAIL,
	SESSION_ASKS_RCPT,
	SESSION_ASKS_FROM,
	SESSION_ASKS_END,
};

struct session;

struct session_protocol {
	enum protocol protocol;
	/* Who speaks first may begin while implicit TLS is still coming up: what begin() sends then
	 * must be for every stranger (conn_allow_early()). */
	bool speaks_first;
	/* The line is ready, with TLS if it is implicit: makes session->shell. */
	void (*begin)(struct session *session);
	void (*on_input)(struct session *session);
	void (*on_drained)(struct session *session);
	void (*on_tls)(struct session *session); /* after STARTTLS */
	/* Answers of core, or TEMPORARY made here while it is gone. */
	void (*on_signin)(struct session *session, const struct ipc_signin_reply *reply);
	void (*on_mail)(struct session *session, const struct ipc_mail_reply *reply);
	void (*on_rcpt)(struct session *session, const struct ipc_rcpt_reply *reply);
	void (*on_from)(struct session *session, const struct ipc_from_reply *reply);
	void (*on_end)(struct session *session, const struct ipc_end_reply *reply);
	/* What core said of MAIL must be asked anew. NULL: nobody asks. */
	void (*on_lease_end)(struct session *session);
	/* Core is gone with all it knew; answers made here follow. NULL: nothing to do. */
	void (*on_core_gone)(struct session *session);
	/* The connection is gone. true: something of it must still come to its end (the next hop's
	 * word on a message); the protocol then calls session_end(). */
	bool (*on_gone)(struct session *session);
	/* Sends this line, "" for none, and ends; the session is over or finishing afterwards. */
	void (*say_last)(struct session *session, struct slice line);
	bool (*is_waiting)(const struct session *session); /* for us, so no deadline runs */
	bool (*is_idle)(struct session *session);          /* may be closed at shutdown */
	/* clock_steady(). NULL: login_timeout until it is settled, then so long idle. */
	int64_t (*deadline)(const struct session *session);
	void (*destroy)(struct session *session);
};

/* Who signed in: what core must hear again after a restart. */
struct session_person {
	uint64_t account;
	uint64_t device;
	char *address;
	char *client_name;
	int64_t since;
};

struct session {
	struct front *front;
	uint64_t id;
	struct map_node node;
	TAILQ_ENTRY(session) unsettled;
	struct settings *settings;
	const struct config_listener *listener;
	unsigned listener_index;
	struct haproxy_header peer; /* both ends of the client's connection */
	char client_text[IP_TEXT_SIZE];
	const char *tls_text; /* TLS version, "" without */
	struct conn *conn;    /* NULL: gone, or in a relay */
	const struct session_protocol *protocol;
	void *shell; /* the protocol's state; NULL before begin() */
	struct session_person *person;
	struct loop_timer timer;
	int64_t started;      /* clock_steady() */
	int64_t last_active;  /* the same */
	uint64_t from_client; /* bytes of a relay that has ended */
	uint64_t from_backend;
	enum session_question question;
	bool is_known;       /* to core */
	bool is_fault_noted; /* core knows that we could not pass its mail on */
	bool has_spoken;     /* the client said something, or TLS came up */
	bool has_tried;      /* a sign-in was asked, or core was told why there was none */
	bool is_settled;
	bool is_in_handshake;
	bool is_paused;
	bool is_finishing;
	bool is_over;
	struct loop_task reap;
};

struct session_table *session_table_new(struct loop *loop);
void session_table_free(struct session_table **ptable);
size_t session_count(const struct front *front);

/* Takes *fd. peer: addresses as accept() or the PROXY header gave them. */
void session_new(struct front *front, struct settings *settings, unsigned listener, int *fd,
	const struct haproxy_header *peer);
struct session *session_find(const struct front *front, uint64_t id); /* NULL if it is over */
void session_each(struct front *front, void (*visit)(struct map_node *node, void *arg), void *arg);
uint64_t session_take_id(struct front *front);

/* Ends the oldest session that has not signed in, if there is one, to make room. */
bool session_can_evict(const struct front *front);
void session_evict(struct front *front);
/* One that is not settled takes its place behind all others that may have to go. */
void session_yield(struct session *session);
/* At shutdown: closes what is idle, everything if is_all. */
void session_drain(struct front *front, bool is_all);

/* The last line, then the end; why: for LAST_WORDS_CLOSED. */
void session_say_last(
	struct session *session, enum last_words words, enum close_reason why, int64_t ban_ms);
/* Sends what waits, then closes; nothing more is read. */
void session_finish(struct session *session);
/* At once. */
void session_end(struct session *session, const char *why);

/* For the protocols. */

/* Sends what stands in an engine's output. false: the session is over. */
bool session_send(struct session *session, struct buf *output);
/* Pauses and resumes reading from the client. */
void session_pause(struct session *session);
void session_resume(struct session *session);
/* After STARTTLS was answered and the input consumed; false: the session is over. */
bool session_start_tls(struct session *session);
/* From now on so many bytes of input may wait; for message bodies SESSION_INPUT_SETTLED_MAX. */
void session_take_input(struct session *session, size_t max);
void session_take_large_input(struct session *session);

/* It was let in: VERDICT_OK. */
void session_set_person(
	struct session *session, const struct ipc_signin_reply *reply, const char *client_name);
void session_drop_person(struct session *session);
/* From now on idle time counts, and no longer the time since the start. */
void session_settle(struct session *session);

/* Fills what engines of all protocols want to know, and what replies say. */
void session_fill_conf(const struct session *session, struct engine_server_conf *ret_conf);
void session_fill_facts(
	const struct session *session, int64_t ban_ms, struct reply_facts *ret_facts);
unsigned session_ban_minutes(int64_t ban_ms); /* rounded up */
/* Of the ban of its address; the session's own if that is over already. */
uint64_t session_ban_reference(const struct session *session);

#endif
