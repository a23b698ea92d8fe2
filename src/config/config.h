/* SPDX-License-Identifier: ISC */
/*
 * The configuration as the processes use it: immutable once parsed, freed as a whole. Each option's
 * meaning, unit, range and default stand once in config/schema.def, from which the parser,
 * `gatepost config show` and the manual's table are made.
 *
 * The file holds no secret: keys and passwords are in files of their own, which gatepostd reads and
 * hands to the one process that needs them.
 */
#ifndef GP_CONFIG_CONFIG_H
#define GP_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"
#include "base/terms.h"

enum config_count {
	CONFIG_COUNT_EVERY,
	CONFIG_COUNT_DISTINCT
};
enum config_tls {
	CONFIG_TLS_OFF,
	CONFIG_TLS_STARTTLS,
	CONFIG_TLS_IMPLICIT
};
enum config_backend_auth {
	CONFIG_AUTH_TOKEN,
	CONFIG_AUTH_MASTER,
	CONFIG_AUTH_PASSTHROUGH
};
enum config_backend_protocol {
	CONFIG_BACKEND_IMAP,
	CONFIG_BACKEND_POP3,
	CONFIG_BACKEND_SMTP,
	CONFIG_BACKEND_LMTP,
};
enum config_client_address { /* how a backend learns the client's address */
	CONFIG_CLIENT_NONE,
	CONFIG_CLIENT_ID, /* IMAP ID x-originating-ip, POP3 XCLIENT, SMTP XCLIENT: where offered */
	CONFIG_CLIENT_PROXY, /* PROXY protocol v2 header */
};
enum config_sending {
	CONFIG_SENDING_ENFORCE,
	CONFIG_SENDING_OBSERVE, /* judged and counted; nothing is refused */
	CONFIG_SENDING_OFF,
};
enum config_release { /* what opens sending again, besides a new password and 2FA */
	/* A proof that a stolen password lacks, unless... (policy/release.h) */
	CONFIG_RELEASE_SEEN,  /* the owner is where he was seen before the abuse */
	CONFIG_RELEASE_KNOWN, /* the same, long before */
	CONFIG_RELEASE_PASSWORD,
};
enum config_yes { /* an owner says that what was unusual was him */
	CONFIG_YES_LEARN,
	CONFIG_YES_STAFF, /* they look at it first */
};
enum config_sts { /* RFC 8461 section 3.2 */
	CONFIG_STS_NONE,
	CONFIG_STS_TESTING,
	CONFIG_STS_ENFORCE
};
enum config_log {
	CONFIG_LOG_STDERR,
	CONFIG_LOG_SYSLOG
};

struct config_nets {
	struct ip_net *nets;
	size_t count;
};

struct config_strings {
	char **items;
	size_t count;
};

/* listener NAME { ... } */
struct config_listener {
	char *name;
	enum service service;
	struct config_strings addresses; /* "192.0.2.1", "::"; "*" is both families */
	uint16_t port;
	bool proxy_protocol;                   /* every connection begins with a PROXY header */
	struct config_nets proxy_from;         /* peers that may send one; others are closed */
	struct config_nets plaintext_networks; /* may sign in without TLS */
	bool old_clients;                      /* AUTH= line for Outlook Express */
	struct config_nets trusted_proxies;    /* https: whose X-Forwarded-For is believed */
	char *certificate;                     /* section served without SNI; NULL: the first */
	char *default_domain; /* for a login without domain; NULL: the global one */
};

/* certificate NAME { ... } */
struct config_certificate {
	char *name;
	struct config_strings names; /* SNI names; empty: only as default */
	char *chain_file;
	char *key_file;
};

/* backend NAME { ... } */
struct config_backend {
	char *name;
	enum config_backend_protocol protocol;
	struct config_strings hosts; /* "127.0.0.1:143", "[::1]:143", "mail.lan:25",
					"unix:/run/lmtp"; tried in order */
	enum config_tls tls;
	char *tls_name;                /* name checked in the certificate; NULL: not checked */
	char *ca_file;                 /* with tls_name; NULL: the system's */
	enum config_backend_auth auth; /* smtp, lmtp: MASTER; with auth_user it is used */
	char *auth_user; /* master user, or SMTP AUTH of Gatepost itself; NULL: none */
	char *auth_password_file;
	enum config_client_address client_address;
	unsigned connect_timeout; /* seconds, per host */
	unsigned reply_timeout;   /* seconds */
};

/* route DOMAIN { ... }; DOMAIN "*" for all others. An account may name another route. */
struct config_route {
	char *domain;
	char *imap; /* backend sections; NULL: as in "*" */
	char *pop3;
	char *smtp;     /* next hop of mail sent by accounts of the domain */
	char *incoming; /* next hop of mail for the domain from port 25; NULL: as smtp */
	char *plan;     /* plan sections; NULL: as in "*" */
	char *domain_plan;
};

/* plan NAME { ... }: a named set of limits of sending; 0: no limit. */
struct config_plan {
	char *name;
	unsigned messages_hour;
	unsigned messages_day;
	unsigned recipients_hour;
	unsigned recipients_day;
	unsigned new_recipients_day; /* never written to before */
	uint64_t message_size;       /* bytes */
};

struct config {
	/* who and where */
	char *hostname;
	char *portal_url;
	bool notices;
	char *notice_from;
	struct config_strings staff_notice;
	char *default_domain; /* NULL: logins need a domain */
	char *state_dir;
	char *control_socket;
	char *front_user; /* names or numbers */
	char *core_user;
	char *vault_user;
	char *web_user;
	bool require_sandbox;
	bool settable_clock;
	unsigned fronts;      /* 0: one per core */
	unsigned slow_vaults; /* 0: one per core but one */
	enum config_log log;
	unsigned log_level; /* enum log_level */

	/* store and keys */
	char *database; /* path of the SQLite file; default state_dir/gatepost.db */
	char *token_key_file;
	char *pepper_file;
	unsigned token_lifetime; /* seconds */
	unsigned argon2_memory;  /* KiB */
	unsigned argon2_passes;
	unsigned event_days; /* sign-in events are kept for */
	unsigned event_rows; /* and at most this many */

	/* auto-ban */
	unsigned autoban_failures;
	unsigned autoban_failures_56; /* of all sources in an IPv6 /56 */
	unsigned autoban_failures_48;
	unsigned autoban_window; /* seconds */
	unsigned autoban_time;   /* seconds */
	enum config_count autoban_count;
	unsigned autoban_repeats; /* distinct: repeats of one wrong secret per window */
	struct config_nets autoban_exempt;
	bool autoban_loopback;    /* loopback is banned like any other address */
	unsigned account_guesses; /* wrong main passwords of one account from unknown sources */
	unsigned account_guesses_window; /* seconds */
	unsigned known_source_days;
	unsigned signin_wait;  /* milliseconds for a free place */
	unsigned signin_queue; /* sign-ins that wait for a slow vault, at most */

	/* portal */
	unsigned portal_idle;     /* seconds */
	unsigned portal_lifetime; /* seconds */
	unsigned portal_failures; /* of a source that is banned on the mail ports */
	unsigned portal_window;   /* seconds */

	/* what others are told */
	struct config_strings mx_names; /* empty: hostname */
	enum config_sts mta_sts;

	/* sending */
	enum config_sending sending_mode;
	unsigned sending_slow; /* points */
	unsigned sending_ask;
	unsigned sending_block;
	unsigned sending_proof;
	enum config_release release_proof;
	enum config_yes sending_yes;
	unsigned sending_pace; /* seconds */
	unsigned sending_free_strangers;
	unsigned sending_free_hour;
	unsigned sending_free_day;
	unsigned sending_known_days;
	unsigned sending_learn_days;
	struct config_nets sending_trusted;
	char *geoip_file;             /* NULL: none */
	struct config_strings rspamd; /* as the hosts of a backend; empty: none */
	unsigned rspamd_timeout;      /* milliseconds */
	uint64_t rspamd_max_size;     /* bytes */
	char *sending_plan;           /* plan section; NULL: default_plan */
	char *sending_source_plan;    /* NULL: none */
	bool sending_from;
	struct config_strings sending_block_hook; /* argv, see config_hook_word(); empty: none */
	unsigned sending_block_hook_time;         /* seconds */
	char *hook_user;
	unsigned sending_keep;     /* days */
	uint64_t sending_memory;   /* bytes */
	unsigned points_strangers; /* of the reasons of policy/sending.h, each */
	unsigned points_hour;
	unsigned points_day;
	unsigned points_share;
	unsigned points_elsewhere;
	unsigned points_contacts;
	unsigned points_networks;
	unsigned points_countries;
	unsigned points_network;
	unsigned points_client;
	unsigned points_night;
	unsigned points_unknown;
	unsigned points_spam;
	unsigned points_filter;
	unsigned points_forged;
	unsigned points_body;
	unsigned points_limit;
	unsigned points_insist;

	/* limits of a connection */
	unsigned max_connections; /* per front */
	unsigned login_timeout;   /* seconds, absolute */
	unsigned login_commands;
	unsigned login_attempts;
	unsigned smtp_timeout; /* seconds idle */
	unsigned imap_timeout;
	unsigned pop3_timeout;
	unsigned message_recipients;   /* per message */
	uint64_t message_size;         /* bytes */
	unsigned signin_required_code; /* 550 or 530 */
	bool blocked_reference;
	struct config_nets relay_networks; /* may send without signing in */

	struct config_listener *listeners;
	size_t listener_count;
	struct config_certificate *certificates;
	size_t certificate_count;
	struct config_backend *backends;
	size_t backend_count;
	struct config_route *routes;
	size_t route_count;
	struct config_plan *plans;
	size_t plan_count;
	struct config_plan default_plan; /* what a plan section without options would say */

	unsigned holds; /* config_hold() without its config_free() yet */
};

enum {
	CONFIG_TEXT_MAX = 1024 * 1024, /* bytes of the whole file */
	CONFIG_HOST_SIZE = 254,        /* a host name and its NUL */
	CONFIG_HOOK_WORDS = 32,        /* of sending_block_hook */
};

/* One of a backend's hosts, taken apart. */
struct config_host {
	bool is_unix;
	char name[CONFIG_HOST_SIZE]; /* name, address without brackets, or path of the socket */
	uint16_t port;               /* 0: UNIX socket */
};

/* Every host of a parsed configuration passes. False leaves *ret_host alone. */
bool config_host_parse(struct slice text, struct config_host *ret_host);

/*
 * A word of sending_block_hook with {account} and {reason} filled in, appended to out;
 * GP_ERR_SYNTAX: there is another { or } in it; GP_ERR_LIMIT: out is full.
 */
enum gp_err config_hook_word(
	struct slice word, struct slice account, struct slice reason, struct buf *out) GP_CHECKED;

/* A message of the parser: where and what, with "did you mean" where it helps. */
struct config_error {
	char text[1024]; /* "FILE:LINE: ..." */
};

/*
 * Parses text (the whole file) and checks every value, every cross-reference and every impossible
 * combination; touches no file. file_name: for messages. Process: all (front gets the text by IPC).
 */
enum gp_err config_parse(struct slice text, const char *file_name, struct config **ret_config,
	struct config_error *error) GP_CHECKED;
/* Reads the file and parses it. gatepostd and the CLI. */
enum gp_err config_load(
	const char *path, struct config **ret_config, struct config_error *error) GP_CHECKED;
void config_free(struct config **pconfig);
/* Keeps it for one more config_free(): a front's live sessions go on with what they began with. */
struct config *config_hold(const struct config *config);

/* Effective values as a file config_parse() would take; defaults are marked in a comment. */
enum gp_err config_show(const struct config *config, struct buf *out) GP_CHECKED;

/* NULL / -1 if there is none of this name. */
const struct config_backend *config_backend(const struct config *config, struct slice name);
int config_backend_index(const struct config *config, struct slice name);
/* The certificate of a server name: the one that is for it, else one for "*." of its domain, else
 * the first; NULL if there is none at all. */
const struct config_certificate *config_certificate_for(
	const struct config *config, struct slice name);
/* Is there a listener of this service? */
bool config_has_service(const struct config *config, enum service service);
/* The backend for a mailbox's domain (lower case) and protocol; NULL if none is routed. incoming:
 * mail from outside for that domain. */
const struct config_backend *config_route(
	const struct config *config, struct slice domain, enum protocol protocol, bool incoming);

/* Limits of sending. Of each account of the domain (lower case), never NULL; of all its accounts
 * together, and of one source for all accounts: NULL if there are none. */
const struct config_plan *config_account_plan(const struct config *config, struct slice domain);
const struct config_plan *config_domain_plan(const struct config *config, struct slice domain);
const struct config_plan *config_source_plan(const struct config *config);

#endif
