/* SPDX-License-Identifier: ISC */
/*
 * The vocabulary that all processes share: services, SASL mechanisms, sign-in verdicts and their
 * true reasons. Each list stands once here and gives the enum, the names in logs, the store and the
 * CLI, and the range check of the IPC codec. The zero value of every verdict is the safe one.
 */
#ifndef GP_BASE_TERMS_H
#define GP_BASE_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum protocol {
	PROTOCOL_SMTP,
	PROTOCOL_IMAP,
	PROTOCOL_POP3,
	PROTOCOL_HTTP,
	PROTOCOL_MAX
};

/* What a listener offers: name, protocol, standard port, TLS from the first byte (RFC 8314). */
#define SERVICE_LIST(X)                                                 \
	X(SERVICE_SMTP, "smtp", PROTOCOL_SMTP, 25, false)               \
	X(SERVICE_SUBMISSION, "submission", PROTOCOL_SMTP, 587, false)  \
	X(SERVICE_SUBMISSIONS, "submissions", PROTOCOL_SMTP, 465, true) \
	X(SERVICE_IMAP, "imap", PROTOCOL_IMAP, 143, false)              \
	X(SERVICE_IMAPS, "imaps", PROTOCOL_IMAP, 993, true)             \
	X(SERVICE_POP3, "pop3", PROTOCOL_POP3, 110, false)              \
	X(SERVICE_POP3S, "pop3s", PROTOCOL_POP3, 995, true)             \
	X(SERVICE_HTTPS, "https", PROTOCOL_HTTP, 443, true)

enum service {
#define SERVICE_ENUM(name, text, protocol, port, is_tls) name,
	SERVICE_LIST(SERVICE_ENUM)
#undef SERVICE_ENUM
	SERVICE_MAX
};

/* How name and secret came. USER: IMAP LOGIN and POP3 USER/PASS. FORM: at the portal. */
#define MECHANISM_LIST(X)           \
	X(MECHANISM_NONE, "none")   \
	X(MECHANISM_USER, "user")   \
	X(MECHANISM_PLAIN, "plain") \
	X(MECHANISM_LOGIN, "login") \
	X(MECHANISM_FORM, "form")

enum mechanism {
#define TERM_ENUM(name, text) name,
	MECHANISM_LIST(TERM_ENUM) MECHANISM_MAX
};

/* What the client is told about a sign-in; the true reason stays here (enum reason). */
#define VERDICT_LIST(X)                                                                         \
	X(VERDICT_DENY, "denied") /* wrong name or password, whatever the hidden reason */      \
	X(VERDICT_OK, "ok")                                                                     \
	X(VERDICT_BANNED, "banned")             /* the source is banned, not by this attempt */ \
	X(VERDICT_DENY_BANNED, "denied+banned") /* wrong, and it was the last free attempt */   \
	X(VERDICT_BUSY, "busy")                 /* no free place within the wait */             \
	X(VERDICT_TEMPORARY, "temporary")       /* our own fault; nothing is counted */

enum verdict {
	VERDICT_LIST(TERM_ENUM) VERDICT_MAX
};

/* Why, in words, as `gatepost signin list` shows it. The text is for people; the name in the store
 * and in JSON is the second column. */
#define REASON_LIST(X)                                                                             \
	X(REASON_NONE, "none", "no reason recorded")                                               \
	X(REASON_OK, "ok", "signed in")                                                            \
	X(REASON_WRONG_PASSWORD, "wrong_password", "wrong password")                               \
	X(REASON_UNKNOWN_ACCOUNT, "unknown_account", "unknown name")                               \
	X(REASON_ACCOUNT_OFF, "account_off", "account switched off")                               \
	X(REASON_NO_PASSWORD, "no_password", "account has no password")                            \
	X(REASON_TWOFACTOR, "twofactor", "right password, but 2FA is on: needs a device password") \
	X(REASON_CODE, "code", "right password, but a wrong code of the second step")              \
	X(REASON_WRONG_DEVICE, "wrong_device", "unknown or revoked device password")               \
	X(REASON_DEVICE_SCOPE, "device_scope", "device password not valid for this protocol")      \
	X(REASON_UNCHECKED, "unchecked",                                                           \
		"not checked: too many wrong passwords for the account from unknown addresses")    \
	X(REASON_REPEATED, "repeated", "same wrong password again, counted once")                  \
	X(REASON_BANNED, "banned", "address banned")                                               \
	X(REASON_WAITED, "waited", "too many attempts at once from the address")                   \
	X(REASON_QUEUE_FULL, "queue_full", "sign-in queue full")                                   \
	X(REASON_VAULT, "vault", "vault not answering")                                            \
	X(REASON_STORE, "store", "store not available")                                            \
	X(REASON_CORE, "core", "core not available")                                               \
	X(REASON_BACKEND, "backend", "mail server not available")                                  \
	X(REASON_BACKEND_REFUSED, "backend_refused", "mail server refused the token")              \
	X(REASON_NO_TLS, "no_tls", "sign-in without TLS")                                          \
	X(REASON_MECHANISM, "mechanism", "mechanism not offered (\"secure password\"?)")           \
	X(REASON_LIMIT, "limit", "too many commands or attempts on one connection")                \
	X(REASON_TLS_ON_PLAIN_PORT, "tls_on_plain_port", "TLS hello on a STARTTLS port")           \
	X(REASON_PLAIN_ON_TLS_PORT, "plain_on_tls_port", "plain text on a TLS port")               \
	X(REASON_HTTP, "http", "HTTP on a mail port")                                              \
	X(REASON_TLS_FAILED, "tls_failed", "TLS handshake failed")                                 \
	X(REASON_PROXY_HEADER, "proxy_header", "missing or malformed PROXY header")                \
	X(REASON_SIGNIN_REQUIRED, "signin_required", "wanted to send without signing in")          \
	X(REASON_LEFT, "left", "went away without trying to sign in")                              \
	X(REASON_BLOCKED, "blocked", "account blocked from sending")                               \
	X(REASON_BARE_LINE_END, "bare_line_end", "message with a bare CR or LF")                   \
	X(REASON_CRASHED, "crashed", "a front worker died while serving the address")

enum reason {
#define REASON_ENUM(name, text, words) name,
	REASON_LIST(REASON_ENUM)
#undef REASON_ENUM
	REASON_MAX
};

/* What a device password may be used for; a bit mask in the store. */
enum scope {
	SCOPE_NONE = 0, /* the portal: no device password opens it */
	SCOPE_IMAP = 1,
	SCOPE_POP3 = 2,
	SCOPE_SMTP = 4,
	SCOPE_ALL = 7
};

/*
 * What an account may do at the portal and through the API, least first: each may all that stands
 * before it. The first three are no roles but states on the way in: nobody signed in; the password
 * was right and a code is awaited; signed in by a recovery code, so that 2FA and the password must
 * be set anew first. The last one is nobody's: core asks with it.
 */
#define ROLE_LIST(X)                                                                   \
	X(ROLE_GUEST, "guest")                                                         \
	X(ROLE_PENDING, "pending")                                                     \
	X(ROLE_RECOVERY, "recovery")                                                   \
	X(ROLE_USER, "user")                                                           \
	X(ROLE_DOMAIN_ADMIN, "domain-admin") /* staff, for accounts of some domains */ \
	X(ROLE_STAFF, "staff")                                                         \
	X(ROLE_ADMIN, "admin")                                                         \
	X(ROLE_CORE, "core")

enum role {
	ROLE_LIST(TERM_ENUM) ROLE_MAX
};

/* What core says to MAIL, RCPT and a From: field. */
#define PERMIT_LIST(X)                                                                        \
	X(PERMIT_NO, "no") /* 550 5.7.1: sign in to send */                                   \
	X(PERMIT_YES, "yes")                                                                  \
	X(PERMIT_BLOCKED, "blocked")     /* 554: account blocked for abuse */                 \
	X(PERMIT_TEMPORARY, "temporary") /* 451: our own fault */                             \
	X(PERMIT_NOT_OWN, "not_own")     /* 553 5.7.1: not a sender address of the account */ \
	X(PERMIT_LIMIT, "limit")         /* 450 4.7.1: a sending limit is reached */          \
	X(PERMIT_SLOW, "slow")           /* 450 4.7.1: not so fast */                         \
	X(PERMIT_ASKED, "asked")         /* 450 4.7.1: until the owner has answered */        \
	X(PERMIT_SIZE, "size")           /* 552 5.3.4: larger than the account may send */

enum permit {
	PERMIT_LIST(TERM_ENUM) PERMIT_MAX
};

/* What became of one recipient at the next hop. */
#define RCPT_OUTCOME_LIST(X)                                                  \
	X(RCPT_REFUSED, "refused") /* for a reason that says nothing of it */ \
	X(RCPT_UNKNOWN, "unknown") /* there is no such mailbox */             \
	X(RCPT_SPAM, "spam")       /* refused as spam */                      \
	X(RCPT_DELIVERED, "delivered")

enum rcpt_outcome {
	RCPT_OUTCOME_LIST(TERM_ENUM) RCPT_OUTCOME_MAX
};

/* What became of what an account wanted to send. Of the first two there is one for each
 * transaction, of the others one for all that a session tried. */
#define SENT_LIST(X)                                           \
	X(SENT_ACCEPTED, "accepted") /* the next hop has it */ \
	X(SENT_REFUSED, "refused")   /* by the next hop */     \
	X(SENT_LIMITED, "limited")                             \
	X(SENT_SLOWED, "slowed")                               \
	X(SENT_ASKED, "asked")                                 \
	X(SENT_BLOCKED, "blocked")

enum sent_outcome {
	SENT_LIST(TERM_ENUM) SENT_MAX
};

/* What the spam filter said of a message. */
#define FILTER_LIST(X)                                                   \
	X(FILTER_NONE, "none") /* it was not asked, or did not answer */ \
	X(FILTER_CLEAN, "clean")                                         \
	X(FILTER_DOUBTFUL, "doubtful")                                   \
	X(FILTER_BAD, "bad")

enum filter {
	FILTER_LIST(TERM_ENUM) FILTER_MAX
};

/* How it went to ask it. */
#define FILTER_RESULT_LIST(X)                                          \
	X(FILTER_RESULT_OK, "ok")                                      \
	X(FILTER_RESULT_FAILED, "failed") /* not there, or nonsense */ \
	X(FILTER_RESULT_TIMEOUT, "timeout")

enum filter_result {
	FILTER_RESULT_LIST(TERM_ENUM) FILTER_RESULT_MAX
};

/* Why core closes a live session. */
#define CLOSE_LIST(X)                                 \
	X(CLOSE_BANNED, "banned")                     \
	X(CLOSE_PASSWORD_CHANGED, "password_changed") \
	X(CLOSE_DEVICE_REVOKED, "device_revoked")     \
	X(CLOSE_ACCOUNT_REMOVED, "account_removed")   \
	X(CLOSE_TWOFACTOR, "twofactor")               \
	X(CLOSE_ADMIN, "admin")

enum close_reason {
	CLOSE_LIST(TERM_ENUM) CLOSE_MAX
};
#undef TERM_ENUM

const char *service_name(enum service service);
enum protocol service_protocol(enum service service);
uint16_t service_port(enum service service);
bool service_is_tls(enum service service);
/* SERVICE_MAX if there is none of this name. */
enum service service_by_name(struct slice name);
const char *protocol_name(enum protocol protocol); /* "SMTP", "IMAP", "POP3", "HTTP" */
enum scope protocol_scope(enum protocol protocol);

const char *mechanism_name(enum mechanism mechanism);
const char *verdict_name(enum verdict verdict);
const char *reason_name(enum reason reason);
const char *reason_words(enum reason reason);
enum reason reason_by_name(struct slice name);   /* REASON_MAX if none */
enum verdict verdict_by_name(struct slice name); /* VERDICT_MAX if none */
const char *role_name(enum role role);
enum role role_by_name(struct slice name); /* ROLE_MAX if none */
const char *permit_name(enum permit permit);
const char *rcpt_outcome_name(enum rcpt_outcome outcome);
const char *sent_name(enum sent_outcome outcome);
const char *filter_name(enum filter filter);
const char *filter_result_name(enum filter_result result);
const char *close_name(enum close_reason reason);

#endif
