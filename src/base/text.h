/* SPDX-License-Identifier: ISC */
/*
 * Bytes as text: ASCII case (no locale), UTF-8 validity (RFC 3629), making peer text fit to show.
 */
#ifndef GP_BASE_TEXT_H
#define GP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	TEXT_NUMBER_SIZE = 21 /* the longest number of 64 bits and its NUL */
};

char text_lower(char byte);
char text_upper(char byte);
void text_lower_all(char *text); /* ASCII letters of a C string, in place */
bool text_is_digit(char byte);
bool text_is_alnum(char byte); /* ASCII letters and digits */

/* Shortest forms only, no surrogates, at most U+10FFFF. The empty slice is valid. */
bool text_is_utf8(struct slice text);
bool text_is_ascii(struct slice text);
/* Every byte 0x20..0x7e, or part of valid UTF-8 that is no control (C0, DEL, C1). */
bool text_is_printable(struct slice text);
size_t text_plain_len(struct slice text); /* bytes of printable ASCII that it begins with */

/*
 * Text from a peer made fit for a log line, a table or a reply: printable UTF-8 stays, a backslash
 * is doubled, each other byte becomes \xHH. Always NUL-terminated; what does not fit is cut at a
 * whole character and ends in "...". size >= 8.
 */
void text_escape(struct slice text, char *out, size_t size);

/* In digits of base 10 or 16 (lower case), at least so many, 1 to 20; NUL-terminated. printf would
 * do it, at several times the price. Returns out. */
const char *text_number(
	uint64_t number, unsigned base, size_t digits, char out[static TEXT_NUMBER_SIZE]);

/* Edit distance with adjacent swaps (Damerau-Levenshtein, restricted), ASCII case ignored; for
 * "did you mean". Compares at most the first 63 bytes of each. */
unsigned text_distance(const char *a, const char *b);

#endif
