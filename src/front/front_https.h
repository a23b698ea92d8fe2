/* SPDX-License-Identifier: ISC */
/*
 * HTTPS: a browser's request is taken whole or not at all (proto/http_server.h) and then goes, on a
 * pair of sockets of its own, to gatepost-web, whose answer is passed back. So nothing that is slow
 * or malformed reaches web, and no request meets another one on its way.
 *
 *	READING --[whole request]--> DIALING --[socket]--> ASKING --[head]--> ANSWERING --[all]-->
 * READING READING --[fault, too slow]--> over; DIALING, ASKING --[no web, no answer]--> over
 *
 * No session of it is ever settled: when a front is full, whoever has waited for nothing longest
 * goes. Core does not hear of them: a browser is no mail session, and its source may be banned.
 */
#ifndef GP_FRONT_FRONT_HTTPS_H
#define GP_FRONT_FRONT_HTTPS_H

#include "front/session.h"

enum {
	FRONT_HTTPS_ASKING_MAX = 512,      /* requests of one front that are with web at a time */
	FRONT_HTTPS_IDLE_MS = 15 * 1000,   /* between two requests */
	FRONT_HTTPS_DIAL_MS = 5 * 1000,    /* for gatepostd to make the sockets */
	FRONT_HTTPS_ANSWER_MS = 30 * 1000, /* for web to answer; it waits less for core */
};

extern const struct session_protocol front_https_protocol;

#endif
