/* SPDX-License-Identifier: ISC */
/*
 * Keeps UNAUTHENTICATE (RFC 8437) out of a relayed IMAP session whose backend offers it: signed out
 * and in again behind our back, nobody would be counted. Commands UNAUTHENTICATE and COMPRESS (RFC
 * 4978: it would blind the filter) reach the backend under a name that it does not know, so that
 * the backend itself says BAD, in turn; both are left out of the capabilities.
 *
 * Literals are stepped over, never changed. But a backend that refuses a command need not take the
 * literal that it announced, and what this filter steps over is then a command to the backend. So a
 * line in a literal that would be one of the two commands ("x UNAUTHENTICATE", "x COMPRESS
 * DEFLATE") ends the session: no message is worth the doubt.
 */
#ifndef GP_PROTO_IMAP_FILTER_H
#define GP_PROTO_IMAP_FILTER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct imap_filter; /* one direction */

struct imap_filter *imap_filter_new_commands(void);  /* client to backend */
struct imap_filter *imap_filter_new_responses(void); /* backend to client */
void imap_filter_free(struct imap_filter **pfilter);

/* Fits net/relay.h: appends to out what goes on, never more than came in all; holds back at most 64
 * bytes. false: the stream is not to be trusted (a literal of 4 GiB or more, a command in a
 * literal), or out is full: close. state: struct imap_filter. */
bool imap_filter_pass(void *state, struct slice bytes, struct buf *out);

#endif
