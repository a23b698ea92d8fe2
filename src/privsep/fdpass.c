/* SPDX-License-Identifier: ISC */
#include "privsep/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum {
	READ_STEP = 4096,
};

static bool write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t written = write(fd, bytes.data, bytes.len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes = slice_from(bytes, (size_t)written);
	}
	return true;
}

enum gp_err fdpass_make(const char *name, struct slice bytes, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return GP_ERR_IO;
	if (!write_all(fd, bytes) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
			0) {
		(void)close(fd);
		return GP_ERR_IO;
	}
	*ret_fd = fd;
	return GP_OK;
}

enum gp_err fdpass_read(int fd, struct buf *out, struct gp_why *why)
{
	off_t at = 0;

	if (fd < 0)
		return gp_why_set(why, GP_ERR_PROTOCOL, "no descriptor came along");
	for (;;) {
		size_t step = READ_STEP < buf_room(out) ? READ_STEP : buf_room(out);
		ssize_t got;

		/* One that fills out to the last byte is refused as well: simpler, and nobody
		 * minds. */
		if (step == 0 || buf_reserve(out, step) != GP_OK)
			return gp_why_set(why, GP_ERR_LIMIT, "longer than %zu bytes", out->max);
		got = pread(fd, buf_tail(out), step, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return gp_why_set(why, GP_ERR_IO, "read: %s", strerror(errno));
		if (got == 0)
			return GP_OK;
		buf_added(out, (size_t)got);
		at += got;
	}
}
