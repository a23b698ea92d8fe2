/* SPDX-License-Identifier: ISC */
/*
 * Error codes of Gatepost and the short text that explains one to an operator.
 *
 * A function that can fail returns enum gp_err; 0 is success. An answer that is not a fault (a
 * wrong password, a full window) is never an error: it has an enum of its own, see base/terms.h.
 * Outputs of a failed function are untouched.
 */
#ifndef GP_BASE_ERR_H
#define GP_BASE_ERR_H

#define GP_ERR_LIST(X)                                    \
	X(GP_OK, "success")                               \
	X(GP_ERR_AGAIN, "would block, try again later")   \
	X(GP_ERR_BUSY, "busy: a queue or lock is taken")  \
	X(GP_ERR_CLOSED, "the other side closed")         \
	X(GP_ERR_CONFIG, "configuration error")           \
	X(GP_ERR_DENIED, "not permitted")                 \
	X(GP_ERR_EXISTS, "exists already")                \
	X(GP_ERR_INTERNAL, "internal error")              \
	X(GP_ERR_IO, "input/output error")                \
	X(GP_ERR_LIMIT, "a limit was reached")            \
	X(GP_ERR_NOT_FOUND, "not found")                  \
	X(GP_ERR_PROTOCOL, "the peer broke the protocol") \
	X(GP_ERR_ROLE, "the role may not do that")        \
	X(GP_ERR_SIGNIN, "nobody is signed in")           \
	X(GP_ERR_STORE, "the store failed")               \
	X(GP_ERR_SYNTAX, "malformed input")               \
	X(GP_ERR_TIMEOUT, "timed out")                    \
	X(GP_ERR_UNSUPPORTED, "not supported")

enum gp_err {
#define GP_ERR_ENUM(name, text) name,
	GP_ERR_LIST(GP_ERR_ENUM)
#undef GP_ERR_ENUM
	GP_ERR_MAX
};

#define GP_CHECKED __attribute__((warn_unused_result))

enum {
	GP_WHY_SIZE = 256
};

/* One line for a person: what failed and what to do. Owned by the caller; never holds a secret. */
struct gp_why {
	char text[GP_WHY_SIZE];
};

const char *gp_err_text(enum gp_err err);

/* Fills why (may be NULL), cutting at the size, and returns err, so that a failing function can
 * end with: return gp_why_set(why, GP_ERR_IO, "open %s: %s", path, strerror(errno)); */
enum gp_err gp_why_set(struct gp_why *why, enum gp_err err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
