/* SPDX-License-Identifier: ISC */
/* "did you mean ...?": of several names, the one a mistyped word was probably meant to be. */
#ifndef GP_CONFIG_GUESS_H
#define GP_CONFIG_GUESS_H

#include "base/err.h"

struct guess {
	const char *word; /* borrowed, like the names */
	const char *best; /* NULL: none is near */
	unsigned distance;
};

void guess_begin(struct guess *guess, const char *word);
void guess_try(struct guess *guess, const char *name);
/* "; did you mean NAME?" or "", kept in *room. */
const char *guess_text(const struct guess *guess, struct gp_why *room);

#endif
