/* SPDX-License-Identifier: ISC */
/*
 * The mailboxes that a From: field names (RFC 5322 sections 3.4 and 4.4, RFC 6532, RFC 6854):
 * names, groups, quoted strings, comments and the obsolete forms are understood, and left out.
 * What cannot be read with certainty is refused, for a mail program may read it otherwise. Pure.
 */
#ifndef GP_PROTO_ADDRESS_LIST_H
#define GP_PROTO_ADDRESS_LIST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	ADDRESS_MAX = 320, /* bytes of one address */
	ADDRESS_COMMENT_DEPTH = 16,
};

/*
 * field: its body, unfolded. Appends the addresses with commas between, each as the envelope has
 * it: without comments and route, a local part quoted only where it must be. GP_ERR_SYNTAX: cannot
 * be read, or is nothing that an account can have (a comma, an encoded word in it); GP_ERR_LIMIT:
 * out is full. out is undefined then. A field that names nobody appends nothing.
 */
enum gp_err address_list_parse(struct slice field, struct buf *out) GP_CHECKED;

#endif
