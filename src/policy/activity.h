/* SPDX-License-Identifier: ISC */
/*
 * "Which device is it?": the sign-in events of one account, gathered by the device they come from,
 * so that its owner recognises it. Pure: events in, devices out.
 *
 * A device password tells its device. Otherwise a device is a kind of program, a protocol and a
 * network (an IPv4 /24 or an IPv6 /64) together; programs that say nothing of themselves are told
 * apart by the name they do say. Networks from which the account never had a right secret are
 * strangers: the newest few of them are shown, the rest together in one row, so that a flood of
 * guesses hides no device.
 */
#ifndef GP_POLICY_ACTIVITY_H
#define GP_POLICY_ACTIVITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/slice.h"
#include "base/terms.h"
#include "policy/client_family.h"

enum {
	ACTIVITY_GROUPS_MAX = 2000, /* told apart; events of further ones go to "others" */
	ACTIVITY_DEVICES_MAX = 100, /* shown */
	ACTIVITY_STRANGERS_MAX = 20,
	ACTIVITY_FINDINGS_MAX = 200,
	ACTIVITY_TIMES = 48,     /* sign-ins that the rhythm is taken from */
	ACTIVITY_BURST = 60,     /* s: sign-ins so close together are one: a program opens several
				    connections */
	ACTIVITY_RHYTHM_MIN = 4, /* intervals */
	ACTIVITY_KEY_SIZE = 256,
	ACTIVITY_NAME_SIZE = 130,
};

/* Why the last sign-in was refused, as a code of the texts that people read. */
#define ACTIVITY_WHY_LIST(X)                \
	X(ACTIVITY_OK, "ok")                \
	X(ACTIVITY_WRONG, "wrong_password") \
	X(ACTIVITY_OLD, "old_password")     \
	X(ACTIVITY_TWOFACTOR, "twofactor")  \
	X(ACTIVITY_CODE, "code")            \
	X(ACTIVITY_UNKNOWN, "unknown_name") \
	X(ACTIVITY_DEVICE, "wrong_device")  \
	X(ACTIVITY_SCOPE, "device_scope")   \
	X(ACTIVITY_OFF, "account_off")      \
	X(ACTIVITY_BANNED, "banned")        \
	X(ACTIVITY_UNCHECKED, "unchecked")  \
	X(ACTIVITY_NO_TLS, "no_tls")        \
	X(ACTIVITY_MECHANISM, "mechanism")  \
	X(ACTIVITY_BLOCKED, "blocked")      \
	X(ACTIVITY_TEMPORARY, "temporary")  \
	X(ACTIVITY_OTHER, "other")

enum activity_why {
#define ACTIVITY_ENUM(name, text) name,
	ACTIVITY_WHY_LIST(ACTIVITY_ENUM)
#undef ACTIVITY_ENUM
	ACTIVITY_WHY_MAX
};
const char *activity_why_name(enum activity_why why);

struct activity_event {
	int64_t at;
	uint64_t session;
	enum service service;
	enum verdict verdict;
	enum reason reason;
	uint64_t device;          /* 0: main password, or none that is known */
	struct slice device_name; /* "" if it is gone */
	struct slice client_name; /* what the program calls itself */
	struct ip client;
};

/* What a refused main password turned out to be, by the session in which it was tried. */
struct activity_finding {
	uint64_t session;
	int64_t changed_at; /* it was the account's password until then; 0: it never was */
};

struct activity_device {
	char key[ACTIVITY_KEY_SIZE]; /* the same for the same device at every look */
	const struct client_family *family;
	char client_name[ACTIVITY_NAME_SIZE]; /* as last said */
	uint64_t device;
	char device_name[ACTIVITY_NAME_SIZE];
	unsigned services; /* bit 1 << enum service */
	struct ip client;  /* the last address; IP_NONE for "others" */
	bool is_others;    /* all that had no row of their own */
	int64_t first_at;
	int64_t last_at;
	unsigned every_minutes; /* 0: no rhythm */
	unsigned successes;
	unsigned failures;
	bool is_proven;         /* a right secret came from it or from its network */
	int64_t main_ok_at;     /* last sign-in by the main password on a mail port, 0: none */
	bool has_device_secret; /* the last one came with a device password, right or wrong */
	enum verdict last_verdict;
	enum reason last_reason;
	enum activity_why why;   /* of the last sign-in */
	int64_t old_password_at; /* the password it still has was changed then; 0: it is none such
				  */
};

struct activity;

struct activity *activity_new(void);
void activity_free(struct activity **pactivity);
/* Before the events; those beyond ACTIVITY_FINDINGS_MAX are dropped. */
void activity_add_finding(struct activity *activity, const struct activity_finding *finding);
/* Newest first. */
void activity_add_event(struct activity *activity, const struct activity_event *event);
/* Devices first, those seen last at the top, then strangers, "others" at the end. Borrowed; once.
 */
const struct activity_device *activity_finish(struct activity *activity, size_t *ret_count);

/* The network that a device is known by: "203.0.113.0/24", "2001:db8:1:2::/64", "none". */
const char *activity_network(const struct ip *client, char out[static IP_TEXT_SIZE]);

#endif
