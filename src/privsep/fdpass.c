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
	COPY_STEP = 65536,
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

static bool seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
	       0;
}

enum gp_err fdpass_make(const char *name, struct slice bytes, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return GP_ERR_IO;
	if (!write_all(fd, bytes) || !seal(fd)) {
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

static enum gp_err copy_all(int from, int to, size_t max, struct gp_why *why)
{
	char step[COPY_STEP];
	size_t sum = 0;

	for (;;) {
		ssize_t got = read(from, step, sizeof step);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return gp_why_set(why, GP_ERR_IO, "read: %s", strerror(errno));
		if (got == 0)
			return GP_OK;
		sum += (size_t)got;
		if (sum > max)
			return gp_why_set(why, GP_ERR_LIMIT, "longer than %zu bytes", max);
		if (!write_all(to, slice_of(step, (size_t)got)))
			return gp_why_set(why, GP_ERR_IO, "memfd: %s", strerror(errno));
	}
}

enum gp_err fdpass_copy(int file_fd, const char *name, size_t max, int *ret_fd, struct gp_why *why)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	enum gp_err err;

	if (fd < 0)
		return gp_why_set(why, GP_ERR_IO, "memfd: %s", strerror(errno));
	err = copy_all(file_fd, fd, max, why);
	if (err == GP_OK && !seal(fd))
		err = gp_why_set(why, GP_ERR_IO, "memfd: %s", strerror(errno));
	if (err != GP_OK) {
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return GP_OK;
}

enum gp_err fdpass_map(int fd, struct slice *ret_bytes, struct gp_why *why)
{
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	void *memory;

	if (size <= 0)
		return gp_why_set(
			why, GP_ERR_PROTOCOL, "no descriptor came along, or an empty one");
	memory = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return gp_why_set(why, GP_ERR_IO, "mmap: %s", strerror(errno));
	*ret_bytes = slice_of(memory, (size_t)size);
	return GP_OK;
}

void fdpass_unmap(struct slice *bytes)
{
	void *memory = NULL;

	memcpy(&memory, &bytes->data, sizeof memory);
	if (memory != NULL)
		(void)munmap(memory, bytes->len);
	*bytes = (struct slice){ NULL, 0 };
}
