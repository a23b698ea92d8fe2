/* SPDX-License-Identifier: ISC */
/*
 * Answers for mail programs that set themselves up. What is said depends on the domain alone, never
 * on whether the address exists: core is asked whether the domains of name and address are own
 * ones, and nobody looks at what stands before the @. Pure but for the clock.
 */
#ifndef GP_WEB_SETUP_H
#define GP_WEB_SETUP_H

#include <stdbool.h>

#include "base/buf.h"
#include "config/config.h"
#include "ops/ops.h"
#include "web/answer.h"
#include "web/reply.h"
#include "web/setup_route.h"

enum {
	SETUP_ADDRESS_SIZE = 321,
	SETUP_ARGUMENTS_MAX = 2048,
};

struct setup_facts {
	struct slice method;
	struct slice host;
	struct slice query;
	struct slice body;
};

/* What was asked, while core looks. */
struct setup_ask {
	enum setup_paper paper;
	enum ops_id op;                   /* of core's */
	char address[SETUP_ADDRESS_SIZE]; /* "" if none was given */
	char protocol[32];                /* SETUP_LOCATE: what the program speaks, "" */
	bool is_malformed;                /* SETUP_AUTODISCOVER */
	bool is_known;                    /* SETUP_AUTODISCOVER: our answer is one it reads */
};

/* Reads the request. True: core is to be asked ask->op with these arguments (JSON, appended);
 * false: the answer is there. */
bool setup_begin(const struct config *config, const struct setup_route *route,
	const struct setup_facts *facts, struct setup_ask *ask, struct buf *arguments,
	struct answer *answer);
/* Core has answered. */
void setup_finish(const struct config *config, const struct setup_ask *ask, enum gp_err err,
	struct slice why, const struct reply *reply, struct answer *answer);

#endif
