/* SPDX-License-Identifier: ISC */
/*
 * libmicrohttpd, run from our loop: no thread and no socket of its own. Each connection that
 * gatepostd hands in brings one request that a front has checked (proto/http_server.h). The only
 * includer of <microhttpd.h>.
 */
#ifndef GP_WEB_SERVER_H
#define GP_WEB_SERVER_H

#include "base/err.h"
#include "base/ip.h"
#include "web/web.h"

enum {
	SERVER_CONNECTIONS_MAX = 2048,
	SERVER_MEMORY = 32 * 1024, /* of a connection: head, and answers' heads */
	SERVER_TIMEOUT_S = 60,     /* silence that a front would have ended long before */
};

/* Before the jail: it opens descriptors. */
enum gp_err server_new(struct web *web, struct server **ret_server, struct gp_why *why) GP_CHECKED;
void server_free(struct server **pserver);

/* Takes *fd. client: where the browser is. */
void server_add(struct server *server, int *fd, const struct ip *client);

#endif
