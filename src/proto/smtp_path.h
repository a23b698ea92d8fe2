/* SPDX-License-Identifier: ISC */
/*
 * What follows the verb in MAIL and RCPT: path and parameters (RFC 5321 section 4.1.2; RFC 1870,
 * 3461, 4954, 6152, 6531). Each parameter is known and its value checked, so that what goes on to
 * the next hop means there what it meant here.
 *
 * Taken beyond the RFC, because mail programs and mail servers do it: spaces before the path, a
 * path without brackets, dots anywhere in an unquoted local part, underscores in a domain. Source
 * routes are dropped.
 */
#ifndef GP_PROTO_SMTP_PATH_H
#define GP_PROTO_SMTP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	SMTP_DOMAIN_MAX = 255,
	SMTP_ENVID_MAX = 100, /* RFC 3461 section 4.4 */
	SMTP_ORCPT_MAX = 500, /* section 4.2 */
};

/* What is wrong, as the reply that says so. */
struct smtp_fault {
	unsigned code;
	const char *enhanced;
	const char *text;
};

struct smtp_path {
	struct slice address; /* without brackets and source route; borrowed from the line */
	uint64_t size;        /* SIZE=; UINT64_MAX if the number is even greater; 0: not given */
	bool has_smtputf8;    /* the parameter is there */
};

/* rest: the line behind the verb. allow_utf8: of RCPT, MAIL had SMTPUTF8. Appends the parameters
 * that go on (all but AUTH=) to params. NULL: ret_path is filled; else nothing is. */
const struct smtp_fault *smtp_path_parse_mail(
	struct slice rest, struct buf *params, struct smtp_path *ret_path);
const struct smtp_fault *smtp_path_parse_rcpt(
	struct slice rest, bool allow_utf8, struct buf *params, struct smtp_path *ret_path);

#endif
