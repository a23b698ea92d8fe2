/* SPDX-License-Identifier: ISC */
/*
 * What the parts of gatepost-web share. One per process.
 *
 *	server     libmicrohttpd on sockets that gatepostd hands in; one struct request for each
 *	request    from a request to its answer: gate, then a file or a route
 *	gate       who may ask at all: host, origin, content type
 *	files      the portal's pages, embedded (embed.py)
 *	route      method and path to an operation (routes.def); arguments: and to its arguments
 *	caller     questions to core and its answers
 *	reply      rows of an operation to a body; answer: status, fields and body of any answer
 *
 * It has no secrets and no store: what it is asked, it asks core.
 */
#ifndef GP_WEB_WEB_H
#define GP_WEB_WEB_H

#include "privsep/child.h"

struct caller;
struct server;

struct web {
	struct child *child;
	struct loop *loop;
	const struct config *config; /* in force */
	struct server *server;
	struct caller *caller;
};

#endif
