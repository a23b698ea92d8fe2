/* SPDX-License-Identifier: ISC */
/*
 * Version 1 is a line, version 2 a binary block; the first byte tells them apart. What cannot
 * become a header any more is refused at once, so that a peer that speaks something else is not
 * waited for.
 */
#include "proto/haproxy.h"

#include <string.h>

#include "base/check.h"

enum {
	V2_FIXED = 16, /* signature, version and command, family, length */
	V2_LOCAL = 0x20,
	V2_PROXY = 0x21,
	FAMILY_UNSPEC = 0x00,
	FAMILY_TCP4 = 0x11,
	FAMILY_TCP6 = 0x21,
	TCP4_SIZE = 12,
	TCP6_SIZE = 36,
	TLV_HEAD = 3,
	TLV_CRC32C = 0x03,
	TLV_UNIQUE_ID = 0x05,
	TLV_SSL = 0x20,
	UNIQUE_ID_MAX = 128,
	SSL_FIXED = 5, /* client bits, verify result */
};

static const char v1_start[] = "PROXY ";
static const char v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";

static bool starts_like(struct slice bytes, const char *start, size_t len)
{
	size_t have = bytes.len < len ? bytes.len : len;

	return memcmp(bytes.data, start, have) == 0;
}

/* ---- version 1 ---- */

/* Decimal, no sign, no leading zeros. */
static bool parse_port(struct slice text, uint16_t *ret_port)
{
	unsigned long long port = 0;

	if (!slice_to_u64(text, UINT16_MAX, &port) || (text.len > 1 && text.data[0] == '0'))
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

/* The next field, cut off with the one space that must follow it. */
static struct slice next_field(struct slice *rest)
{
	ptrdiff_t end = slice_find(*rest, ' ');
	struct slice field = end >= 0 ? slice_head(*rest, (size_t)end) : slice_of(NULL, 0);

	*rest = slice_from(*rest, field.len + 1);
	return field;
}

static bool parse_address(struct slice text, bool is_v6, struct ip *ret_ip)
{
	return (slice_find(text, ':') >= 0) == is_v6 && ip_parse(text, ret_ip) == GP_OK;
}

/* The line behind "PROXY ", without CRLF. */
static bool parse_v1_line(struct slice line, struct haproxy_header *ret_header)
{
	struct haproxy_header header = { .is_local = false };
	struct slice rest = line;
	struct slice family = next_field(&rest);
	bool is_v6 = slice_is(family, "TCP6");

	if (slice_is(line, "UNKNOWN") || slice_is(family, "UNKNOWN")) {
		header.is_local = true;
		*ret_header = header;
		return true;
	}
	if (!is_v6 && !slice_is(family, "TCP4"))
		return false;
	if (!parse_address(next_field(&rest), is_v6, &header.client) ||
		!parse_address(next_field(&rest), is_v6, &header.local) ||
		!parse_port(next_field(&rest), &header.client_port) ||
		!parse_port(rest, &header.local_port))
		return false;
	*ret_header = header;
	return true;
}

static enum haproxy_result parse_v1(
	struct slice bytes, struct haproxy_header *ret_header, size_t *ret_used)
{
	struct slice head = slice_head(bytes, HAPROXY_V1_MAX);
	ptrdiff_t end = slice_find(head, '\r');
	struct slice line = end >= 0 ? slice_head(head, (size_t)end) : head;

	/* Text and nothing else, up to CRLF. */
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] < 0x20 || line.data[i] == 0x7f)
			return HAPROXY_BAD;
	}
	if (end < 0 || (size_t)end + 1 == head.len)
		return head.len < HAPROXY_V1_MAX ? HAPROXY_MORE : HAPROXY_BAD;
	if (head.data[end + 1] != '\n' ||
		!parse_v1_line(slice_from(line, sizeof v1_start - 1), ret_header))
		return HAPROXY_BAD;
	*ret_used = (size_t)end + 2;
	return HAPROXY_DONE;
}

/* ---- version 2 ---- */

static unsigned byte_at(struct slice bytes, size_t at)
{
	return (unsigned char)bytes.data[at];
}

static uint16_t u16_at(struct slice bytes, size_t at)
{
	return (uint16_t)(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

static uint32_t u32_at(struct slice bytes, size_t at)
{
	return (uint32_t)u16_at(bytes, at) << 16 | u16_at(bytes, at + 2);
}

/* CRC-32C of RFC 9260 appendix A, with the four bytes at hole taken as zero. */
static uint32_t crc32c(struct slice bytes, size_t hole)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= i >= hole && i < hole + 4 ? 0 : byte_at(bytes, i);
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78U : crc >> 1;
	}
	return ~crc;
}

/* Types and lengths that fill bytes from offset on exactly. */
static bool are_tlvs(struct slice bytes, size_t offset)
{
	while (offset < bytes.len) {
		if (bytes.len - offset < TLV_HEAD)
			return false;
		offset += TLV_HEAD + u16_at(bytes, offset + 1);
	}
	return offset == bytes.len;
}

/* The TLVs of a whole header, from offset on: those that have a form must have it. */
static bool check_tlvs(struct slice header, size_t offset)
{
	if (!are_tlvs(header, offset))
		return false;
	while (offset < header.len) {
		unsigned type = byte_at(header, offset);
		size_t len = u16_at(header, offset + 1);
		size_t value = offset + TLV_HEAD;

		if (type == TLV_CRC32C &&
			(len != 4 || u32_at(header, value) != crc32c(header, value)))
			return false;
		if (type == TLV_UNIQUE_ID && len > UNIQUE_ID_MAX)
			return false;
		if (type == TLV_SSL &&
			(len < SSL_FIXED ||
				!are_tlvs(slice_head(header, value + len), value + SSL_FIXED)))
			return false;
		offset = value + len;
	}
	return true;
}

static struct ip ip_at(struct slice bytes, size_t at, enum ip_family family)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip ip = { .family = (uint8_t)family };

	if (family == IP_V6 && memcmp(bytes.data + at, mapped, sizeof mapped) == 0) {
		ip.family = IP_V4;
		memcpy(ip.bytes, bytes.data + at + sizeof mapped, 4);
	} else {
		memcpy(ip.bytes, bytes.data + at, family == IP_V6 ? 16 : 4);
	}
	return ip;
}

/* A whole header of command PROXY. */
static bool parse_proxy(struct slice header, struct haproxy_header *ret_header)
{
	struct haproxy_header parsed = { .is_local = false };
	unsigned family = byte_at(header, 13);
	size_t size = family == FAMILY_TCP4 ? TCP4_SIZE : family == FAMILY_TCP6 ? TCP6_SIZE : 0;
	size_t ip_size = family == FAMILY_TCP6 ? 16 : 4;
	enum ip_family ip_family = family == FAMILY_TCP6 ? IP_V6 : IP_V4;

	if (header.len < V2_FIXED + size || !check_tlvs(header, V2_FIXED + size))
		return false;
	if (family == FAMILY_UNSPEC) {
		parsed.is_local = true;
	} else if (size > 0) {
		parsed.client = ip_at(header, V2_FIXED, ip_family);
		parsed.local = ip_at(header, V2_FIXED + ip_size, ip_family);
		parsed.client_port = u16_at(header, V2_FIXED + 2 * ip_size);
		parsed.local_port = u16_at(header, V2_FIXED + 2 * ip_size + 2);
	} else {
		return false; /* datagrams and UNIX sockets do not come here */
	}
	*ret_header = parsed;
	return true;
}

static enum haproxy_result parse_v2(
	struct slice bytes, struct haproxy_header *ret_header, size_t *ret_used)
{
	size_t len;

	if (bytes.len > 12 && byte_at(bytes, 12) != V2_LOCAL && byte_at(bytes, 12) != V2_PROXY)
		return HAPROXY_BAD;
	if (bytes.len < V2_FIXED)
		return HAPROXY_MORE;
	len = V2_FIXED + (size_t)u16_at(bytes, 14);
	if (len > HAPROXY_V2_MAX)
		return HAPROXY_BAD;
	if (bytes.len < len)
		return HAPROXY_MORE;
	/* LOCAL: what else it says is to be passed over. */
	if (byte_at(bytes, 12) == V2_LOCAL)
		*ret_header = (struct haproxy_header){ .is_local = true };
	else if (!parse_proxy(slice_head(bytes, len), ret_header))
		return HAPROXY_BAD;
	*ret_used = len;
	return HAPROXY_DONE;
}

enum haproxy_result haproxy_parse(
	struct slice bytes, struct haproxy_header *ret_header, size_t *ret_used)
{
	if (bytes.len == 0)
		return HAPROXY_MORE;
	if (starts_like(bytes, v1_start, sizeof v1_start - 1))
		return parse_v1(bytes, ret_header, ret_used);
	if (starts_like(bytes, v2_signature, sizeof v2_signature - 1))
		return parse_v2(bytes, ret_header, ret_used);
	return HAPROXY_BAD;
}

static void put_u16(char *out, uint16_t value)
{
	out[0] = (char)(unsigned char)(value >> 8);
	out[1] = (char)(unsigned char)value;
}

enum gp_err haproxy_append(struct buf *out, const struct haproxy_header *header)
{
	char bytes[V2_FIXED + TCP6_SIZE] = { 0 };
	bool is_v6 = header->client.family == IP_V6;
	bool is_local = header->is_local || header->client.family == IP_NONE ||
			header->client.family != header->local.family;
	size_t ip_size = is_v6 ? 16 : 4;
	size_t size = is_local ? 0 : 2 * ip_size + 4;

	memcpy(bytes, v2_signature, sizeof v2_signature - 1);
	bytes[12] = is_local ? V2_LOCAL : V2_PROXY;
	bytes[13] = is_local ? FAMILY_UNSPEC : is_v6 ? FAMILY_TCP6 : FAMILY_TCP4;
	put_u16(bytes + 14, (uint16_t)size);
	if (!is_local) {
		memcpy(bytes + V2_FIXED, header->client.bytes, ip_size);
		memcpy(bytes + V2_FIXED + ip_size, header->local.bytes, ip_size);
		put_u16(bytes + V2_FIXED + 2 * ip_size, header->client_port);
		put_u16(bytes + V2_FIXED + 2 * ip_size + 2, header->local_port);
	}
	return buf_append(out, slice_of(bytes, V2_FIXED + size));
}
