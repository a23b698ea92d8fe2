/* SPDX-License-Identifier: ISC */
/*
 * Loaded before libc (LD_PRELOAD), it moves the wall clock of a process by as many seconds as
 * stand, as an int64_t, at the beginning of the file that WALL_JUMP_FILE names. The file is mapped
 * before the process is jailed, so that a test moves the clocks of all processes at once by writing
 * to it, as an operator would with date(1).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t still;
static const volatile int64_t *seconds = &still;
static int (*real_clock_gettime)(clockid_t clock, struct timespec *now);

static void find_real(void)
{
	void *found = dlsym(RTLD_NEXT, "clock_gettime");

	if (found == NULL)
		_exit(99);
	memcpy(&real_clock_gettime, &found, sizeof found);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("WALL_JUMP_FILE");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = MAP_FAILED;

	find_real();
	if (fd >= 0)
		map = mmap(NULL, sizeof *seconds, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		_exit(99);
	(void)close(fd);
	seconds = map;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result;

	/* Other libraries ask for the time as they are loaded, before begin(). */
	if (real_clock_gettime == NULL)
		find_real();
	result = real_clock_gettime(clock, now);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += *seconds;
	return result;
}

time_t time(time_t *out)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now = { 0 };

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}
