/* SPDX-License-Identifier: ISC */
/*
 * What is noticed of a message while it passes: its subject, whom its From: field names, and a
 * fingerprint of its body by which one message to many is recognised. Sees the bytes of ENGINE_BODY
 * as they are, keeps the two fields and nothing else, and looks at no more than the header and,
 * where the fingerprint is wanted, the first MESSAGE_SCAN_BODY bytes behind it.
 *
 * The header ends at the first empty line and not before, so that a field which some mail program
 * might still take for one is seen (a line that is none in the middle, space before a colon).
 */
#ifndef GP_PROTO_MESSAGE_SCAN_H
#define GP_PROTO_MESSAGE_SCAN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/siphash.h"
#include "base/slice.h"

enum {
	MESSAGE_SCAN_SUBJECT = 2048, /* bytes of the field that are kept; what is over is cut off */
	MESSAGE_SCAN_FROM = 8192,    /* the same; one that is longer cannot be read */
	MESSAGE_SCAN_ADDRESSES = 2048, /* of all addresses, with commas between */
	MESSAGE_SCAN_BODY = 64 * 1024,
};

/* Of the From: field. */
enum message_from {
	MESSAGE_FROM_NOBODY, /* there is none, or it names no mailbox */
	MESSAGE_FROM_ADDRESSES,
	MESSAGE_FROM_BAD, /* there are several, or it is too long, or cannot be read */
};

struct message_scan;

/* wants_from, wants_body: else message_scan_from(), message_scan_body() has nothing to say. */
struct message_scan *message_scan_new(bool wants_from, bool wants_body);
void message_scan_free(struct message_scan **pscan);

/* The next bytes: no CR or LF in them that is not part of a CRLF, none of these cut apart. */
void message_scan_add(struct message_scan *scan, struct slice bytes);
/* There are no more. */
void message_scan_end(struct message_scan *scan);
bool message_scan_has_header(const struct message_scan *scan); /* all of it was seen */

/* After has_header. Appends the addresses (proto/address_list.h) to out, which has room for
 * MESSAGE_SCAN_ADDRESSES. */
enum message_from message_scan_from(const struct message_scan *scan, struct buf *out);
/* Decoded (proto/header_text.h), appended to out. */
void message_scan_subject(const struct message_scan *scan, struct buf *out);
/* Of the body so far; false: there is none. The lines between the parts of a body, which are new
 * in every message, are left out. */
bool message_scan_body(const struct message_scan *scan, unsigned char out[static SIPHASH_BYTES]);

#endif
