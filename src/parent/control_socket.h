/* SPDX-License-Identifier: ISC */
/*
 * The UNIX socket of the CLI: bound by gatepostd for its own user alone (0600), served by core.
 * Process: gatepostd.
 */
#ifndef GP_PARENT_CONTROL_SOCKET_H
#define GP_PARENT_CONTROL_SOCKET_H

#include "base/err.h"

struct control_socket {
	char *path; /* NULL: none */
	int fd;
};

/* Makes the directory if it is missing. A socket that nobody listens on any more is replaced; one
 * that is served is GP_ERR_EXISTS: another gatepostd runs. */
enum gp_err control_socket_open(
	const char *path, struct control_socket *ret_socket, struct gp_why *why) GP_CHECKED;
/* Removes it from the file system too. Fine on a zeroed one. */
void control_socket_close(struct control_socket *control);

#endif
