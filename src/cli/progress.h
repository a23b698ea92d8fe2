/* SPDX-License-Identifier: ISC */
/* How far something is, on standard error: a bar on a terminal, else a line for every tenth. */
#ifndef GP_CLI_PROGRESS_H
#define GP_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool is_terminal;
	int64_t began;  /* clock_steady() */
	unsigned shown; /* percent + 1; 0: nothing yet */
};

void progress_begin(struct progress *progress);
void progress_show(struct progress *progress, uint64_t done, uint64_t total);
/* Ends the bar's line. */
void progress_end(struct progress *progress);

#endif
