/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
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

static void line_text(struct line *line, const char *text)
{
	size_t room = sizeof line->text - 2 - line->len;
	size_t len = strnlen(text, room);

	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void line_number(struct line *line, uint64_t number, unsigned base, size_t digits)
{
	char text[TEXT_NUMBER_SIZE];

	line_text(line, text_number(number, base, digits, text));
}

/* Written anew once a second only. */
static const char *time_text(void)
{
	static char text[CLOCK_TEXT_SIZE];
	static int64_t second = -1;
	int64_t now = clock_wall();

	if (now != second)
		(void)clock_format(now, text);
	second = now;
	return text;
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
		line_text(line, escaped);
		return;
	}
	line_text(line, "\"");
	for (const char *at = escaped; *at != '\0'; at++) {
		const char letter[2] = { *at, '\0' };

		line_text(line, *at == '"' ? "\\\"" : letter);
	}
	line_text(line, "\"");
}

static void line_field(struct line *line, const struct log_field *field)
{
	char ip_text[IP_TEXT_SIZE];

	line_text(line, " ");
	line_text(line, field->key);
	line_text(line, "=");
	switch (field->type) {
	case LOG_FIELD_SLICE:
		line_value(line, field->text);
		break;
	case LOG_FIELD_INT:
		if (field->number < 0)
			line_text(line, "-");
		line_number(line,
			field->number < 0 ? -(uint64_t)field->number : (uint64_t)field->number, 10,
			1);
		break;
	case LOG_FIELD_UINT:
		line_number(line, field->unumber, 10, 1);
		break;
	case LOG_FIELD_HEX:
		line_number(line, field->unumber, 16, 16);
		break;
	case LOG_FIELD_IP:
		line_text(line, ip_format(field->ip, ip_text));
		break;
	}
}

static void line_begin(struct line *line, enum log_level level)
{
	if (logger.target == LOG_TARGET_SYSLOG) {
		line_text(line, "<");
		line_number(line, (uint64_t)(SYSLOG_FACILITY_MAIL | syslog_severity[level]), 10, 1);
		line_text(line, ">gatepost[");
		line_number(line, (uint64_t)getpid(), 10, 1);
		line_text(line, "]: ");
	} else {
		line_text(line, "time=");
		line_text(line, time_text());
		line_text(line, " ");
	}
	line_text(line, "level=");
	line_text(line, level_names[level]);
	line_text(line, " process=");
	line_text(line, logger.process);
	line_text(line, " event=");
}

void log_write(
	enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	struct line line;
	int saved_errno = errno;
	ssize_t written;

	GP_ASSERT(level < LOG_LEVEL_MAX);
	if (level > logger.level)
		return;
	line.len = 0;
	line_begin(&line, level);
	line_text(&line, event);
	for (size_t i = 0; i < count; i++)
		line_field(&line, &fields[i]);
	if (logger.target == LOG_TARGET_STDERR)
		line.text[line.len++] = '\n';
	do
		written = write(logger.fd, line.text, line.len);
	while (written < 0 && errno == EINTR);
	errno = saved_errno;
}
