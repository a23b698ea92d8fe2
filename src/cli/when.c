/* SPDX-License-Identifier: ISC */
#include "cli/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"

static const long long ago_max = 100 * 366 * 86400LL; /* seconds; no event is older */

static bool parse_ago(const char *text, int64_t *ret_wall)
{
	static const struct {
		char unit;
		long long seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	struct slice all = slice_str(text);
	unsigned long long number = 0;

	if (all.len < 2)
		return false;
	for (size_t i = 0; i < GP_ARRAY_LEN(units); i++) {
		unsigned long long max = (unsigned long long)(ago_max / units[i].seconds);

		if (units[i].unit != all.data[all.len - 1])
			continue;
		if (!slice_to_u64(slice_head(all, all.len - 1), max, &number))
			return false;
		*ret_wall = clock_wall() - (int64_t)number * units[i].seconds;
		return true;
	}
	return false;
}

static bool parse_local(const char *text, int64_t *ret_wall)
{
	static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S" };

	for (size_t i = 0; i < GP_ARRAY_LEN(formats); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *rest = strptime(text, formats[i], &tm);

		if (rest == NULL || *rest != '\0')
			continue;
		*ret_wall = (int64_t)mktime(&tm);
		return *ret_wall != -1;
	}
	return false;
}

bool when_parse(const char *text, char out[static CLOCK_TEXT_SIZE])
{
	int64_t wall = clock_parse(text);

	if (wall == -1 && !parse_ago(text, &wall) && !parse_local(text, &wall))
		return false;
	(void)clock_format(wall, out);
	return true;
}

const char *when_format(const char *text, char out[static WHEN_TEXT_SIZE])
{
	int64_t wall = clock_parse(text);
	time_t seconds = (time_t)wall;
	struct tm tm;

	if (wall == -1 || localtime_r(&seconds, &tm) == NULL ||
		strftime(out, WHEN_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		text_escape(slice_str(text), out, WHEN_TEXT_SIZE);
	return out;
}

const char *when_format_minutes(long long minutes, char out[static WHEN_TEXT_SIZE])
{
	long long hours = minutes / 60;
	long long days = hours / 24;

	if (minutes < 60)
		(void)snprintf(out, WHEN_TEXT_SIZE, "%lld min", minutes);
	else if (days == 0 && minutes % 60 == 0)
		(void)snprintf(out, WHEN_TEXT_SIZE, "%lld h", hours);
	else if (days == 0)
		(void)snprintf(out, WHEN_TEXT_SIZE, "%lld h %lld min", hours, minutes % 60);
	else if (hours % 24 == 0)
		(void)snprintf(out, WHEN_TEXT_SIZE, "%lld d", days);
	else
		(void)snprintf(out, WHEN_TEXT_SIZE, "%lld d %lld h", days, hours % 24);
	return out;
}
