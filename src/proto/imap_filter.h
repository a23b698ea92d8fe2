/* SPDX-License-Identifier: ISC */
/*
 * Keeps UNAUTHENTICATE (RFC 8437) out of a relayed IMAP session whose backend offers it: signed out
 * and in again behind our back, nobody would be counted. Commands UNAUTHENTICATE and COMPRESS (RFC
 * 4978: it would blind the filter) reach the backend under a name that it does not know, so that
 * the backend itself says BAD, in turn; both are left out of the capabilities. Literals are stepped
 * over, never searched.
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

/* Fits net/relay.h: appends to out what goes on; holds back at most a command's first 64 bytes.
 * false: the stream is no IMAP (a literal size out of bounds): close. state: struct imap_filter. */
bool imap_filter_pass(void *state, struct slice bytes, struct buf *out);

#endif
