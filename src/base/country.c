/* SPDX-License-Identifier: ISC */
/*
 * The file: a binary tree of the bits of addresses, whose leaves point into a section of tagged
 * fields; behind both a map that says how the tree is laid out.
 */
#include "base/country.h"

enum {
	SEPARATOR = 16,               /* zero bytes between tree and data */
	METADATA_BEHIND = 128 * 1024, /* the last so many bytes hold the metadata */
	LEAVES_TRIED = 65536,         /* records looked at until one has a country */
	RECORD_BITS_MAX = 32,
	V4_DEPTH = 96,
};

enum type {
	TYPE_EXTENDED = 0,
	TYPE_POINTER = 1,
	TYPE_TEXT = 2,
	TYPE_U16 = 5,
	TYPE_U32 = 6,
	TYPE_MAP = 7,
	TYPE_ARRAY = 11,
	TYPE_BOOL = 14,
};

/* A field, its header read. size: bytes of payload; pairs of a map, members of an array. */
struct field {
	unsigned type;
	size_t size;
	size_t at;   /* of the payload */
	size_t next; /* what stands behind: the payload's end, or the first member */
};

static const char marker[] = "\xab\xcd\xefMaxMind.com";

/* Big-endian, of at most 8 bytes; the caller has seen that they are there. */
static uint64_t number(struct slice bytes, size_t at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | (uint8_t)bytes.data[at + i];
	return value;
}

static bool has(struct slice bytes, size_t at, size_t len)
{
	return at <= bytes.len && len <= bytes.len - at;
}

/* The length that stands behind the header's first byte, where its five bits are full. */
static bool read_size(struct slice data, struct field *field)
{
	static const size_t base[] = { 29, 285, 65821 };
	size_t extra;

	if (field->size < 29)
		return true;
	extra = field->size - 28;
	if (!has(data, field->at, extra))
		return false;
	field->size = base[extra - 1] + (size_t)number(data, field->at, extra);
	field->at += extra;
	return true;
}

/* Two bits of the header are the pointer's length, three its highest bits. */
static bool read_pointer(struct slice data, unsigned header, struct field *field)
{
	static const size_t base[] = { 0, 2048, 526336, 0 };
	size_t len = (header >> 3 & 3) + 1;
	uint64_t high = len < 4 ? header & 7 : 0;

	if (!has(data, field->at, len))
		return false;
	field->size = base[len - 1] + (size_t)(high << (8 * len) | number(data, field->at, len));
	field->at += len;
	field->next = field->at;
	return true;
}

static bool read_field(struct slice data, size_t at, struct field *field)
{
	unsigned header;

	if (!has(data, at, 1))
		return false;
	header = (uint8_t)data.data[at];
	*field = (struct field){ .type = header >> 5, .size = header & 31, .at = at + 1 };
	if (field->type == TYPE_POINTER)
		return read_pointer(data, header, field);
	if (field->type == TYPE_EXTENDED) {
		if (!has(data, field->at, 1))
			return false;
		field->type = 7 + (uint8_t)data.data[field->at++];
		if (field->type <= TYPE_MAP)
			return false;
	}
	if (!read_size(data, field))
		return false;
	field->next = field->at;
	if (field->type == TYPE_MAP || field->type == TYPE_ARRAY || field->type == TYPE_BOOL)
		return true;
	if (!has(data, field->at, field->size))
		return false;
	field->next += field->size;
	return true;
}

/* What a pointer points to; another pointer the format does not allow. */
static bool follow(struct slice data, struct field *field)
{
	if (field->type != TYPE_POINTER)
		return true;
	return read_field(data, field->size, field) && field->type != TYPE_POINTER;
}

/* Past the field at *at, with all that is in it. */
static bool skip(struct slice data, size_t *at, unsigned *steps)
{
	size_t left = 1;

	for (; left > 0; left--) {
		struct field field;

		if (++*steps > COUNTRY_STEPS_MAX || !read_field(data, *at, &field))
			return false;
		*at = field.next;
		if (field.type == TYPE_MAP)
			left += 2 * field.size;
		else if (field.type == TYPE_ARRAY)
			left += field.size;
	}
	return true;
}

static struct slice payload(struct slice data, const struct field *field)
{
	return slice_of(data.data + field->at, field->size);
}

/* The value of this key in a map, pointers followed. */
static bool find_key(struct slice data, const struct field *map, const char *key, unsigned *steps,
	struct field *ret_value)
{
	size_t at = map->at;

	if (map->type != TYPE_MAP)
		return false;
	for (size_t i = 0; i < map->size; i++) {
		struct field name;

		if (++*steps > COUNTRY_STEPS_MAX || !read_field(data, at, &name))
			return false;
		at = name.next;
		if (!follow(data, &name) || name.type != TYPE_TEXT)
			return false;
		if (slice_is(payload(data, &name), key))
			return read_field(data, at, ret_value) && follow(data, ret_value);
		if (!skip(data, &at, steps))
			return false;
	}
	return false;
}

uint16_t country_parse(struct slice text)
{
	if (text.len != 2 || text.data[0] < 'A' || text.data[0] > 'Z' || text.data[1] < 'A' ||
		text.data[1] > 'Z')
		return 0;
	return (uint16_t)((uint8_t)text.data[0] << 8 | (uint8_t)text.data[1]);
}

const char *country_text(uint16_t country, char out[static COUNTRY_TEXT_SIZE])
{
	out[0] = (char)(country >> 8);
	out[1] = (char)(country & 0xff);
	out[2] = '\0';
	return out;
}

/* {"country": {"iso_code": "DE"}}, as MaxMind has it, or what others do: {"country": "DE"},
 * {"country_code": "DE"}. */
static uint16_t read_country(struct slice data, size_t at)
{
	struct field top;
	struct field value;
	struct field code;
	unsigned steps = 0;

	if (!read_field(data, at, &top) || !follow(data, &top))
		return 0;
	if (find_key(data, &top, "country", &steps, &value)) {
		if (value.type == TYPE_TEXT && value.size == 2)
			return country_parse(payload(data, &value));
		if (find_key(data, &value, "iso_code", &steps, &code) && code.type == TYPE_TEXT)
			return country_parse(payload(data, &code));
	}
	if (find_key(data, &top, "country_code", &steps, &code) && code.type == TYPE_TEXT)
		return country_parse(payload(data, &code));
	return 0;
}

/* The left or right record of a node. */
static uint32_t read_record(const struct country_db *db, uint32_t node, unsigned side)
{
	size_t bytes = db->record_bits / 4;
	size_t at = (size_t)node * bytes;

	if (db->record_bits != 28)
		return (uint32_t)number(db->tree, at + side * bytes / 2, bytes / 2);
	/* The byte in the middle has the highest four bits of both. */
	if (side == 0)
		return (uint32_t)((number(db->tree, at + 3, 1) >> 4) << 24 |
				  number(db->tree, at, 3));
	return (uint32_t)((number(db->tree, at + 3, 1) & 15) << 24 | number(db->tree, at + 4, 3));
}

/* What a record beyond the nodes says: nothing, or where its data is. */
static uint16_t country_at(const struct country_db *db, uint32_t record)
{
	if (record - db->nodes < SEPARATOR)
		return 0;
	return read_country(db->data, record - db->nodes - SEPARATOR);
}

static uint32_t find_v4_root(const struct country_db *db)
{
	uint32_t node = 0;

	for (unsigned i = 0; i < V4_DEPTH && node < db->nodes; i++)
		node = read_record(db, node, 0);
	return node;
}

uint16_t country_find(const struct country_db *db, const struct ip *ip)
{
	unsigned bits = ip->family == IP_V4 ? 32 : 128;
	uint32_t node = ip->family == IP_V4 && db->is_v6 ? db->v4_root : 0;

	if (db->nodes == 0 || ip->family == IP_NONE || (ip->family == IP_V6 && !db->is_v6))
		return 0;
	for (unsigned i = 0; i < bits && node < db->nodes; i++)
		node = read_record(db, node, (unsigned)ip->bytes[i / 8] >> (7 - i % 8) & 1U);
	return node >= db->nodes ? country_at(db, node) : 0;
}

static bool read_number(struct slice data, const struct field *map, const char *key, uint64_t max,
	uint64_t *ret_value)
{
	struct field field;
	unsigned steps = 0;
	uint64_t value;

	if (!find_key(data, map, key, &steps, &field) ||
		(field.type != TYPE_U16 && field.type != TYPE_U32) || field.size > 4)
		return false;
	value = number(data, field.at, field.size);
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

/* Behind the last marker, -1: there is none. */
static ptrdiff_t find_metadata(struct slice bytes)
{
	size_t len = sizeof marker - 1;
	size_t first = bytes.len > METADATA_BEHIND ? bytes.len - METADATA_BEHIND : 0;

	for (size_t at = bytes.len; at >= first + len; at--) {
		if (slice_is(slice_of(bytes.data + at - len, len), marker))
			return (ptrdiff_t)at;
	}
	return -1;
}

/* A file of another kind, of network operators for example, would look good and know nothing. */
static bool names_countries(const struct country_db *db)
{
	uint32_t last = db->nodes < LEAVES_TRIED ? db->nodes : LEAVES_TRIED;

	for (uint32_t node = 0; node < last; node++) {
		for (unsigned side = 0; side < 2; side++) {
			uint32_t record = read_record(db, node, side);

			if (record > db->nodes && country_at(db, record) != 0)
				return true;
		}
	}
	return false;
}

enum gp_err country_open(struct slice bytes, struct country_db *ret_db, struct gp_why *why)
{
	struct country_db db = { .nodes = 0 };
	ptrdiff_t metadata_at = find_metadata(bytes);
	struct slice metadata;
	struct field map;
	uint64_t major = 0;
	uint64_t nodes = 0;
	uint64_t bits = 0;
	uint64_t version = 0;
	size_t tree_len;

	if (bytes.len > COUNTRY_FILE_MAX)
		return gp_why_set(why, GP_ERR_SYNTAX, "too large");
	if (metadata_at < 0)
		return gp_why_set(why, GP_ERR_SYNTAX, "no MaxMind DB, or cut off");
	metadata = slice_from(bytes, (size_t)metadata_at);
	bytes = slice_head(bytes, (size_t)metadata_at - (sizeof marker - 1));
	if (!read_field(metadata, 0, &map) ||
		!read_number(metadata, &map, "binary_format_major_version", UINT16_MAX, &major) ||
		!read_number(metadata, &map, "node_count", UINT32_MAX, &nodes) ||
		!read_number(metadata, &map, "record_size", RECORD_BITS_MAX, &bits) ||
		!read_number(metadata, &map, "ip_version", 6, &version))
		return gp_why_set(why, GP_ERR_SYNTAX, "malformed metadata");
	if (major != 2 || (bits != 24 && bits != 28 && bits != 32) ||
		(version != 4 && version != 6) || nodes == 0)
		return gp_why_set(why, GP_ERR_SYNTAX, "no MaxMind DB of version 2");
	if (nodes > bytes.len / (bits / 4) || bytes.len - nodes * (bits / 4) < SEPARATOR)
		return gp_why_set(why, GP_ERR_SYNTAX, "cut off");
	tree_len = (size_t)(nodes * (bits / 4));
	db.tree = slice_head(bytes, tree_len);
	db.data = slice_from(bytes, tree_len + SEPARATOR);
	db.nodes = (uint32_t)nodes;
	db.record_bits = (unsigned)bits;
	db.is_v6 = version == 6;
	db.v4_root = db.is_v6 ? find_v4_root(&db) : 0;
	if (!names_countries(&db))
		return gp_why_set(why, GP_ERR_SYNTAX, "names no countries: a file of another kind");
	*ret_db = db;
	return GP_OK;
}
