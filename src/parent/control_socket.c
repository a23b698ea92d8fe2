/* SPDX-License-Identifier: ISC */
#include "parent/control_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/slice.h"

enum {
	BACKLOG = 64,
};

static void make_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = NULL;

	if (slash == NULL || slash == path)
		return;
	dir = mem_strndup(path, (size_t)(slash - path));
	/* Whether it is there and fit shows in bind(2). */
	(void)mkdir(dir, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH);
	mem_free(dir);
}

static bool is_served(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is_connected;

	if (fd < 0)
		return true;
	is_connected =
		connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 || errno == EAGAIN;
	(void)close(fd);
	return is_connected;
}

static enum gp_err bind_socket(int fd, const struct sockaddr_un *addr, struct gp_why *why)
{
	mode_t old_mask;
	int outcome;

	if (is_served(addr))
		return gp_why_set(why, GP_ERR_EXISTS, "control socket %s: another gatepostd runs",
			addr->sun_path);
	if (unlink(addr->sun_path) != 0 && errno != ENOENT)
		return gp_why_set(why, GP_ERR_IO, "remove old control socket %s: %s",
			addr->sun_path, strerror(errno));
	old_mask = umask(S_IRWXG | S_IRWXO | S_IXUSR);
	outcome = bind(fd, (const struct sockaddr *)addr, sizeof *addr);
	(void)umask(old_mask);
	if (outcome != 0 || listen(fd, BACKLOG) != 0)
		return gp_why_set(
			why, GP_ERR_IO, "control socket %s: %s", addr->sun_path, strerror(errno));
	return GP_OK;
}

enum gp_err control_socket_open(
	const char *path, struct control_socket *ret_socket, struct gp_why *why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	enum gp_err err;
	int fd;

	if (!slice_copy(slice_str(path), addr.sun_path, sizeof addr.sun_path))
		return gp_why_set(why, GP_ERR_CONFIG, "control socket: the path is too long");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return gp_why_set(why, GP_ERR_IO, "control socket: %s", strerror(errno));
	make_directory(path);
	err = bind_socket(fd, &addr, why);
	if (err != GP_OK) {
		(void)close(fd);
		return err;
	}
	*ret_socket = (struct control_socket){ .path = mem_strdup(path), .fd = fd };
	return GP_OK;
}

void control_socket_close(struct control_socket *control)
{
	if (control->path == NULL)
		return;
	(void)unlink(control->path);
	(void)close(control->fd);
	mem_free(control->path);
	*control = (struct control_socket){ .fd = -1 };
}
