/* SPDX-License-Identifier: ISC */
/* A backend's host as it stands in the configuration, made socket addresses. Process: gatepostd. */
#ifndef GP_PARENT_ADDRESS_H
#define GP_PARENT_ADDRESS_H

#include "base/err.h"
#include "parent/generation.h"

#include "base/ip.h"

enum {
	ADDRESS_MAX = 16, /* of one host name */
	/* An answer on its way: a code, a number, so many times a family and 16 bytes. */
	ADDRESS_HEAD_SIZE = 2,
	ADDRESS_IP_SIZE = 17,
	ADDRESS_ANSWER_SIZE = ADDRESS_HEAD_SIZE + ADDRESS_MAX * ADDRESS_IP_SIZE,
};

/*
 * host: "192.0.2.1:143", "[::1]:143" or "unix:/PATH" becomes an address; of "mail.lan:25" the name
 * and the port are kept, and there is no address yet.
 */
enum gp_err address_parse(
	const char *host, struct generation_member *ret_member, struct gp_why *why) GP_CHECKED;
void address_free(struct generation_member *member);

/* What is known of a name: 0, or the code of getaddrinfo(3). */
struct address_answer {
	int code;
	size_t count;
	struct ip ips[ADDRESS_MAX];
};

/* Asks for a name. Blocks for as long as name servers are silent: some seconds. */
void address_look_up(const char *name, struct address_answer *ret_answer);
/* For a pipe, which takes so much at once; its length. */
size_t address_encode(
	const struct address_answer *answer, unsigned char out[static ADDRESS_ANSWER_SIZE]);
/* From whoever holds the other end: anything may come. What is taken has one form only. */
bool address_decode(struct slice bytes, struct address_answer *ret_answer);
/* Those are the addresses of a member with a name from now on; false: they are what it had. */
bool address_set(struct generation_member *member, const struct address_answer *answer);

#endif
