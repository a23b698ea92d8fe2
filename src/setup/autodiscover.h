/* SPDX-License-Identifier: ISC */
/*
 * What Outlook and its kin ask at /autodiscover/autodiscover.xml (MS-OXDSCLI, "plain old XML"): the
 * request is read by a scanner that knows no more of XML than a request needs and refuses
 * everything else: no document type, so no entity but the five that XML itself has and numbers; no
 * CDATA, no processing instruction, no comment, no encoding but UTF-8, bounds on size, depth and
 * names. Pure.
 */
#ifndef GP_SETUP_AUTODISCOVER_H
#define GP_SETUP_AUTODISCOVER_H

#include "base/buf.h"
#include "setup/offer.h"

enum {
	AUTODISCOVER_REQUEST_MAX = 8 * 1024,
	AUTODISCOVER_DEPTH_MAX = 8,
	AUTODISCOVER_NAME_MAX = 64,
	AUTODISCOVER_ATTRIBUTES_MAX = 16, /* of one element */
	AUTODISCOVER_VALUE_SIZE = 384,    /* an address (320) or the name of a schema, and NUL */
	AUTODISCOVER_MAX = 16 * 1024,     /* of an answer */
};

struct autodiscover_request {
	char address[AUTODISCOVER_VALUE_SIZE]; /* EMailAddress, "" if there is none */
	char schema[AUTODISCOVER_VALUE_SIZE];  /* AcceptableResponseSchema, the same */
};

/* GP_ERR_SYNTAX: it is no such request; GP_ERR_LIMIT: it is too long. */
enum gp_err autodiscover_read(
	struct slice body, struct autodiscover_request *ret_request) GP_CHECKED;
/* Is the answer that we give one that the program reads? */
bool autodiscover_is_known(const struct autodiscover_request *request);

/* address: as it was asked for; it is the login. GP_ERR_NOT_FOUND: no mailbox can be read here;
 * GP_ERR_SYNTAX: that is nothing that can stand in XML. */
enum gp_err autodiscover_write(
	const struct offers *offers, struct slice address, struct buf *out) GP_CHECKED;

/* Why there is no answer, in the form that Outlook reads. time: "HH:MM:SS". */
enum autodiscover_fault {
	AUTODISCOVER_INVALID,  /* 600: that is no request */
	AUTODISCOVER_PROVIDER, /* 601: another kind of answer is wanted */
};
enum gp_err autodiscover_write_fault(
	enum autodiscover_fault fault, const char *time, struct buf *out) GP_CHECKED;

#endif
