/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

static struct {
	int64_t shift_ms;
	bool is_fake;
	int64_t fake_wall_s;
	int64_t fake_steady_ms;
} state;

int64_t clock_steady(void)
{
	struct timespec now = { 0 };

	if (state.is_fake)
		return state.fake_steady_ms;
	GP_ASSERT(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + state.shift_ms;
}

int64_t clock_wall(void)
{
	struct timespec now = { 0 };

	if (state.is_fake)
		return state.fake_wall_s;
	GP_ASSERT(clock_gettime(CLOCK_REALTIME, &now) == 0);
	return (int64_t)now.tv_sec + state.shift_ms / 1000;
}

int64_t clock_real(void)
{
	struct timespec now = { 0 };

	GP_ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void clock_shift(int64_t ms)
{
	state.shift_ms = ms;
}

int64_t clock_shifted(void)
{
	return state.shift_ms;
}

void clock_fake(int64_t wall_s, int64_t steady_ms)
{
	state.is_fake = true;
	state.fake_wall_s = wall_s;
	state.fake_steady_ms = steady_ms;
}

static void split(int64_t wall_s, struct tm *ret_tm)
{
	time_t seconds = (time_t)wall_s;

	*ret_tm = (struct tm){ 0 };
	if (gmtime_r(&seconds, ret_tm) == NULL)
		*ret_tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
}

const char *clock_format(int64_t wall_s, char out[static CLOCK_TEXT_SIZE])
{
	struct tm tm;

	split(wall_s, &tm);
	if (strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
	return out;
}

int64_t clock_parse(const char *text)
{
	struct tm tm = { 0 };
	char again[CLOCK_TEXT_SIZE];
	int64_t wall_s;

	if (strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return -1;
	wall_s = (int64_t)timegm(&tm);
	/* strptime() takes spaces, single digits and the 30th of February; one form is enough. */
	return strcmp(clock_format(wall_s, again), text) == 0 ? wall_s : -1;
}

const char *clock_format_mail(int64_t wall_s, char *out, size_t size)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	/* Not strftime(): its names follow the locale. */
	split(wall_s, &tm);
	(void)snprintf(out, size, "%.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday,
		tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		tm.tm_sec);
	return out;
}
