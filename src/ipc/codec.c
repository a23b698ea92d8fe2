/* SPDX-License-Identifier: ISC */
/*
 * The codec, made from messages.def by expanding it once for each purpose. A packet is one byte of
 * type and the fields in their order: integers little-endian, an address as family and 16 bytes,
 * texts and blobs behind two bytes of length.
 *
 * Encoding runs the same function twice: first without memory, to check and to measure.
 */
#include "ipc/message.h"

#include <string.h>

#include "base/check.h"

enum {
	WIRE_IP = 1 + sizeof((struct ip *)0)->bytes,
	WIRE_LENGTH = 2,
	WIRE_TYPE = 1,
};

/* No packet can be longer than the buffers that take it. */
#define IPC_U8(name)          +1
#define IPC_U16(name)         +2
#define IPC_U32(name)         +4
#define IPC_U64(name)         +8
#define IPC_I64(name)         +8
#define IPC_BOOL(name)        +1
#define IPC_ENUM(name, limit) +1
#define IPC_IP(name)          +WIRE_IP
#define IPC_STR(name, max)    +WIRE_LENGTH + (max)
#define IPC_BLOB(name, max)   +WIRE_LENGTH + (max)
#define IPC_SECRET(name, max) +WIRE_LENGTH + (max)
#define IPC_MESSAGE(name, member, from, to, fields) \
	_Static_assert(WIRE_TYPE fields <= IPC_PACKET_MAX, #name " is too long");
#include "ipc/messages.def"
_Static_assert(IPC_TYPE_MAX <= UINT8_MAX, "the type is one byte");

/* What makes one message differ from another, beside its fields. */

enum role_set {
	PARENT = 1 << IPC_ROLE_PARENT,
	FRONT = 1 << IPC_ROLE_FRONT,
	CORE = 1 << IPC_ROLE_CORE,
	VAULT = 1 << IPC_ROLE_VAULT,
	CLI = 1 << IPC_ROLE_CLI,
	WEB = 1 << IPC_ROLE_WEB,
	CHILDREN = FRONT | CORE | VAULT | WEB,
};

struct shape {
	const char *name;
	unsigned from; /* bits of enum role_set */
	unsigned to;
	unsigned secrets; /* fields of type IPC_SECRET */
};

#define IPC_U8(name)
#define IPC_U16(name)
#define IPC_U32(name)
#define IPC_U64(name)
#define IPC_I64(name)
#define IPC_BOOL(name)
#define IPC_ENUM(name, limit)
#define IPC_IP(name)
#define IPC_STR(name, max)
#define IPC_BLOB(name, max)
#define IPC_SECRET(name, max)                       +1
#define IPC_MESSAGE(name, member, from, to, fields) { #name, (from), (to), 0 fields },
static const struct shape shapes[IPC_TYPE_MAX] = {
#include "ipc/messages.def"
};

/* Who has a channel to whom at all: a message with several senders and receivers gets no further.
 */
static const unsigned neighbours[IPC_ROLE_MAX] = {
	[IPC_ROLE_PARENT] = CHILDREN,
	[IPC_ROLE_FRONT] = PARENT | CORE,
	[IPC_ROLE_CORE] = PARENT | FRONT | VAULT | CLI | WEB,
	[IPC_ROLE_VAULT] = PARENT | CORE,
	[IPC_ROLE_CLI] = CORE,
	[IPC_ROLE_WEB] = PARENT | CORE,
};

const char *ipc_type_name(enum ipc_type type)
{
	return type < IPC_TYPE_MAX ? shapes[type].name : "?";
}

const char *ipc_role_name(enum ipc_role role)
{
	static const char *const names[IPC_ROLE_MAX] = {
		[IPC_ROLE_PARENT] = "parent",
		[IPC_ROLE_FRONT] = "front",
		[IPC_ROLE_CORE] = "core",
		[IPC_ROLE_VAULT] = "vault",
		[IPC_ROLE_CLI] = "cli",
		[IPC_ROLE_WEB] = "web",
	};

	return role < IPC_ROLE_MAX ? names[role] : "?";
}

bool ipc_is_permitted(enum ipc_type type, enum ipc_role from, enum ipc_role to)
{
	if (type >= IPC_TYPE_MAX || from >= IPC_ROLE_MAX || to >= IPC_ROLE_MAX)
		return false;
	return (shapes[type].from & 1U << from) != 0 && (shapes[type].to & 1U << to) != 0 &&
	       (neighbours[from] & 1U << to) != 0;
}

bool ipc_is_secret(enum ipc_type type)
{
	return type < IPC_TYPE_MAX && shapes[type].secrets > 0;
}

static bool is_ip(const struct ip *ip)
{
	size_t used = 0;

	switch (ip->family) {
	case IP_NONE:
		break;
	case IP_V4:
		used = 4;
		break;
	case IP_V6:
		used = sizeof ip->bytes;
		break;
	default:
		return false;
	}
	for (size_t i = used; i < sizeof ip->bytes; i++) {
		if (ip->bytes[i] != 0)
			return false;
	}
	return true;
}

static bool is_text(struct slice text)
{
	return slice_find(text, '\0') < 0;
}

/* Encoding. */

struct writer {
	char *at; /* NULL: only measure */
	size_t len;
	bool failed; /* stays */
};

static void put_bytes(struct writer *writer, const void *data, size_t len)
{
	if (writer->at != NULL && len > 0) {
		memcpy(writer->at, data, len);
		writer->at += len;
	}
	writer->len += len;
}

static void put_int(struct writer *writer, uint64_t value, size_t bytes)
{
	unsigned char wire[sizeof value];

	for (size_t i = 0; i < bytes; i++)
		wire[i] = (unsigned char)(value >> 8 * i);
	put_bytes(writer, wire, bytes);
}

static void put_enum(struct writer *writer, uint8_t value, unsigned limit)
{
	writer->failed |= value >= limit;
	put_int(writer, value, 1);
}

static void put_ip(struct writer *writer, const struct ip *ip)
{
	writer->failed |= !is_ip(ip);
	put_int(writer, ip->family, 1);
	put_bytes(writer, ip->bytes, sizeof ip->bytes);
}

static void put_blob(struct writer *writer, struct slice bytes, size_t max)
{
	if (bytes.len > max) {
		writer->failed = true;
		return;
	}
	put_int(writer, bytes.len, WIRE_LENGTH);
	put_bytes(writer, bytes.data, bytes.len);
}

static void put_text(struct writer *writer, struct slice text, size_t max)
{
	writer->failed |= text.len <= max && !is_text(text);
	put_blob(writer, text, max);
}

#define IPC_U8(name)          put_int(writer, in->name, 1);
#define IPC_U16(name)         put_int(writer, in->name, 2);
#define IPC_U32(name)         put_int(writer, in->name, 4);
#define IPC_U64(name)         put_int(writer, in->name, 8);
#define IPC_I64(name)         put_int(writer, (uint64_t)in->name, 8);
#define IPC_BOOL(name)        put_int(writer, in->name ? 1 : 0, 1);
#define IPC_ENUM(name, limit) put_enum(writer, in->name, (limit));
#define IPC_IP(name)          put_ip(writer, &in->name);
#define IPC_STR(name, max)    put_text(writer, in->name, (max));
#define IPC_BLOB(name, max)   put_blob(writer, in->name, (max));
#define IPC_SECRET(name, max) put_blob(writer, in->name, (max));
#define IPC_MESSAGE(name, member, from, to, fields)                                    \
	static void put_##member(struct writer *writer, const struct ipc_##member *in) \
	{                                                                              \
		fields                                                                 \
	}
#include "ipc/messages.def"

static void put_message(struct writer *writer, const struct ipc_message *message)
{
	put_int(writer, message->type, WIRE_TYPE);
	switch (message->type) {
#define IPC_MESSAGE(name, member, from, to, fields)     \
	case IPC_##name:                                \
		put_##member(writer, &message->member); \
		break;
#include "ipc/messages.def"
	case IPC_TYPE_MAX:
		writer->failed = true;
		break;
	}
}

enum gp_err ipc_encode(const struct ipc_message *message, struct buf *out)
{
	struct writer writer = { 0 };
	enum gp_err err;

	GP_ASSERT(message->type < IPC_TYPE_MAX);
	put_message(&writer, message);
	if (writer.failed)
		return GP_ERR_LIMIT;
	err = buf_reserve(out, writer.len);
	if (err != GP_OK)
		return err;
	writer = (struct writer){ .at = buf_tail(out) };
	put_message(&writer, message);
	buf_added(out, writer.len);
	return GP_OK;
}

/* Decoding. */

struct reader {
	struct slice rest;
	bool failed; /* stays; what is read after it is 0 or empty */
};

static struct slice get_bytes(struct reader *reader, size_t len)
{
	struct slice bytes = { 0 };

	if (reader->failed || reader->rest.len < len) {
		reader->failed = true;
		return bytes;
	}
	bytes = slice_head(reader->rest, len);
	reader->rest = slice_from(reader->rest, len);
	return bytes;
}

static uint64_t get_int(struct reader *reader, size_t bytes)
{
	struct slice wire = get_bytes(reader, bytes);
	uint64_t value = 0;

	for (size_t i = 0; i < wire.len; i++)
		value |= (uint64_t)(unsigned char)wire.data[i] << 8 * i;
	return value;
}

/* One byte below limit: enums and booleans. */
static uint8_t get_enum(struct reader *reader, unsigned limit)
{
	uint64_t value = get_int(reader, 1);

	reader->failed |= value >= limit;
	return (uint8_t)value;
}

static struct ip get_ip(struct reader *reader)
{
	struct ip ip = { .family = (uint8_t)get_int(reader, 1) };
	struct slice bytes = get_bytes(reader, sizeof ip.bytes);

	if (bytes.len > 0)
		memcpy(ip.bytes, bytes.data, sizeof ip.bytes);
	reader->failed |= !is_ip(&ip);
	return ip;
}

static struct slice get_blob(struct reader *reader, size_t max)
{
	size_t len = (size_t)get_int(reader, WIRE_LENGTH);

	reader->failed |= len > max;
	return get_bytes(reader, len);
}

static struct slice get_text(struct reader *reader, size_t max)
{
	struct slice text = get_blob(reader, max);

	reader->failed |= !is_text(text);
	return text;
}

#define IPC_U8(name)          out->name = (uint8_t)get_int(reader, 1);
#define IPC_U16(name)         out->name = (uint16_t)get_int(reader, 2);
#define IPC_U32(name)         out->name = (uint32_t)get_int(reader, 4);
#define IPC_U64(name)         out->name = get_int(reader, 8);
#define IPC_I64(name)         out->name = (int64_t)get_int(reader, 8);
#define IPC_BOOL(name)        out->name = get_enum(reader, 2) == 1;
#define IPC_ENUM(name, limit) out->name = get_enum(reader, (limit));
#define IPC_IP(name)          out->name = get_ip(reader);
#define IPC_STR(name, max)    out->name = get_text(reader, (max));
#define IPC_BLOB(name, max)   out->name = get_blob(reader, (max));
#define IPC_SECRET(name, max) out->name = get_blob(reader, (max));
#define IPC_MESSAGE(name, member, from, to, fields)                               \
	static void get_##member(struct reader *reader, struct ipc_##member *out) \
	{                                                                         \
		fields                                                            \
	}
#include "ipc/messages.def"

enum gp_err ipc_decode(struct slice packet, struct ipc_message *ret_message)
{
	struct reader reader = { .rest = packet, .failed = packet.len > IPC_PACKET_MAX };
	struct ipc_message message = { .type = (enum ipc_type)get_enum(&reader, IPC_TYPE_MAX) };

	if (reader.failed)
		return GP_ERR_PROTOCOL;
	switch (message.type) {
#define IPC_MESSAGE(name, member, from, to, fields)     \
	case IPC_##name:                                \
		get_##member(&reader, &message.member); \
		break;
#include "ipc/messages.def"
	case IPC_TYPE_MAX:
		reader.failed = true;
		break;
	}
	if (reader.failed || reader.rest.len > 0)
		return GP_ERR_PROTOCOL;
	*ret_message = message;
	return GP_OK;
}
