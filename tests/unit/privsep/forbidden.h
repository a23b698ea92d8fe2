/* SPDX-License-Identifier: ISC */
/* Acts that a process that was taken over would like, and no jailed one may do. */
#ifndef GP_TEST_FORBIDDEN_H
#define GP_TEST_FORBIDDEN_H

#include <sys/types.h>

enum {
	ACT_DONE = 0,    /* the act succeeded */
	ACT_REFUSED = 1, /* it failed with an error */
	ACT_FORBIDDEN = 26,
};

struct act {
	const char *name;
	int (*act)(void); /* returns ACT_DONE or ACT_REFUSED, if it returns */
};

extern const struct act act_forbidden[ACT_FORBIDDEN];

/* What the acts need from before the jail. */
extern int act_socket_fd; /* a TCP socket, not connected */
extern pid_t act_sibling; /* another process of the same user */

#endif
