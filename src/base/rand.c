/* SPDX-License-Identifier: ISC */
#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void rand_bytes(void *out, size_t len)
{
	char *at = out;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		GP_ASSERT(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

uint64_t rand_u64(void)
{
	uint64_t value;

	rand_bytes(&value, sizeof value);
	return value;
}
