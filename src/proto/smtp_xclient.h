/* SPDX-License-Identifier: ISC */
/*
 * Tells a next hop that trusts us who the client is (Postfix's XCLIENT_README). Attributes the next
 * hop does not offer are left out; values are xtext. ADDR goes last, for with it the next hop takes
 * our right to say more away.
 */
#ifndef GP_PROTO_SMTP_XCLIENT_H
#define GP_PROTO_SMTP_XCLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/smtp_client.h"

enum {
	SMTP_XCLIENT_LINE_MAX = 512 /* octets of one command, with CRLF */
};

struct smtp_xclient; /* what is to be told, and how far that has come */

struct smtp_xclient *smtp_xclient_new(const struct smtp_client_identity *identity); /* copies */
void smtp_xclient_free(struct smtp_xclient **pxclient);

/* keywords: what follows XCLIENT in the EHLO reply. */
void smtp_xclient_set_offer(struct smtp_xclient *xclient, struct slice keywords);
/* Appends the next command; false, and nothing: all is told, or out is full. */
bool smtp_xclient_append_next(struct smtp_xclient *xclient, struct buf *out);
bool smtp_xclient_has_more(const struct smtp_xclient *xclient);
bool smtp_xclient_has_address(const struct smtp_xclient *xclient); /* ADDR is offered */
/* The client's own EHLO name if it can stand in a command, else NULL. */
const char *smtp_xclient_helo(const struct smtp_xclient *xclient);

#endif
