/* SPDX-License-Identifier: ISC */
/* What the parts of mailload share: its task, its results, a mail client's dialogue. */
#ifndef GP_BENCH_MAILLOAD_H
#define GP_BENCH_MAILLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream.h"

enum protocol {
	PROTOCOL_IMAP,
	PROTOCOL_POP3,
	PROTOCOL_SMTP
};

enum tls {
	TLS_NONE,
	TLS_IMPLICIT,
	TLS_STARTTLS
};

struct user {
	char *name;
	char *password;
};

struct task {
	enum protocol protocol;
	enum tls tls;
	uint16_t port;
	uint32_t source; /* first address to come from, host order; 0: any */
	unsigned long sources;
	unsigned long connections; /* at once */
	unsigned long total;       /* sessions, 0: no limit */
	unsigned long seconds;     /* 0: no limit */
	unsigned long messages;    /* sent in a session */
	size_t message_size;
	unsigned long fetches; /* in a session */
	bool is_bare;          /* connects and waits for the server's end, no more */
	bool is_wrong;         /* passwords are, a new one each time */
	bool has_ending;       /* says goodbye; else closes */
	struct user *users;
	size_t user_count;
	SSL_CTX *context;
};

/* One message with its final dot. */
struct body {
	char *bytes;
	size_t len;
};

struct dialog {
	const struct task *task;
	struct stream stream;
	unsigned tag;
	const char *stage; /* for the report of a fault */
};

enum answer {
	ANSWER_GONE,
	ANSWER_NO,
	ANSWER_YES
};

/* Connect, TLS, greeting: ready to sign in. */
bool dialog_open(struct dialog *dialog, uint32_t source);
enum answer dialog_sign_in(struct dialog *dialog, const char *name, const char *password);
/* After a sign-in. */
enum answer dialog_send_message(struct dialog *dialog, const struct body *body);
enum answer dialog_select(struct dialog *dialog);
/* Fetches the message 1 whole; adds its size to *count. */
enum answer dialog_fetch(struct dialog *dialog, unsigned long long *count);
/* Says goodbye and awaits the server's end. */
void dialog_end(struct dialog *dialog);

#endif
