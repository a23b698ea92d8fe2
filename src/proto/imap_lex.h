/* SPDX-License-Identifier: ISC */
/*
 * The pieces of IMAP's grammar (RFC 9051 section 9) that are needed before sign-in, on both sides.
 * Each function cuts what it names from the front of *rest; on false *rest is not to be used on.
 * Internal to proto.
 */
#ifndef GP_PROTO_IMAP_LEX_H
#define GP_PROTO_IMAP_LEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum imap_literal {
	IMAP_LITERAL_NONE,
	IMAP_LITERAL_SYNC,    /* {n}: its bytes come after a continuation request */
	IMAP_LITERAL_NONSYNC, /* {n+}, RFC 7888: they follow at once */
};

/* The head of a literal at the end of line (which is without its CRLF). A size that is too large
 * for 64 bits is given as UINT64_MAX. */
enum imap_literal imap_lex_literal_head(struct slice line, uint64_t *ret_size);

bool imap_lex_byte(struct slice *rest, char byte);
/* The empty slice if there is none. */
struct slice imap_lex_tag(struct slice *rest);
struct slice imap_lex_atom(struct slice *rest); /* also SASL names and base64: up to a space */

/*
 * Appends the value of an astring: what stands in quotes, the bytes of a literal whose head and
 * CRLF come first, or an atom. An atom may hold more than the RFC's: all but controls, space, quote
 * and brackets that mean something ("alice%example.test" comes bare from some programs).
 */
bool imap_lex_astring(struct slice *rest, struct buf *out);
/* The same, or NIL. */
bool imap_lex_nstring(struct slice *rest, struct buf *out, bool *ret_is_nil);

#endif
