/* SPDX-License-Identifier: ISC */
/*
 * Who may ask at all, before anybody looks at what is asked. A browser does what any site tells it:
 * a name that is not ours (DNS rebinding), a change that another site's page began (cross-site
 * request forgery). Pure.
 */
#ifndef GP_WEB_GATE_H
#define GP_WEB_GATE_H

#include <stdbool.h>

#include "base/slice.h"
#include "config/config.h"

/* Fields of a request, "" where they are not there. */
struct gate_facts {
	bool is_change; /* any method but GET, HEAD and OPTIONS */
	struct slice host;
	struct slice origin;
	struct slice site; /* Sec-Fetch-Site */
	struct slice content_type;
	bool has_cookie; /* signed in by what a browser sends by itself */
	bool has_token;  /* by what only a program sends */
};

enum gate_verdict {
	GATE_HOST,
	GATE_ORIGIN,
	GATE_CONTENT_TYPE,
	GATE_OPEN,
};

/* "name:443", "[::1]:443" and "name" without the port. */
struct slice gate_host_name(struct slice authority);
/* Is it the name of portal_url, or hostname? The port does not matter. */
bool gate_is_host(const struct config *config, struct slice host);

enum gate_verdict gate_check(const struct config *config, const struct gate_facts *facts);

#endif
