/* SPDX-License-Identifier: ISC */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	BAR_WIDTH = 40
};

void progress_begin(struct progress *progress)
{
	*progress = (struct progress){
		.is_terminal = isatty(STDERR_FILENO) == 1,
		.began = clock_steady(),
	};
}

static void show_bar(const struct progress *progress, unsigned percent)
{
	int64_t spent = (clock_steady() - progress->began) / 1000;
	int64_t left = percent > 0 ? spent * (100 - (int64_t)percent) / percent : 0;
	int filled = (int)percent * BAR_WIDTH / 100;

	(void)fprintf(stderr, "\r[%.*s%*s] %3u %%, %lld s left ", filled,
		"########################################", BAR_WIDTH - filled, "", percent,
		(long long)left);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
	unsigned percent = 100;

	if (total > 0 && done < total)
		percent = (unsigned)((double)done * 100 / (double)total);
	if (progress->shown == percent + 1)
		return;
	if (progress->is_terminal)
		show_bar(progress, percent);
	else if (progress->shown == 0 || percent / 10 > (progress->shown - 1) / 10)
		(void)fprintf(stderr, "%u %%\n", percent);
	progress->shown = percent + 1;
}

void progress_end(struct progress *progress)
{
	if (progress->is_terminal && progress->shown > 0)
		(void)fputc('\n', stderr);
}
