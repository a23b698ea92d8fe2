/* SPDX-License-Identifier: ISC */
/*
 * Picks single members out of a JSON object (RFC 8259) as its bytes pass by: the text is checked to
 * its end, but never kept, so it may be as long as it likes. Members of inner objects are passed
 * over. Sans-I/O; takes no memory.
 */
#ifndef GP_PROTO_JSON_PICK_H
#define GP_PROTO_JSON_PICK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	JSON_PICK_DEPTH_MAX = 64, /* of objects and arrays within each other */
	JSON_PICK_NAME_SIZE = 32,
	JSON_PICK_VALUE_SIZE = 64, /* with NULs; what is longer is not picked */
};

enum json_pick_step {
	JSON_PICK_MORE,
	JSON_PICK_DONE, /* the object is complete; only white space may follow */
	JSON_PICK_BAD,
};

/* A member that is wanted. */
struct json_pick_member {
	const char *name;
	bool is_string; /* else a number */
	/* As it stands there, a string without its quotes and with its escapes; "" while it was not
	 * met, has another type or is too long. */
	char value[JSON_PICK_VALUE_SIZE];
	bool is_met;
};

struct json_pick {
	struct json_pick_member *members; /* borrowed */
	unsigned count;
	unsigned state;   /* enum state of json_pick.c */
	unsigned depth;   /* containers that are open */
	uint64_t objects; /* which of them are objects, the innermost in the lowest bit */
	unsigned part;    /* of a number, an escape or a word */
	const char *word; /* true, false or null */
	bool is_name;     /* the string is a member's name */
	char name[JSON_PICK_NAME_SIZE];
	unsigned name_len;
	struct json_pick_member *member; /* whose value passes by; NULL: nobody's */
	unsigned value_len;
};

/* members: borrowed until the end; name and is_string are set by the caller. */
void json_pick_init(struct json_pick *pick, struct json_pick_member *members, unsigned count);
/* A wanted member that comes twice is BAD: readers would not agree which one counts. */
enum json_pick_step json_pick_input(struct json_pick *pick, struct slice bytes);

#endif
