/* SPDX-License-Identifier: ISC */
/*
 * A next hop that follows a script and trusts nobody: SMTP or LMTP, strict about every byte. For
 * each command it takes the next letter of the script for that command ('a' when there is none
 * left):
 *
 *	a accepts	m accepts in several lines	t says 4xx	p says 5xx
 *	c says 421 and closes	x closes without a word	w gives a code that cannot be	b babbles
 *	d accepts and closes
 *
 * Its replies name the command and the number of the letter, so that a reply that went to the wrong
 * command shows.
 */
#ifndef GP_TEST_NEXT_HOP_H
#define GP_TEST_NEXT_HOP_H

#include "line.h"

enum next_hop_verb {
	NEXT_HOP_MAIL,
	NEXT_HOP_RCPT,
	NEXT_HOP_DATA,
	NEXT_HOP_END,
	NEXT_HOP_VERBS
};

struct next_hop_script {
	char letters[NEXT_HOP_VERBS][64];
	unsigned used[NEXT_HOP_VERBS];
	bool has_pipelining;
	struct buf delivered; /* "deliver SENDER RECIPIENT,... LENGTH\nMESSAGE" for each */
	const char *fault;    /* what a front must never do; NULL: nothing so far */
};

struct next_hop;

struct next_hop *next_hop_new(struct next_hop_script *script, struct line *line, bool is_lmtp);
void next_hop_free(struct next_hop **phop);
bool next_hop_can_read(const struct next_hop *hop);
void next_hop_read(struct next_hop *hop);

#endif
