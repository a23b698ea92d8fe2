/* SPDX-License-Identifier: ISC */
#include "cli/verb.h"

#include <string.h>

#include "base/check.h"

/* Parameters that several verbs share. */
#define ADDRESS                                                                       \
	{                                                                             \
		"ADDRESS", NULL, "address", PARAM_TEXT, true, "the account's address" \
	}
#define ALIAS                                                                 \
	{                                                                     \
		"ALIAS", NULL, "alias", PARAM_TEXT, true, "a further address" \
	}
#define SENDER                                                                  \
	{                                                                       \
		"SENDER", NULL, "sender", PARAM_TEXT, true,                     \
			"an address, or @ and a domain for all addresses of it" \
	}
#define SENDER_ACCOUNT                                                                  \
	{                                                                               \
		"--account", "ADDRESS", "address", PARAM_TEXT, false, "of this account" \
	}
#define SENDER_DOMAIN                                              \
	{                                                          \
		"--domain", "DOMAIN", "domain", PARAM_TEXT, false, \
			"of every account of this domain"          \
	}
#define YES                                                                \
	{                                                                  \
		"--yes", NULL, NULL, PARAM_FLAG, false, "do not ask first" \
	}
#define LIMIT                                                                        \
	{                                                                            \
		"--limit", "N", "limit", PARAM_NUMBER, false, "at most so many rows" \
	}
#define BEFORE                                                   \
	{                                                        \
		"--before", "ID", "before", PARAM_NUMBER, false, \
			"older than the row of this number"      \
	}
#define BY_ACCOUNT                                                                           \
	{                                                                                    \
		"--account", "ADDRESS", "account", PARAM_TEXT, false, "of this account only" \
	}
#define BY_SOURCE                                              \
	{                                                      \
		"--source", "IP", "source", PARAM_TEXT, false, \
			"from this address (or IPv6 /64) only" \
	}
#define SOURCE                                                      \
	{                                                           \
		"SOURCE", NULL, "source", PARAM_TEXT, true,         \
			"an IP address, or an IPv6 /64, /56 or /48" \
	}
#define DOMAINS                                                       \
	{                                                             \
		"--domain", "DOMAIN", "domains", PARAM_TEXTS, false,  \
			"that a domain-admin is for; may be repeated" \
	}
#define NO_PASSWORD                                             \
	{                                                       \
		"--no-password", NULL, NULL, PARAM_FLAG, false, \
			"only device passwords will sign in"    \
	}
#define DAYS                                                                                \
	{                                                                                   \
		"--days", "N", "days", PARAM_NUMBER, false, "of the last so many days only" \
	}
#define EVENT_COLUMNS                                                                            \
	{ "id", "ID", CELL_TEXT }, { "at", "TIME", CELL_TIME }, { "client", "FROM", CELL_TEXT }, \
		{ "service", "SERVICE", CELL_TEXT }, { "login", "LOGIN", CELL_TEXT },            \
		{ "outcome", "OUTCOME", CELL_TEXT }, { "why", "WHY", CELL_TEXT },                \
		{ "device_name", "DEVICE", CELL_TEXT }, { "client_name", "PROGRAM", CELL_TEXT }, \
		{ "tls", "TLS", CELL_TEXT },                                                     \
	{                                                                                        \
		"session", "SESSION", CELL_TEXT                                                  \
	}
#define FOUND_COLUMNS                                                                      \
	{ "kind", "KIND", CELL_TEXT }, { "at", "TIME", CELL_TIME },                        \
		{ "address", "ADDRESS", CELL_TEXT }, { "login", "LOGIN", CELL_TEXT },      \
		{ "source", "SOURCE", CELL_TEXT }, { "service", "SERVICE", CELL_TEXT },    \
		{ "outcome", "OUTCOME", CELL_TEXT }, { "why", "WHY", CELL_TEXT },          \
		{ "until", "BANNED UNTIL", CELL_TIME }, { "reference", "REF", CELL_TEXT }, \
	{                                                                                  \
		"id", "ID", CELL_TEXT                                                      \
	}

const struct verb verbs[] = {
	{ "account", "add", OPS_account_add, SHAPE_DONE, VERB_PASSWORD,
		"creates an account; its password comes from standard input",
		"Account {address} added.", NULL,
		"gatepost account add alice@example.test --role staff --create-domain",
		{ ADDRESS,
			{ "--role", "ROLE", "role", PARAM_TEXT, false,
				"user (default), domain-admin, staff or admin" },
			DOMAINS,
			{ "--alias", "ADDRESS", "aliases", PARAM_TEXTS, false,
				"a further address; may be repeated" },
			{ "--route", "DOMAIN", "route", PARAM_TEXT, false,
				"use the route section of this name" },
			{ "--create-domain", NULL, "create_domain", PARAM_FLAG, false,
				"make its domain an own one, if it is not yet" },
			NO_PASSWORD },
		{ { NULL } } },
	{ "account", "list", OPS_account_list, SHAPE_LIST, 0, NULL, "There is no such account.",
		NULL, "gatepost account list --match example.test",
		{ { "--match", "TEXT", "match", PARAM_TEXT, false,
			  "with this text in the address" },
			LIMIT,
			{ "--after", "ADDRESS", "after", PARAM_TEXT, false,
				"go on behind this address" } },
		{ { "address", "ADDRESS", CELL_TEXT }, { "role", "ROLE", CELL_TEXT },
			{ "is_off", "OFF", CELL_IF }, { "blocked_at", "BLOCKED", CELL_TIME },
			{ "twofactor_at", "2FA SINCE", CELL_TIME }, { "route", "ROUTE", CELL_TEXT },
			{ "created_at", "CREATED", CELL_TIME } } },
	{ "account", "show", OPS_account_show, SHAPE_ONE, 0, NULL, NULL, NULL,
		"gatepost account show alice@example.test", { ADDRESS }, { { NULL } } },
	{ "account", "passwd", OPS_account_passwd, SHAPE_DONE, VERB_PASSWORD,
		"sets the main password, from standard input, and ends its sessions",
		"Password of {address} changed; its sessions were ended.", NULL,
		"gatepost account passwd alice@example.test", { ADDRESS }, { { NULL } } },
	{ "account", "block", OPS_account_block, SHAPE_DONE, 0, NULL,
		"{address} may no longer send; it still receives.", NULL,
		"gatepost account block alice@example.test --reason \"sends phishing\"",
		{ ADDRESS,
			{ "--reason", "TEXT", "reason", PARAM_TEXT, false, "kept for the staff" },
			{ "--since", "TIME", "since", PARAM_TIME, false,
				"when abuse began, in the forms of signin list; else a day ago" } },
		{ { NULL } } },
	{ "account", "unblock", OPS_account_unblock, SHAPE_DONE, 0, NULL,
		"{address} may send again.", NULL, "gatepost account unblock alice@example.test",
		{ ADDRESS }, { { NULL } } },
	{ "account", "role", OPS_account_role, SHAPE_DONE, 0, NULL, "{address} is {role} now.",
		NULL, "gatepost account role carol@example.test domain-admin --domain example.test",
		{ ADDRESS,
			{ "ROLE", NULL, "role", PARAM_TEXT, true,
				"user, domain-admin, staff or admin" },
			DOMAINS },
		{ { NULL } } },
	{ "account", "set", OPS_account_set, SHAPE_DONE, 0, NULL,
		"{address} is set; its sessions were ended.", NULL,
		"gatepost account set alice@example.test --off yes",
		{ ADDRESS,
			{ "--off", "YES", "is_off", PARAM_YES, false,
				"yes: nobody signs in; no: its owner may again" },
			{ "--route", "DOMAIN", "route", PARAM_TEXT, false,
				"use the route section of this name; \"\" for its domain's" } },
		{ { NULL } } },
	{ "account", "reset-link", OPS_account_reset_link, SHAPE_DONE, 0, NULL,
		"A link is on its way to the recovery address of {address}; it is good for a day.",
		NULL, "gatepost account reset-link alice@example.test", { ADDRESS }, { { NULL } } },
	{ "account", "remove", OPS_account_remove, SHAPE_DONE, VERB_CONFIRM, NULL,
		"Account {address} removed.",
		"Remove {address} with its device passwords, and end its sessions?",
		"gatepost account remove alice@example.test", { ADDRESS, YES }, { { NULL } } },
	{ "account", "import", OPS_account_import, SHAPE_IMPORT, VERB_PROGRESS,
		"loads accounts from a CSV or passwd-file, hashes and all", NULL, NULL,
		"gatepost account import /etc/dovecot/users --format passwd",
		{ { "FILE", NULL, NULL, PARAM_FILE, true, "the file; - for standard input" },
			{ "--format", "FORMAT", "format", PARAM_TEXT, false,
				"csv or passwd (Dovecot passwd-file); else by the file's name" },
			{ "--keep-going", NULL, "keep_going", PARAM_FLAG, false,
				"skip bad lines; without it one bad line changes nothing" } },
		{ { NULL } } },

	{ "account", "activity", OPS_account_activity, SHAPE_LIST, 0, NULL,
		"No sign-in of the account is recorded.", NULL,
		"gatepost account activity alice@example.test --days 7", { ADDRESS, DAYS },
		{ { "client_name", "PROGRAM", CELL_TEXT }, { "device_name", "DEVICE", CELL_TEXT },
			{ "services", "SERVICES", CELL_TEXT }, { "network", "FROM", CELL_TEXT },
			{ "every_minutes", "EVERY MIN", CELL_TEXT },
			{ "last_at", "LAST", CELL_TIME }, { "successes", "OK", CELL_TEXT },
			{ "failures", "FAILED", CELL_TEXT }, { "why", "WHY", CELL_TEXT },
			{ "old_password_at", "PASSWORD CHANGED", CELL_TIME },
			{ "is_stranger", "STRANGER", CELL_IF } } },
	{ "account", "events", OPS_account_events, SHAPE_LIST, 0, NULL,
		"No sign-in of the account is recorded.", NULL,
		"gatepost account events alice@example.test --limit 20", { ADDRESS, LIMIT, BEFORE },
		{ EVENT_COLUMNS } },
	{ "account", "sending", OPS_account_sending, SHAPE_ONE, 0, NULL, NULL, NULL,
		"gatepost account sending alice@example.test", { ADDRESS }, { { NULL } } },
	{ "account", "chart", OPS_account_chart, SHAPE_LIST, 0, NULL, "", NULL,
		"gatepost account chart alice@example.test", { ADDRESS, DAYS },
		{ { "day", "DAY", CELL_TEXT }, { "ok", "OK", CELL_TEXT },
			{ "failed", "FAILED", CELL_TEXT } } },

	{ "domain", "add", OPS_domain_add, SHAPE_DONE, 0, NULL, "Domain {domain} added.", NULL,
		"gatepost domain add mail.example.test --alias-of example.test",
		{ { "DOMAIN", NULL, "domain", PARAM_TEXT, true, "the domain" },
			{ "--alias-of", "DOMAIN", "alias_of", PARAM_TEXT, false,
				"another name for this own domain" } },
		{ { NULL } } },
	{ "domain", "list", OPS_domain_list, SHAPE_LIST, 0, NULL, "There is no domain yet.", NULL,
		"gatepost domain list",
		{ LIMIT, { "--after", "DOMAIN", "after", PARAM_TEXT, false,
				 "go on behind this domain" } },
		{ { "domain", "DOMAIN", CELL_TEXT }, { "alias_of", "ALIAS OF", CELL_TEXT },
			{ "accounts", "ACCOUNTS", CELL_TEXT },
			{ "created_at", "CREATED", CELL_TIME } } },
	{ "domain", "remove", OPS_domain_remove, SHAPE_DONE, 0, NULL, "Domain {domain} removed.",
		NULL, "gatepost domain remove old.example.test",
		{ { "DOMAIN", NULL, "domain", PARAM_TEXT, true, "the domain" } }, { { NULL } } },

	{ "dns", NULL, OPS_domain_dns, SHAPE_ZONE, 0, NULL, NULL, NULL, "gatepost dns example.test",
		{ { "DOMAIN", NULL, "domain", PARAM_TEXT, true, "the domain" } }, { { NULL } } },

	{ "alias", "add", OPS_alias_add, SHAPE_DONE, 0, NULL,
		"{alias} is an address of {address} now.", NULL,
		"gatepost alias add alice@example.test post@example.test", { ADDRESS, ALIAS },
		{ { NULL } } },
	{ "alias", "list", OPS_alias_list, SHAPE_LIST, 0, NULL,
		"The account has no further address.", NULL,
		"gatepost alias list alice@example.test", { ADDRESS },
		{ { "alias", "ALIAS", CELL_TEXT } } },
	{ "alias", "remove", OPS_alias_remove, SHAPE_DONE, 0, NULL,
		"{alias} is no address of {address} any more.", NULL,
		"gatepost alias remove alice@example.test post@example.test", { ADDRESS, ALIAS },
		{ { NULL } } },

	{ "sender", "add", OPS_sender_add, SHAPE_DONE, 0, NULL,
		"{sender} may be used as a sender now.", NULL,
		"gatepost sender add sales@example.org --account alice@example.test",
		{ SENDER, SENDER_ACCOUNT, SENDER_DOMAIN }, { { NULL } } },
	{ "sender", "list", OPS_sender_list, SHAPE_LIST, 0, NULL, "No sender is listed.", NULL,
		"gatepost sender list --domain example.test", { SENDER_ACCOUNT, SENDER_DOMAIN },
		{ { "sender", "SENDER", CELL_TEXT } } },
	{ "sender", "remove", OPS_sender_remove, SHAPE_DONE, 0, NULL,
		"{sender} is not listed any more.", NULL,
		"gatepost sender remove sales@example.org --account alice@example.test",
		{ SENDER, SENDER_ACCOUNT, SENDER_DOMAIN }, { { NULL } } },

	{ "device", "list", OPS_device_list, SHAPE_LIST, 0, NULL,
		"The account has no device password.", NULL,
		"gatepost device list alice@example.test", { ADDRESS },
		{ { "id", "DEVICE", CELL_TEXT }, { "name", "NAME", CELL_TEXT },
			{ "scopes", "FOR", CELL_TEXT }, { "created_at", "CREATED", CELL_TIME },
			{ "used_at", "LAST USED", CELL_TIME }, { "used_from", "FROM", CELL_TEXT },
			{ "used_service", "SERVICE", CELL_TEXT },
			{ "used_client", "PROGRAM", CELL_TEXT } } },
	{ "device", "add", OPS_device_add, SHAPE_DEVICE, 0, NULL, NULL, NULL,
		"gatepost device add alice@example.test \"My phone\" --scope imap --scope smtp",
		{ ADDRESS,
			{ "NAME", NULL, "name", PARAM_TEXT, true,
				"what its owner calls the device" },
			{ "--scope", "PROTOCOL", "scopes", PARAM_TEXTS, false,
				"imap, pop3 or smtp; may be repeated; all without it" } },
		{ { NULL } } },
	{ "device", "revoke", OPS_device_revoke, SHAPE_DONE, VERB_CONFIRM, NULL,
		"Revoked; sessions signed in with it were ended.",
		"Revoke all device passwords of {address}, and end their sessions?",
		"gatepost device revoke alice@example.test 3",
		{ ADDRESS,
			{ "DEVICE", NULL, "device", PARAM_NUMBER, false,
				"its number in gatepost device list" },
			{ "--all", NULL, "all", PARAM_FLAG, false, "all of the account" }, YES },
		{ { NULL } } },

	{ "ban", "list", OPS_ban_list, SHAPE_LIST, 0, NULL, "Nobody is banned.", NULL,
		"gatepost ban list",
		{ BY_SOURCE, LIMIT,
			{ "--after", "SOURCE", "after", PARAM_TEXT, false,
				"go on behind this source" } },
		{ { "source", "SOURCE", CELL_TEXT }, { "since", "SINCE", CELL_TIME },
			{ "until", "UNTIL", CELL_TIME }, { "minutes_left", "ENDS", CELL_MINUTES },
			{ "reason", "REASON", CELL_TEXT } } },
	{ "ban", "add", OPS_ban_add, SHAPE_DONE, 0, NULL, "{source} is banned until {until}.", NULL,
		"gatepost ban add 203.0.113.9 --minutes 60 --reason \"guesses passwords\"",
		{ SOURCE,
			{ "--minutes", "N", "minutes", PARAM_NUMBER, false,
				"how long; else autoban_time" },
			{ "--reason", "TEXT", "reason", PARAM_TEXT, false, "kept for the staff" } },
		{ { NULL } } },
	{ "ban", "remove", OPS_ban_remove, SHAPE_DONE, 0, NULL,
		"{source} is free; {failures} failed sign-ins forgotten.", NULL,
		"gatepost ban remove 203.0.113.9", { SOURCE }, { { NULL } } },

	{ "signin", "list", OPS_signin_list, SHAPE_LIST, 0, NULL, "No such sign-in is recorded.",
		NULL,
		"gatepost signin list --account alice@example.test --outcome denied --since 1h",
		{ BY_ACCOUNT, BY_SOURCE,
			{ "--outcome", "OUTCOME", "outcome", PARAM_TEXT, false,
				"ok, denied, denied+banned, banned, busy or temporary" },
			{ "--reason", "REASON", "reason", PARAM_TEXT, false,
				"the true reason, such as wrong_password" },
			{ "--service", "SERVICE", "service", PARAM_TEXT, false,
				"smtp, submission, submissions, imap, imaps, pop3 or pop3s" },
			{ "--since", "TIME", "since", PARAM_TIME, false,
				"at or after: 30m, 2h or 3d ago, or 2026-01-31 14:05" },
			{ "--until", "TIME", "until", PARAM_TIME, false,
				"before, in the same forms" },
			{ "--session", "ID", "session", PARAM_TEXT, false, "of this session" },
			LIMIT, BEFORE },
		{ EVENT_COLUMNS } },

	{ "reference", "show", OPS_reference_show, SHAPE_LIST, 0, NULL,
		"Nothing of this reference is recorded (any more).", NULL,
		"gatepost reference show 7K3QX9TD",
		{ { "REFERENCE", NULL, "reference", PARAM_TEXT, true,
			"as it stands in the refusal" } },
		{ FOUND_COLUMNS } },
	{ "search", NULL, OPS_search, SHAPE_LIST, 0, NULL, "Nothing fits.", NULL,
		"gatepost search 203.0.113.9",
		{ { "QUERY", NULL, "query", PARAM_TEXT, true,
			  "part of an address, an IP address, an event's or session's number, or a "
			  "reference" },
			LIMIT },
		{ FOUND_COLUMNS } },

	{ "session", "list", OPS_session_list, SHAPE_LIST, 0, NULL, "Nobody is signed in.", NULL,
		"gatepost session list --account alice@example.test",
		{ BY_ACCOUNT, BY_SOURCE, LIMIT,
			{ "--after", "SESSION", "after", PARAM_TEXT, false,
				"go on behind this session" } },
		{ { "session", "SESSION", CELL_TEXT }, { "account", "ACCOUNT", CELL_TEXT },
			{ "service", "SERVICE", CELL_TEXT }, { "source", "SOURCE", CELL_TEXT },
			{ "since", "SINCE", CELL_TIME }, { "client_name", "CLIENT", CELL_TEXT },
			{ "device", "WITH", CELL_DEVICE }, { "tls", "TLS", CELL_TEXT } } },
	{ "session", "kill", OPS_session_kill, SHAPE_LIST, 0, NULL, "There was no such session.",
		NULL, "gatepost session kill --account alice@example.test",
		{ { "--session", "ID", "session", PARAM_TEXT, false, "this one" },
			{ "--account", "ADDRESS", "account", PARAM_TEXT, false,
				"all of this account" },
			{ "--source", "IP", "source", PARAM_TEXT, false,
				"all from this address" } },
		{ { "session", "ENDED", CELL_TEXT }, { "account", "ACCOUNT", CELL_TEXT },
			{ "service", "SERVICE", CELL_TEXT }, { "source", "SOURCE", CELL_TEXT } } },

	{ "twofactor", "status", OPS_twofactor_status, SHAPE_ONE, 0, NULL, NULL, NULL,
		"gatepost twofactor status alice@example.test", { ADDRESS }, { { NULL } } },
	{ "twofactor", "remove", OPS_twofactor_remove, SHAPE_DONE, 0, NULL,
		"Two-factor sign-in of {address} goes off at {due_at}; its owner was told.", NULL,
		"gatepost twofactor remove alice@example.test", { ADDRESS }, { { NULL } } },
	{ "twofactor", "keep", OPS_twofactor_remove_cancel, SHAPE_DONE, 0, NULL,
		"Two-factor sign-in of {address} stays on.", NULL,
		"gatepost twofactor keep alice@example.test", { ADDRESS }, { { NULL } } },
	{ "twofactor", "reset", OPS_twofactor_reset, SHAPE_DONE, VERB_CONFIRM, NULL,
		"Two-factor sign-in of {address} is off.",
		"Switch two-factor sign-in of {address} off?",
		"gatepost twofactor reset alice@example.test", { ADDRESS, YES }, { { NULL } } },

	{ "token", "add", OPS_token_add, SHAPE_ONE, 0, NULL, NULL, NULL,
		"gatepost token add panel --role domain-admin --domain example.test",
		{ { "NAME", NULL, "name", PARAM_TEXT, true, "what it is for" },
			{ "--role", "ROLE", "role", PARAM_TEXT, true,
				"domain-admin, staff or admin" },
			{ "--scope", "SCOPE", "scopes", PARAM_TEXTS, false,
				"an operation (account.list) or a group of them (account); may be "
				"repeated; all without it" },
			{ "--domain", "DOMAIN", "domains", PARAM_TEXTS, false,
				"for accounts of this domain only; may be repeated" },
			{ "--days", "N", "days", PARAM_NUMBER, false, "until it expires (365)" } },
		{ { NULL } } },
	{ "token", "list", OPS_token_list, SHAPE_LIST, 0, NULL, "There is no API token.", NULL,
		"gatepost token list",
		{ LIMIT, { "--after", "TOKEN", "after", PARAM_NUMBER, false,
				 "go on behind this token" } },
		{ { "id", "TOKEN", CELL_TEXT }, { "name", "NAME", CELL_TEXT },
			{ "role", "ROLE", CELL_TEXT }, { "scopes", "SCOPES", CELL_TEXT },
			{ "domains", "DOMAINS", CELL_TEXT }, { "expires_at", "EXPIRES", CELL_TIME },
			{ "used_at", "LAST USED", CELL_TIME } } },
	{ "token", "remove", OPS_token_remove, SHAPE_DONE, 0, NULL, "Token {id} ended.", NULL,
		"gatepost token remove 3",
		{ { "TOKEN", NULL, "id", PARAM_NUMBER, true, "its number" } }, { { NULL } } },

	{ "audit", "list", OPS_audit_list, SHAPE_LIST, 0, NULL, "Nothing was changed.", NULL,
		"gatepost audit list --account alice@example.test --limit 20",
		{ BY_ACCOUNT, LIMIT, BEFORE },
		{ { "id", "ID", CELL_TEXT }, { "at", "TIME", CELL_TIME },
			{ "actor", "WHO", CELL_TEXT }, { "operation", "WHAT", CELL_TEXT },
			{ "account", "ACCOUNT", CELL_TEXT }, { "detail", "DETAIL", CELL_TEXT } } },
	{ "audit", "verify", OPS_audit_verify, SHAPE_ONE, VERB_VERDICT, NULL, NULL, NULL,
		"gatepost audit verify",
		{ { "--record", "N", "record", PARAM_NUMBER, false,
			  "this record must have the hash below" },
			{ "--hash", "HEX", "hash", PARAM_TEXT, false,
				"as it was logged, or shown by an earlier verify" } },
		{ { NULL } } },

	{ "sending", "list", OPS_sending_list, SHAPE_LIST, 0, NULL,
		"No account is stopped from sending.", NULL, "gatepost sending list",
		{ { "--all", NULL, "all", PARAM_FLAG, false, "those that send again, too" }, LIMIT,
			BEFORE },
		{ { "id", "ID", CELL_TEXT }, { "address", "ADDRESS", CELL_TEXT },
			{ "kind", "KIND", CELL_TEXT }, { "opened_at", "SINCE", CELL_TIME },
			{ "messages", "MESSAGES", CELL_TEXT },
			{ "recipients", "RECIPIENTS", CELL_TEXT },
			{ "needs_staff", "FOR STAFF", CELL_IF }, { "answer", "ANSWER", CELL_TEXT },
			{ "outcome", "OUTCOME", CELL_TEXT }, { "reason", "REASON", CELL_TEXT } } },
	{ "sending", "show", OPS_sending_show, SHAPE_ONE, 0, NULL, NULL, NULL,
		"gatepost sending show alice@example.test", { ADDRESS }, { { NULL } } },
	{ "sending", "sent", OPS_sending_sent, SHAPE_LIST, 0, NULL,
		"Nothing that was sent since then is recorded.", NULL,
		"gatepost sending sent alice@example.test --limit 20", { ADDRESS, LIMIT, BEFORE },
		{ { "id", "ID", CELL_TEXT }, { "at", "TIME", CELL_TIME },
			{ "source", "FROM", CELL_TEXT }, { "client_name", "PROGRAM", CELL_TEXT },
			{ "sender", "SENDER", CELL_TEXT }, { "subject", "SUBJECT", CELL_TEXT },
			{ "recipients", "RECIPIENTS", CELL_TEXT },
			{ "strangers", "STRANGERS", CELL_TEXT },
			{ "outcome", "OUTCOME", CELL_TEXT } } },
	{ "sending", "release", OPS_sending_release, SHAPE_DONE, 0, NULL,
		"{address} may send again.", NULL,
		"gatepost sending release alice@example.test --learn",
		{ ADDRESS, { "--learn", NULL, "learn", PARAM_FLAG, false,
				   "it was its owner: such sending is usual from now on" } },
		{ { NULL } } },
	{ "sending", "keep", OPS_sending_keep, SHAPE_DONE, 0, NULL,
		"{address} stays blocked; its owner cannot release it any more.", NULL,
		"gatepost sending keep alice@example.test", { ADDRESS }, { { NULL } } },
	{ "sending", "vouch", OPS_sending_vouch, SHAPE_ONE, 0, NULL, NULL, NULL,
		"gatepost sending vouch alice@example.test", { ADDRESS }, { { NULL } } },

	{ "sending", "replay", OPS_MAX, SHAPE_LOCAL, VERB_PROGRESS,
		"runs the policy of sending over past traffic; needs no daemon", NULL, NULL,
		"gatepost sending replay /var/log/mail.log.2.gz /var/log/mail.log.1",
		{ { "FILE", NULL, "files", PARAM_TEXTS, true,
			  "a Postfix log or JSON lines, also .gz; the oldest first; - for standard "
			  "input" },
			{ "--learn", "DAYS", "learn", PARAM_NUMBER, false,
				"first days of it that are only learned from (14)" },
			{ "--answer", "MINUTES", "answer", PARAM_NUMBER, false,
				"owners say \"it was me\" so long after they are asked; never "
				"without it" },
			{ "--each", "FILE", "each", PARAM_TEXT, false,
				"a JSON line there for each recipient that would not have "
				"passed" } },
		{ { NULL } } },

	{ "config", "check", OPS_MAX, SHAPE_LOCAL, 0,
		"checks the configuration file and the files it names; needs no daemon", NULL, NULL,
		"gatepost --config ./new.conf config check", { { NULL } }, { { NULL } } },
	{ "config", "show", OPS_MAX, SHAPE_LOCAL, 0, "prints all values in effect; needs no daemon",
		NULL, NULL, "gatepost config show", { { NULL } }, { { NULL } } },

	{ "status", NULL, OPS_status, SHAPE_ONE, 0, NULL, NULL, NULL, "gatepost status",
		{ { NULL } }, { { NULL } } },
	{ "stats", NULL, OPS_stats, SHAPE_ONE, VERB_METRICS, NULL, NULL, NULL,
		"gatepost stats --prometheus",
		{ { "--prometheus", NULL, NULL, PARAM_FLAG, false,
			"in Prometheus' text format 0.0.4" } },
		{ { NULL } } },
	{ "reload", NULL, OPS_reload, SHAPE_DONE, 0, NULL, "The configuration is in use.", NULL,
		"gatepost reload", { { NULL } }, { { NULL } } },
	{ "clock", "advance", OPS_clock_advance, SHAPE_DONE, 0, NULL,
		"The clock is {clock_shift} s ahead of the machine's.", NULL,
		"gatepost clock advance 1800",
		{ { "SECONDS", NULL, "seconds", PARAM_NUMBER, true, "how far" } }, { { NULL } } },
};

const size_t verb_count = GP_ARRAY_LEN(verbs);

const struct verb *verb_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < verb_count; i++) {
		const char *own = verbs[i].verb;

		if (strcmp(verbs[i].noun, noun) == 0 &&
			(own == NULL || (verb != NULL && strcmp(own, verb) == 0)))
			return &verbs[i];
	}
	return NULL;
}

bool verb_is_noun(const char *noun)
{
	for (size_t i = 0; i < verb_count; i++) {
		if (strcmp(verbs[i].noun, noun) == 0)
			return true;
	}
	return false;
}

const char *verb_summary(const struct verb *verb)
{
	return verb->summary != NULL ? verb->summary : ops_entry(verb->op)->what;
}

bool param_is_option(const struct param *param)
{
	return param->name[0] == '-';
}
