/* SPDX-License-Identifier: ISC */
#include "config/guess.h"

#include <string.h>

#include "base/text.h"

enum {
	DISTANCE_MAX = 3 /* typing errors */
};

void guess_begin(struct guess *guess, const char *word)
{
	*guess = (struct guess){ .word = word };
}

void guess_try(struct guess *guess, const char *name)
{
	unsigned distance = text_distance(guess->word, name);

	/* With every second letter wrong, it is another word. */
	if (distance > DISTANCE_MAX || distance * 2 > strlen(name))
		return;
	if (guess->best == NULL || distance < guess->distance) {
		guess->best = name;
		guess->distance = distance;
	}
}

const char *guess_text(const struct guess *guess, struct gp_why *room)
{
	if (guess->best == NULL)
		return "";
	(void)gp_why_set(room, GP_OK, "; did you mean %s?", guess->best);
	return room->text;
}
