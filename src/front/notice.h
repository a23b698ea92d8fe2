/* SPDX-License-Identifier: ISC */
/*
 * Mail of Gatepost's own (NOTICE): "your password was changed" and the like. The vault keeps it in
 * its outbox until a next hop has taken it; here is the errand of one such message: a connection,
 * one transaction with the null reverse-path (RFC 5321 section 4.5.5), the next hop's word back to
 * core (NOTICE_DONE). Whatever goes wrong on our side is told as temporary, and the vault tries
 * again. Secret: a notice may carry a code or a link.
 */
#ifndef GP_FRONT_NOTICE_H
#define GP_FRONT_NOTICE_H

#include "front/front.h"
#include "ipc/message.h"

enum {
	NOTICES_MAX = 8, /* on their way at a time; more are told to try again */
};

struct notices;

struct notices *notices_new(struct front *front);
/* What is on its way is given up; nobody is told. */
void notices_free(struct notices **pnotices);

/* From core; the slices are copied. */
void notices_send(struct notices *notices, const struct ipc_notice *notice);

#endif
