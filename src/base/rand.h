/* SPDX-License-Identifier: ISC */
/* Random bytes from the kernel. Failure of getrandom(2) ends the process. */
#ifndef GP_BASE_RAND_H
#define GP_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *out, size_t len);
uint64_t rand_u64(void);

#endif
