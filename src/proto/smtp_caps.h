/* SPDX-License-Identifier: ISC */
/* What a next hop offers in its EHLO reply, and which parameters of MAIL and RCPT need it. */
#ifndef GP_PROTO_SMTP_CAPS_H
#define GP_PROTO_SMTP_CAPS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct smtp_caps_offer {
	unsigned caps; /* enum smtp_caps */
	uint64_t size;
};

/* One line of the EHLO reply, without its code. Gives what follows the keyword XCLIENT, else "". */
struct slice smtp_caps_take_line(struct smtp_caps_offer *offer, struct slice line);

/* Appends to out the parameters that a next hop with these caps takes. GP_ERR_UNSUPPORTED: without
 * one of the others the message would be another. */
enum gp_err smtp_caps_filter(unsigned caps, struct slice params, struct buf *out) GP_CHECKED;

#endif
