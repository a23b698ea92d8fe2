/* SPDX-License-Identifier: ISC */
/*
 * What core's yes to a MAIL says of the next ones in the same session (MAIL_REPLY in messages.def):
 * a MAIL that the lease covers is answered without a question, and core hears of it right before
 * its first RCPT, in the same packet, so that what core knows is what it would have been asked.
 *
 *	none --[core's yes]--> LEASED --[LEASE_END, core gone, a question]--> none
 *
 * A transaction that began by a lease goes on when the lease ends: core judges it with its RCPT.
 */
#ifndef GP_FRONT_SMTP_LEASE_H
#define GP_FRONT_SMTP_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Zeroed: none. */
struct smtp_lease {
	char *sender;  /* as core was asked; NULL: there is none */
	uint64_t size; /* bytes; 0: no limit */
};

/* In place of an earlier one. */
void smtp_lease_take(struct smtp_lease *lease, struct slice sender, uint64_t size);
void smtp_lease_end(struct smtp_lease *lease);
/* size: as announced, 0 if not. */
bool smtp_lease_covers(const struct smtp_lease *lease, struct slice sender, uint64_t size);

#endif
