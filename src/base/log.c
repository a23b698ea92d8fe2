/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

enum {
	SYSLOG_FACILITY_MAIL = 2 << 3
};

static const char *const level_names[LOG_LEVEL_MAX] = { "fatal", "error", "warn", "info", "debug" };
static const int syslog_severity[LOG_LEVEL_MAX] = { 2, 3, 4, 6, 7 };

static struct {
	const char *process;
	enum log_target target;
	int fd;
	enum log_level level;
} logger = { "gatepost", LOG_TARGET_STDERR, STDERR_FILENO, LOG_LEVEL_INFO };

struct line {
	char text[LOG_LINE_MAX];
	size_t len; /* < LOG_LINE_MAX - 1: room for the newline */
};

void log_setup(const char *process, enum log_target target, int fd, enum log_level level)
{
	logger.process = process;
	logger.target = target;
	logger.fd = fd;
	logger.level = level;
}

void log_set_level(enum log_level level)
{
	logger.level = level;
}

__attribute__((format(printf, 2, 3))) static void line_printf(
	struct line *line, const char *format, ...)
{
	size_t room = sizeof line->text - 1 - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n < room ? (size_t)n : room - 1;
}

static bool needs_quotes(struct slice text)
{
	if (text.len == 0)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == ' ' || text.data[i] == '"' || text.data[i] == '=')
			return true;
	}
	return false;
}

static void line_value(struct line *line, struct slice text)
{
	char escaped[LOG_LINE_MAX / 2];

	text_escape(text, escaped, sizeof escaped);
	if (!needs_quotes(slice_str(escaped))) {
		line_printf(line, "%s", escaped);
		return;
	}
	line_printf(line, "\"");
	for (const char *at = escaped; *at != '\0'; at++)
		line_printf(line, *at == '"' ? "\\%c" : "%c", *at);
	line_printf(line, "\"");
}

static void line_field(struct line *line, const struct log_field *field)
{
	char ip_text[IP_TEXT_SIZE];

	line_printf(line, " %s=", field->key);
	switch (field->type) {
	case LOG_FIELD_SLICE:
		line_value(line, field->text);
		break;
	case LOG_FIELD_INT:
		line_printf(line, "%" PRId64, field->number);
		break;
	case LOG_FIELD_UINT:
		line_printf(line, "%" PRIu64, field->unumber);
		break;
	case LOG_FIELD_HEX:
		line_printf(line, "%016" PRIx64, field->unumber);
		break;
	case LOG_FIELD_IP:
		line_printf(line, "%s", ip_format(field->ip, ip_text));
		break;
	}
}

void log_write(
	enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	struct line line = { .len = 0 };
	char now[CLOCK_TEXT_SIZE];
	int saved_errno = errno;
	ssize_t written;

	GP_ASSERT(level < LOG_LEVEL_MAX);
	if (level > logger.level)
		return;
	if (logger.target == LOG_TARGET_SYSLOG)
		line_printf(&line,
			"<%d>gatepost[%d]: ", SYSLOG_FACILITY_MAIL | syslog_severity[level],
			(int)getpid());
	else
		line_printf(&line, "time=%s ", clock_format(clock_wall(), now));
	line_printf(
		&line, "level=%s process=%s event=%s", level_names[level], logger.process, event);
	for (size_t i = 0; i < count; i++)
		line_field(&line, &fields[i]);
	if (logger.target == LOG_TARGET_STDERR)
		line.text[line.len++] = '\n';
	do
		written = write(logger.fd, line.text, line.len);
	while (written < 0 && errno == EINTR);
	errno = saved_errno;
}
