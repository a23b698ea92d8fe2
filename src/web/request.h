/* SPDX-License-Identifier: ISC */
/*
 * One request from a browser or a hosting panel, and how it comes to its answer: at once (a file, a
 * refusal) or once core has answered.
 */
#ifndef GP_WEB_REQUEST_H
#define GP_WEB_REQUEST_H

#include "base/ip.h"
#include "web/answer.h"
#include "web/web.h"

enum {
	REQUEST_BODY_MAX = 16 * 1024, /* as the front takes */
};

/* As it came; fields are "" where they are not there. Borrowed for the call of request_new(). */
struct request_facts {
	struct ip client;
	struct slice method;
	struct slice target; /* path and query */
	struct slice host;
	struct slice origin;
	struct slice site; /* Sec-Fetch-Site */
	struct slice content_type;
	struct slice accept_encoding;
	struct slice accept_language;
	struct slice if_none_match;
	struct slice cookie;
	struct slice authorization;
	struct slice idempotency_key;
	struct slice user_agent;
	struct slice body;
};

struct request;

/* on_ready: the answer is there, where request_answer() did not have it at once; from the loop. */
struct request *request_new(struct web *web, const struct request_facts *facts,
	void (*on_ready)(struct request *request, void *owner), void *owner);
/* A question that is with core is given up. */
void request_free(struct request **prequest);

/* NULL: not yet. Borrowed. */
const struct answer *request_answer(const struct request *request);

#endif
