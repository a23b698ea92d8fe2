/* SPDX-License-Identifier: ISC */
/*
 * References: what a refusal is called, short enough to be read out on the telephone. 40 bits as 8
 * letters of Crockford's base32 (no I, L, O, U), made from the id of the session that was refused,
 * or for a ban from the id of the session whose failure set it. The same everywhere without being
 * passed on; whoever sees one learns nothing but which refusals belong to one session. Two of a
 * million meet now and then: a look-up may find more than one.
 */
#ifndef GP_BASE_REFERENCE_H
#define GP_BASE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	REFERENCE_LETTERS = 8,
	REFERENCE_SIZE = REFERENCE_LETTERS + 1,
};

/* Of a session id, or whatever else is unique; 1 to 2^40 - 1. */
uint64_t reference_of(uint64_t origin);
/* "7K3QX9TD"; returns out. */
const char *reference_format(uint64_t reference, char out[static REFERENCE_SIZE]);
/* As people type it: any case, blanks and hyphens anywhere, O for 0, I and L for 1. false: it is no
 * reference. */
bool reference_parse(struct slice typed, uint64_t *ret_reference);

#endif
