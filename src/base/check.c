/* SPDX-License-Identifier: ISC */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line, const char *func)
{
	(void)fprintf(stderr, "level=fatal event=assert condition=\"%s\" at=%s:%d function=%s\n",
		condition, file, line, func);
	abort();
}
