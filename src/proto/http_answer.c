/* SPDX-License-Identifier: ISC */
#include "proto/http_answer.h"

#include <string.h>

#include "base/text.h"
#include "proto/http_server.h"
#include "proto/line.h"

struct reading {
	struct http_answer answer;
	struct buf *out;
	bool has_length;
};

/* "HTTP/1.1 200 OK"; no interim answers. */
static bool take_status(struct reading *reading, struct slice line)
{
	unsigned long long status = 0;

	if (line.len < 13 || memcmp(line.data, "HTTP/1.1 ", 9) != 0 || line.data[12] != ' ' ||
		!slice_to_u64(slice_head(slice_from(line, 9), 3), 599, &status) || status < 200 ||
		!http_is_field_value(line))
		return false;
	reading->answer.status = (unsigned)status;
	return buf_append(reading->out, line) == GP_OK &&
	       buf_append_str(reading->out, "\r\n") == GP_OK;
}

static bool take_field(struct reading *reading, struct slice line)
{
	ptrdiff_t colon = slice_find(line, ':');
	struct slice name = slice_head(line, colon < 0 ? 0 : (size_t)colon);
	struct slice value = slice_trim(slice_from(line, (size_t)(colon + 1)));
	unsigned long long length = 0;

	if (!http_is_token(name) || !http_is_field_value(value) ||
		slice_is_nocase(name, "Transfer-Encoding"))
		return false;
	if (slice_is_nocase(name, "Connection") || slice_is_nocase(name, "Keep-Alive"))
		return true;
	if (slice_is_nocase(name, "Content-Length")) {
		if (reading->has_length || !slice_to_u64(value, INT64_MAX, &length))
			return false;
		reading->has_length = true;
		reading->answer.body_len = length;
	}
	return buf_append(reading->out, line) == GP_OK &&
	       buf_append_str(reading->out, "\r\n") == GP_OK;
}

static bool end_head(struct reading *reading, bool is_head, bool is_last)
{
	struct http_answer *answer = &reading->answer;
	bool is_bodyless = is_head || answer->status == 204 || answer->status == 304;

	/* Without a length its end could not be told from a connection that broke. */
	if (!reading->has_length && !is_bodyless)
		return false;
	if (is_bodyless)
		answer->body_len = 0;
	return buf_printf(reading->out, "Connection: %s\r\n\r\n",
		       is_last ? "close" : "keep-alive") == GP_OK;
}

enum http_answer_step http_answer_read(struct slice input, bool is_head, bool is_last,
	struct buf *out, struct http_answer *ret_answer)
{
	struct reading reading = { .out = out };
	size_t used = 0;

	buf_clear(out);
	for (;;) {
		struct slice line = { NULL, 0 };
		struct line finder;
		enum line_result result;
		bool is_good;

		line_init(&finder);
		result = line_find(
			&finder, slice_from(input, used), HTTP_ANSWER_HEAD_MAX - used, &line);
		if (result == LINE_MORE && input.len < HTTP_ANSWER_HEAD_MAX)
			return HTTP_ANSWER_MORE;
		if (result != LINE_FOUND || used + line.len + 2 > HTTP_ANSWER_HEAD_MAX)
			return HTTP_ANSWER_BAD;
		used += line.len + 2;
		if (line.len == 0 && reading.answer.status != 0)
			break;
		is_good = reading.answer.status == 0 ? take_status(&reading, line)
						     : take_field(&reading, line);
		if (!is_good)
			return HTTP_ANSWER_BAD;
	}
	reading.answer.head_len = used;
	if (!end_head(&reading, is_head, is_last))
		return HTTP_ANSWER_BAD;
	*ret_answer = reading.answer;
	return HTTP_ANSWER_HEAD;
}
