/* SPDX-License-Identifier: ISC */
/*
 *	LINE --"."--> DOT, for the dot in front is the transfer's (RFC 5321 section 4.5.2)
 *	LINE, DOT --space--> VALUE, of the field before; --empty line--> BODY
 *	LINE, DOT --else--> NAME --":"--> VALUE
 *	NAME, VALUE --CRLF--> LINE
 *	BODY_LINE --"-"--> BODY_DASH --"-"--> BODY_BOUNDARY; else BODY; each --CRLF--> BODY_LINE
 */
#include "proto/message_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "proto/address_list.h"
#include "proto/header_text.h"

enum state {
	STATE_LINE,
	STATE_DOT,
	STATE_NAME,
	STATE_VALUE,
	STATE_BODY_LINE,
	STATE_BODY_DASH,
	STATE_BODY,
	STATE_BODY_BOUNDARY,
};

enum {
	NAME_SIZE = 8, /* longest name that is looked for */
};

struct message_scan {
	enum state state;
	bool wants_from;
	bool wants_body;
	bool has_header;
	/* The name of the field so far, lower case. */
	char name[NAME_SIZE];
	size_t name_len;
	bool is_name_over; /* white space has followed it */
	struct buf *field; /* where its value goes, NULL: nowhere */
	struct buf subject;
	struct buf from;
	bool has_subject;
	unsigned froms;
	bool is_from_cut;
	size_t hashed;
	struct siphash hash;
};

/* No secret: whoever makes two bodies alike for us gains nothing. */
static const uint64_t body_key[2] = { 0x6d65737361676520U, 0x66696e6765727072U };

struct message_scan *message_scan_new(bool wants_from, bool wants_body)
{
	struct message_scan *scan = mem_new(1, sizeof *scan);

	scan->wants_from = wants_from;
	scan->wants_body = wants_body;
	buf_init(&scan->subject, MESSAGE_SCAN_SUBJECT);
	buf_init(&scan->from, MESSAGE_SCAN_FROM);
	siphash_init(&scan->hash, body_key);
	return scan;
}

void message_scan_free(struct message_scan **pscan)
{
	struct message_scan *scan = *pscan;

	*pscan = NULL;
	if (scan == NULL)
		return;
	buf_fini(&scan->subject);
	buf_fini(&scan->from);
	mem_free(scan);
}

/* ---- the header ---- */

static void begin_name(struct message_scan *scan)
{
	scan->state = STATE_NAME;
	scan->name_len = 0;
	scan->is_name_over = false;
	scan->field = NULL;
}

static void add_name(struct message_scan *scan, char byte)
{
	bool is_space = byte == ' ' || byte == '\t';

	if (!is_space && !scan->is_name_over && scan->name_len < NAME_SIZE)
		scan->name[scan->name_len++] = text_lower(byte);
	else if (!is_space)
		scan->name_len = NAME_SIZE; /* longer, or no name: nothing that is looked for */
	scan->is_name_over = is_space;
}

/* Behind the colon. */
static void begin_value(struct message_scan *scan)
{
	struct slice name = slice_of(scan->name, scan->name_len);

	scan->state = STATE_VALUE;
	if (slice_is(name, "subject") && !scan->has_subject) {
		scan->has_subject = true;
		scan->field = &scan->subject;
	} else if (slice_is(name, "from") && scan->froms++ == 0 && scan->wants_from) {
		scan->field = &scan->from;
	}
}

static void add_value(struct message_scan *scan, struct slice bytes)
{
	struct slice head = { NULL, 0 };
	enum gp_err err;

	if (scan->field == NULL)
		return;
	head = slice_head(bytes, buf_room(scan->field));
	err = buf_append(scan->field, head);
	GP_ASSERT(err == GP_OK);
	if (head.len < bytes.len && scan->field == &scan->from)
		scan->is_from_cut = true;
}

static void end_header(struct message_scan *scan)
{
	scan->has_header = true;
	scan->field = NULL;
	scan->state = STATE_BODY_LINE;
}

/* What stands in front of the next line's end; true: the end is there, and is taken. */
static bool take_line(struct slice *rest, struct slice *ret_text)
{
	const char *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t len = end != NULL ? (size_t)(end - rest->data) : rest->len;

	*ret_text = slice_head(*rest, len > 0 && end != NULL ? len - 1 : len);
	*rest = slice_from(*rest, end != NULL ? len + 1 : len);
	return end != NULL;
}

static void start_line(struct message_scan *scan, struct slice *rest)
{
	char first = rest->data[0];

	if (first == '.' && scan->state == STATE_LINE) {
		scan->state = STATE_DOT;
		*rest = slice_from(*rest, 1);
	} else if (first == '\r') {
		*rest = slice_from(*rest, 2);
		end_header(scan);
	} else if (first == ' ' || first == '\t') {
		scan->state = STATE_VALUE;
	} else {
		begin_name(scan);
	}
}

static void take_name(struct message_scan *scan, struct slice *rest)
{
	for (; rest->len > 0; *rest = slice_from(*rest, 1)) {
		if (rest->data[0] == '\r')
			break;
		if (rest->data[0] == ':') {
			*rest = slice_from(*rest, 1);
			begin_value(scan);
			return;
		}
		add_name(scan, rest->data[0]);
	}
	if (rest->len == 0)
		return;
	/* A line that is no field. */
	*rest = slice_from(*rest, 2);
	scan->state = STATE_LINE;
}

static void take_value(struct message_scan *scan, struct slice *rest)
{
	struct slice text;
	bool is_over = take_line(rest, &text);

	add_value(scan, text);
	if (is_over)
		scan->state = STATE_LINE;
}

/* ---- the body ---- */

static void hash(struct message_scan *scan, struct slice bytes)
{
	bytes = slice_head(bytes, MESSAGE_SCAN_BODY - scan->hashed);
	siphash_add(&scan->hash, bytes);
	scan->hashed += bytes.len;
}

static void take_body(struct message_scan *scan, struct slice *rest)
{
	struct slice start = *rest;
	struct slice text;
	char first = rest->data[0];
	bool is_over;

	if (scan->state == STATE_BODY_LINE && first == '-') {
		scan->state = STATE_BODY_DASH;
		*rest = slice_from(*rest, 1);
		return;
	}
	if (scan->state == STATE_BODY_DASH && first != '-')
		hash(scan, SLICE_LIT("-"));
	if (scan->state == STATE_BODY_DASH && first == '-')
		scan->state = STATE_BODY_BOUNDARY;
	else if (scan->state != STATE_BODY_BOUNDARY)
		scan->state = STATE_BODY;
	is_over = take_line(rest, &text);
	if (scan->state == STATE_BODY)
		hash(scan, slice_head(start, start.len - rest->len));
	if (is_over)
		scan->state = STATE_BODY_LINE;
}

/* ---- all of it ---- */

static bool is_done(const struct message_scan *scan)
{
	return scan->hashed >= MESSAGE_SCAN_BODY || (scan->has_header && !scan->wants_body);
}

void message_scan_add(struct message_scan *scan, struct slice bytes)
{
	while (bytes.len > 0 && !is_done(scan)) {
		switch (scan->state) {
		case STATE_LINE:
		case STATE_DOT:
			start_line(scan, &bytes);
			break;
		case STATE_NAME:
			take_name(scan, &bytes);
			break;
		case STATE_VALUE:
			take_value(scan, &bytes);
			break;
		case STATE_BODY_LINE:
		case STATE_BODY_DASH:
		case STATE_BODY:
		case STATE_BODY_BOUNDARY:
			take_body(scan, &bytes);
			break;
		}
	}
}

void message_scan_end(struct message_scan *scan)
{
	scan->has_header = true;
}

bool message_scan_has_header(const struct message_scan *scan)
{
	return scan->has_header;
}

enum message_from message_scan_from(const struct message_scan *scan, struct buf *out)
{
	size_t before = out->len;

	if (scan->froms > 1 || scan->is_from_cut ||
		address_list_parse(buf_slice(&scan->from), out) != GP_OK)
		return MESSAGE_FROM_BAD;
	return out->len > before ? MESSAGE_FROM_ADDRESSES : MESSAGE_FROM_NOBODY;
}

void message_scan_subject(const struct message_scan *scan, struct buf *out)
{
	header_text_decode(buf_slice(&scan->subject), out);
}

bool message_scan_body(const struct message_scan *scan, unsigned char out[static SIPHASH_BYTES])
{
	if (scan->hashed == 0)
		return false;
	siphash_get(&scan->hash, out);
	return true;
}
