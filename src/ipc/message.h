/* SPDX-License-Identifier: ISC */
/*
 * Messages between processes as structs, their codec and who may send them. All of it comes from
 * messages.def; see there for the field types and the rules.
 */
#ifndef GP_IPC_MESSAGE_H
#define GP_IPC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"
#include "base/terms.h"

enum {
	IPC_PACKET_MAX = 16 * 1024,
	IPC_NOTICE_MAX = 14 * 1024,
	IPC_NOTICE_TEXT_MAX = 256,
	IPC_DIAL_RSPAMD = UINT16_MAX, /* in place of a backend: the hosts of rspamd */
	IPC_PROFILE_PART_MAX = 12 * 1024,
};

enum ipc_role {
	IPC_ROLE_PARENT,
	IPC_ROLE_FRONT,
	IPC_ROLE_CORE,
	IPC_ROLE_VAULT,
	IPC_ROLE_CLI,
	IPC_ROLE_WEB,
	IPC_ROLE_MAX
};

/* Which work a vault process takes. FAST: device passwords. SLOW: main passwords (Argon2id). DESK:
 * everything that writes, and management. */
enum ipc_lane {
	IPC_LANE_NONE,
	IPC_LANE_FAST,
	IPC_LANE_SLOW,
	IPC_LANE_DESK,
	IPC_LANE_MAX
};

enum ipc_material_kind {
	IPC_MATERIAL_CERTIFICATE,  /* PEM chain; name: the certificate section. To fronts */
	IPC_MATERIAL_KEY,          /* its PEM key. To fronts */
	IPC_MATERIAL_BACKEND_CA,   /* PEM; name: the backend section. To fronts */
	IPC_MATERIAL_BACKEND_AUTH, /* the password Gatepost itself signs in with there. To fronts */
	IPC_MATERIAL_TOKEN_KEY,    /* HMAC key of the backend tokens. To vaults */
	IPC_MATERIAL_PEPPER,       /* HMAC key of device passwords. To vaults */
	IPC_MATERIAL_GEOIP,        /* base/country.h; too large to be read, so mapped. To core */
	IPC_MATERIAL_SIGNING_CHAIN, /* PEM chain that profiles are signed with. To the desk vault */
	IPC_MATERIAL_SIGNING_KEY,   /* its PEM key. To the desk vault */
	IPC_MATERIAL_MAX
};

/* What core does at once when an operation has changed an account. */
enum ipc_effect {
	IPC_EFFECT_NONE,
	IPC_EFFECT_PASSWORD, /* close its sessions */
	IPC_EFFECT_BLOCKED,  /* sending is refused from now on */
	IPC_EFFECT_UNBLOCKED,
	IPC_EFFECT_CONFIRMED, /* its owner says that what it sends is his: it may send */
	IPC_EFFECT_SENDERS,   /* what it may send as has changed (0: of many accounts) */
	IPC_EFFECT_RELEASED,  /* its owner has locked others out: as TWOFACTOR and UNBLOCKED */
	IPC_EFFECT_REMOVED,   /* close its sessions */
	IPC_EFFECT_DEVICE,    /* close the sessions of this device password (0: of all of them) */
	IPC_EFFECT_DOMAINS,   /* load the domains again */
	IPC_EFFECT_TWOFACTOR, /* close its sessions signed in with the main password */
	IPC_EFFECT_SHUT,      /* close its sessions: it is switched off, or served elsewhere */
	IPC_EFFECT_ROLE,      /* end its sessions at the portal: they have the old one */
	IPC_EFFECT_MAX
};

/* What core wants to know of sending before it lets anything pass. */
enum ipc_sending {
	IPC_SENDING_ACCOUNT, /* its names, its block, its profile, what it has sent of late */
	IPC_SENDING_NAMES,   /* its names and its block alone */
	IPC_SENDING_DOMAIN,  /* what all its accounts have sent of late */
	IPC_SENDING_SOURCE,  /* what was sent from there of late */
	IPC_SENDING_MAX
};

/* What came of a notice. Unless a next hop said so, it is not sent. */
enum notice_outcome {
	NOTICE_TEMPORARY, /* to be tried again */
	NOTICE_SENT,      /* the next hop has it */
	NOTICE_REFUSED,   /* for good */
	NOTICE_OUTCOME_MAX
};

enum ipc_type {
#define IPC_MESSAGE(name, member, from, to, fields) IPC_##name,
#include "ipc/messages.def"
	IPC_TYPE_MAX
};

#define IPC_U8(name)          uint8_t name;
#define IPC_U16(name)         uint16_t name;
#define IPC_U32(name)         uint32_t name;
#define IPC_U64(name)         uint64_t name;
#define IPC_I64(name)         int64_t name;
#define IPC_BOOL(name)        bool name;
#define IPC_ENUM(name, limit) uint8_t name;
#define IPC_IP(name)          struct ip name;
#define IPC_STR(name, max)    struct slice name;
#define IPC_BLOB(name, max)   struct slice name;
#define IPC_SECRET(name, max) struct slice name;
#define IPC_MESSAGE(name, member, from, to, fields) \
	struct ipc_##member {                       \
		fields                              \
	};
#include "ipc/messages.def"

struct ipc_message {
	enum ipc_type type;
	union {
#define IPC_MESSAGE(name, member, from, to, fields) struct ipc_##member member;
#include "ipc/messages.def"
	};
};

const char *ipc_type_name(enum ipc_type type); /* "SIGNIN_REPLY" */
const char *ipc_role_name(enum ipc_role role); /* "front" */

/* May a process of role from send this message to one of role to? */
bool ipc_is_permitted(enum ipc_type type, enum ipc_role from, enum ipc_role to);
/* Does it carry a secret, so that its packet must be wiped? */
bool ipc_is_secret(enum ipc_type type);

/* Appends the packet to out. GP_ERR_LIMIT if a field is longer than its bound. */
enum gp_err ipc_encode(const struct ipc_message *message, struct buf *out) GP_CHECKED;
/* Slices of *ret_message borrow from packet. GP_ERR_PROTOCOL for anything but exactly one message.
 */
enum gp_err ipc_decode(struct slice packet, struct ipc_message *ret_message) GP_CHECKED;

#endif
