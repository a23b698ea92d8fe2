/* SPDX-License-Identifier: ISC */
/*
 * An answer as it goes to the browser: status, the fields that differ from answer to answer, body.
 * What all answers have, the server adds (answer_common).
 */
#ifndef GP_WEB_ANSWER_H
#define GP_WEB_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	ANSWER_BODY_MAX = 4 * 1024 * 1024,
	ANSWER_FIELDS_MAX = 8,
	ANSWER_VALUE_SIZE = 256,
};

struct answer_field {
	const char *name; /* a literal */
	char value[ANSWER_VALUE_SIZE];
};

struct answer {
	unsigned status;
	struct answer_field fields[ANSWER_FIELDS_MAX];
	unsigned field_count;
	struct buf body;      /* secret: a new device password is shown once through here */
	struct slice content; /* in place of body: a file, which outlives the answer */
	bool is_page;         /* a file of the portal: scripts and styles from here may run in it */
};

/* Every problem that web itself, or an operation's error, comes to: status and the word for
 * programs. */
#define PROBLEM_LIST(X)                                                                       \
	X(PROBLEM_SYNTAX, 400, "syntax", "Malformed request")                                 \
	X(PROBLEM_SIGNIN, 401, "signin", "Sign in first")                                     \
	X(PROBLEM_WRONG, 403, "wrong", "Wrong")                                               \
	X(PROBLEM_ROLE, 403, "role", "Not permitted")                                         \
	X(PROBLEM_ORIGIN, 403, "origin", "Asked from another site")                           \
	X(PROBLEM_NOT_FOUND, 404, "not_found", "Not found")                                   \
	X(PROBLEM_METHOD, 405, "method", "Method not allowed")                                \
	X(PROBLEM_EXISTS, 409, "exists", "Exists already")                                    \
	X(PROBLEM_SIZE, 413, "size", "Too long")                                              \
	X(PROBLEM_CONTENT_TYPE, 415, "content_type", "Content-Type must be application/json") \
	X(PROBLEM_HOST, 421, "host", "This name is not served here")                          \
	X(PROBLEM_LIMIT, 429, "limit", "Too many")                                            \
	X(PROBLEM_INTERNAL, 500, "internal", "Something went wrong here")                     \
	X(PROBLEM_UNSUPPORTED, 501, "unsupported", "Not supported")                           \
	X(PROBLEM_UNAVAILABLE, 503, "unavailable", "Not available for a moment")

enum problem {
#define PROBLEM_ENUM(name, status, code, title) name,
	PROBLEM_LIST(PROBLEM_ENUM)
#undef PROBLEM_ENUM
	PROBLEM_MAX
};

void answer_init(struct answer *answer);
void answer_fini(struct answer *answer);

/* Formats the value; what is longer than it can be is cut. */
void answer_add_field(struct answer *answer, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* RFC 9457; takes the place of what the answer was, but for its fields. detail: for people, may be
 * "" or hold anything. */
void answer_problem(struct answer *answer, enum problem problem, struct slice detail);
/* The same; fault: what of several it is, for programs, or "". */
void answer_fault(
	struct answer *answer, enum problem problem, struct slice detail, struct slice fault);
enum problem answer_problem_of(enum gp_err err);

/* The fields all answers have, each a name and a value, for pages and for everything else. */
struct answer_common {
	const char *name;
	const char *page;
	const char *other;
};
extern const struct answer_common answer_common[];
extern const size_t answer_common_count;

#endif
