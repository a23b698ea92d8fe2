/* SPDX-License-Identifier: ISC */
/*
 * Logs: one event a line, logfmt (key=value), to standard error or to syslog through a descriptor
 * opened before the sandbox closes. Values are escaped here, so no peer can forge a line; secrets
 * have no field type.
 *
 *	log_info("ban_set", LOG_STR("source", text), LOG_INT("minutes", 30));
 */
#ifndef GP_BASE_LOG_H
#define GP_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/slice.h"

enum log_level {
	LOG_LEVEL_FATAL,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_MAX
};

enum log_field_type {
	LOG_FIELD_SLICE,
	LOG_FIELD_INT,
	LOG_FIELD_UINT,
	LOG_FIELD_HEX,
	LOG_FIELD_IP
};

struct log_field {
	const char *key; /* a literal */
	enum log_field_type type;
	struct slice text;
	int64_t number;
	uint64_t unumber;
	const struct ip *ip;
};

#define LOG_STR(k, v)   ((struct log_field){ .key = (k), .text = slice_str(v) })
#define LOG_SLICE(k, v) ((struct log_field){ .key = (k), .text = (v) })
#define LOG_INT(k, v)   ((struct log_field){ .key = (k), .type = LOG_FIELD_INT, .number = (v) })
#define LOG_UINT(k, v)  ((struct log_field){ .key = (k), .type = LOG_FIELD_UINT, .unumber = (v) })
/* 16 hexadecimal digits: session ids. */
#define LOG_ID(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_HEX, .unumber = (v) })
#define LOG_IP(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_IP, .ip = (v) })
/* errno as text. */
#define LOG_ERRNO LOG_STR("error", strerror(errno))

#define log_at(level, event, ...)                                              \
	log_write((level), (event), (const struct log_field[]){ __VA_ARGS__ }, \
		sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))
#define log_error(event, ...) log_at(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_at(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_at(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_at(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

enum log_target {
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG
};

/*
 * process: "front.1", a literal or kept alive by the caller; stands in each line. fd: where lines
 * go; for LOG_TARGET_SYSLOG a datagram socket connected to /dev/log. Lines above the level are
 * dropped.
 */
void log_setup(const char *process, enum log_target target, int fd, enum log_level level);
void log_set_level(enum log_level level);

/* A line over LOG_LINE_MAX bytes is cut. Never blocks for long: a write that fails is dropped. */
enum {
	LOG_LINE_MAX = 2048
};
void log_write(
	enum log_level level, const char *event, const struct log_field *fields, size_t count);

#endif
