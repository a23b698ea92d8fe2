/* SPDX-License-Identifier: ISC */
/*
 *	take_request_line() --> take_field() ... --> end_head() --> the body --> fill_request()
 *
 * each once for its line; any of them may end in refuse().
 */
#include "proto/http_server.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
const struct slice http_continue = { CONTINUE, sizeof CONTINUE - 1 };

static const char *const methods[HTTP_METHOD_MAX] = {
#define HTTP_METHOD_TEXT(name, text) [name] = (text),
	HTTP_METHOD_LIST(HTTP_METHOD_TEXT)
};

static const char *const fields[HTTP_FIELD_MAX] = {
#define HTTP_FIELD_TEXT(name, text) [name] = (text),
	HTTP_FIELD_LIST(HTTP_FIELD_TEXT)
};

static const struct {
	unsigned status;
	const char *phrase;
	const char *detail;
} faults[HTTP_FAULT_MAX] = {
#define HTTP_FAULT_FACTS(name, status, phrase, detail) [name] = { status, phrase, detail },
	HTTP_FAULT_LIST(HTTP_FAULT_FACTS)
};

void http_server_init(struct http_server *http)
{
	*http = (struct http_server){ 0 };
	line_init(&http->line);
}

enum http_fault http_server_fault(const struct http_server *http)
{
	return http->fault;
}

static enum http_step refuse(struct http_server *http, enum http_fault fault)
{
	http->fault = fault;
	return HTTP_REFUSED;
}

/* What text is made of. */

static bool is_one_of(char byte, const char *set)
{
	return byte != '\0' && strchr(set, byte) != NULL;
}

/* RFC 9110 section 5.6.2. */
bool http_is_token(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_alnum(text.data[i]) && !is_one_of(text.data[i], "!#$%&'*+-.^_`|~"))
			return false;
	}
	return text.len > 0;
}

/* RFC 9110 section 5.5: no control but the tab. */
bool http_is_field_value(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return true;
}

static bool is_hex(char byte)
{
	return text_is_digit(byte) || (text_lower(byte) >= 'a' && text_lower(byte) <= 'f');
}

/* RFC 3986: pchar, "/" and "?"; the byte 0 stays out in every guise. */
static bool is_target(struct slice target)
{
	for (size_t i = 0; i < target.len; i++) {
		char byte = target.data[i];

		if (byte == '%') {
			if (target.len - i < 3 || !is_hex(target.data[i + 1]) ||
				!is_hex(target.data[i + 2]))
				return false;
			if (target.data[i + 1] == '0' && target.data[i + 2] == '0')
				return false;
		} else if (!text_is_alnum(byte) && !is_one_of(byte, "-._~!$&'()*+,;=:@/?")) {
			return false;
		}
	}
	return true;
}

/* A name, an address or [an IPv6 address], and perhaps a port. */
static bool is_host(struct slice host)
{
	for (size_t i = 0; i < host.len; i++) {
		if (!text_is_alnum(host.data[i]) && !is_one_of(host.data[i], "-._:[]"))
			return false;
	}
	return host.len > 0;
}

/* The request line. */

static enum http_fault check_version(struct slice version)
{
	if (version.len != 8 || memcmp(version.data, "HTTP/", 5) != 0 ||
		!text_is_digit(version.data[5]) || version.data[6] != '.' ||
		!text_is_digit(version.data[7]))
		return HTTP_FAULT_REQUEST_LINE;
	return slice_is(version, "HTTP/1.1") ? HTTP_FAULT_NONE : HTTP_FAULT_VERSION;
}

static enum http_fault check_target(struct slice target)
{
	if (target.len > HTTP_TARGET_MAX)
		return HTTP_FAULT_TARGET_SIZE;
	if (target.len == 0 || target.data[0] != '/')
		return HTTP_FAULT_FORM;
	return is_target(target) ? HTTP_FAULT_NONE : HTTP_FAULT_TARGET;
}

static enum http_fault take_request_line(struct http_server *http, struct slice line, size_t offset)
{
	ptrdiff_t first = slice_find(line, ' ');
	ptrdiff_t last = slice_find_last(line, ' ');
	struct slice method;
	struct slice target;
	enum http_fault fault;

	/* RFC 9112 section 2.2: an empty line that an old client left behind. */
	if (line.len == 0 && !http->had_empty_line) {
		http->had_empty_line = true;
		return HTTP_FAULT_NONE;
	}
	if (first < 0 || first == last)
		return HTTP_FAULT_REQUEST_LINE;
	method = slice_head(line, (size_t)first);
	target = slice_from(slice_head(line, (size_t)last), (size_t)first + 1);
	fault = check_version(slice_from(line, (size_t)last + 1));
	if (fault != HTTP_FAULT_NONE)
		return fault;
	if (!http_is_token(method))
		return HTTP_FAULT_REQUEST_LINE;
	http->method = HTTP_GET;
	while (http->method < HTTP_METHOD_MAX && !slice_is(method, methods[http->method]))
		http->method++;
	if (http->method == HTTP_METHOD_MAX)
		return HTTP_FAULT_METHOD;
	http->target = (struct http_part){ offset + (size_t)first + 1, target.len, true };
	http->has_line = true;
	return check_target(target);
}

/* Fields. */

static enum http_fault take_field(struct http_server *http, struct slice line, size_t offset)
{
	ptrdiff_t colon = slice_find(line, ':');
	struct slice name;
	struct slice value;
	struct http_part part;
	enum http_field field = 0;

	if (line.data[0] == ' ' || line.data[0] == '\t')
		return HTTP_FAULT_FOLDED;
	if (++http->field_count > HTTP_FIELDS_MAX)
		return HTTP_FAULT_HEAD_SIZE;
	name = slice_head(line, colon < 0 ? 0 : (size_t)colon);
	/* A blank before the colon is no token either (RFC 9112 section 5.1). */
	if (!http_is_token(name))
		return HTTP_FAULT_FIELD;
	value = slice_trim(slice_from(line, (size_t)colon + 1));
	if (!http_is_field_value(value))
		return HTTP_FAULT_FIELD;
	part = (struct http_part){ offset, value.len, true };
	if (value.len > 0)
		part.offset += (size_t)(value.data - line.data);
	if (slice_is_nocase(name, "X-Forwarded-For")) {
		if (http->forwarded_count == HTTP_FORWARDED_MAX)
			return HTTP_FAULT_HEAD_SIZE;
		http->forwarded[http->forwarded_count++] = part;
		return HTTP_FAULT_NONE;
	}
	while (field < HTTP_FIELD_MAX && !slice_is_nocase(name, fields[field]))
		field++;
	if (field == HTTP_FIELD_MAX)
		return HTTP_FAULT_NONE;
	if (http->fields[field].is_there)
		return HTTP_FAULT_TWICE;
	http->fields[field] = part;
	return HTTP_FAULT_NONE;
}

static struct slice part_of(const struct http_part *part, struct slice input)
{
	if (!part->is_there)
		return (struct slice){ NULL, 0 };
	return slice_of(input.data + part->offset, part->len);
}

static enum http_fault check_length(struct http_server *http, struct slice input)
{
	const struct http_part *part = &http->fields[HTTP_CONTENT_LENGTH];
	unsigned long long length = 0;

	if (http->fields[HTTP_TRANSFER_ENCODING].is_there)
		return HTTP_FAULT_CODING;
	if (!part->is_there)
		return HTTP_FAULT_NONE;
	if (!slice_to_u64(part_of(part, input), SIZE_MAX, &length))
		return HTTP_FAULT_LENGTH;
	if (length > HTTP_BODY_MAX)
		return HTTP_FAULT_BODY_SIZE;
	http->body_len = (size_t)length;
	if (length > 0 && (http->method == HTTP_GET || http->method == HTTP_HEAD))
		return HTTP_FAULT_BODY;
	return HTTP_FAULT_NONE;
}

/* Connection may name fields that end here (RFC 9110 section 7.6.1); naming one of those that are
 * passed on is a trick. */
static enum http_fault take_option(struct http_server *http, struct slice option)
{
	if (!http_is_token(option))
		return HTTP_FAULT_CONNECTION;
	if (slice_is_nocase(option, "close"))
		http->is_last = true;
	for (enum http_field field = 0; field < HTTP_FIELD_MAX; field++) {
		if (slice_is_nocase(option, fields[field]))
			return HTTP_FAULT_CONNECTION;
	}
	return HTTP_FAULT_NONE;
}

static enum http_fault check_connection(struct http_server *http, struct slice input)
{
	struct slice rest = part_of(&http->fields[HTTP_CONNECTION], input);
	enum http_fault fault = HTTP_FAULT_NONE;

	while (fault == HTTP_FAULT_NONE && rest.len > 0) {
		ptrdiff_t comma = slice_find(rest, ',');
		size_t len = comma < 0 ? rest.len : (size_t)comma;

		fault = take_option(http, slice_trim(slice_head(rest, len)));
		rest = slice_from(rest, comma < 0 ? rest.len : len + 1);
	}
	return fault;
}

static enum http_fault end_head(struct http_server *http, struct slice input)
{
	const struct http_part *expect = &http->fields[HTTP_EXPECT];
	enum http_fault fault = check_length(http, input);

	http->is_head_done = true;
	if (fault == HTTP_FAULT_NONE && !is_host(part_of(&http->fields[HTTP_HOST], input)))
		fault = HTTP_FAULT_HOST;
	if (fault == HTTP_FAULT_NONE && expect->is_there &&
		!slice_is_nocase(part_of(expect, input), "100-continue"))
		fault = HTTP_FAULT_EXPECT;
	return fault == HTTP_FAULT_NONE ? check_connection(http, input) : fault;
}

/* All of it. */

static enum http_fault take_line(struct http_server *http, struct slice line, struct slice input)
{
	size_t offset = http->taken;
	enum http_fault fault;

	http->taken += line.len + 2;
	if (!http->has_line)
		fault = take_request_line(http, line, offset);
	else if (line.len > 0)
		fault = take_field(http, line, offset);
	else
		fault = end_head(http, input);
	return fault;
}

static enum http_step take_head(struct http_server *http, struct slice input)
{
	struct slice line = { NULL, 0 };

	while (!http->is_head_done) {
		size_t left = HTTP_HEAD_MAX - http->taken;
		enum http_fault fault = HTTP_FAULT_NONE;

		if (left < 2)
			return refuse(http, HTTP_FAULT_HEAD_SIZE);
		switch (line_find(&http->line, slice_from(input, http->taken), left - 2, &line)) {
		case LINE_MORE:
			return HTTP_MORE;
		case LINE_FOUND:
			fault = take_line(http, line, input);
			break;
		case LINE_BROKEN:
			fault = HTTP_FAULT_LINE;
			break;
		case LINE_TOO_LONG:
			fault = http->has_line ? HTTP_FAULT_HEAD_SIZE : HTTP_FAULT_TARGET_SIZE;
			break;
		}
		if (fault != HTTP_FAULT_NONE)
			return refuse(http, fault);
	}
	return HTTP_WHOLE;
}

static void fill_request(
	const struct http_server *http, struct slice input, struct http_request *request)
{
	*request = (struct http_request){ .method = http->method,
		.target = part_of(&http->target, input),
		.forwarded_count = http->forwarded_count,
		.body = slice_head(slice_from(input, http->taken), http->body_len),
		.is_last = http->is_last,
		.length = http->taken + http->body_len };
	for (size_t i = 0; i < HTTP_FIELD_MAX; i++)
		request->fields[i] = part_of(&http->fields[i], input);
	for (size_t i = 0; i < http->forwarded_count; i++)
		request->forwarded[i] = part_of(&http->forwarded[i], input);
}

enum http_step http_server_input(
	struct http_server *http, struct slice input, struct http_request *ret_request)
{
	enum http_step step = HTTP_WHOLE;

	if (http->fault != HTTP_FAULT_NONE)
		return HTTP_REFUSED;
	step = take_head(http, input);
	if (step != HTTP_WHOLE)
		return step;
	if (input.len - http->taken >= http->body_len) {
		fill_request(http, input, ret_request);
		return HTTP_WHOLE;
	}
	if (!http->fields[HTTP_EXPECT].is_there || http->is_continued)
		return HTTP_MORE;
	http->is_continued = true;
	return HTTP_CONTINUE;
}

enum gp_err http_request_append(const struct http_request *request, struct buf *out)
{
	enum gp_err err = buf_printf(out, "%s ", methods[request->method]);

	if (err == GP_OK)
		err = buf_append(out, request->target);
	if (err == GP_OK)
		err = buf_append_str(out, " HTTP/1.1\r\n");
	for (size_t i = 0; err == GP_OK && i < HTTP_PASSED; i++) {
		if (request->fields[i].data == NULL)
			continue;
		err = buf_printf(out, "%s: ", fields[i]);
		if (err == GP_OK)
			err = buf_append(out, request->fields[i]);
		if (err == GP_OK)
			err = buf_append_str(out, "\r\n");
	}
	if (err == GP_OK && (request->body.len > 0 || request->method == HTTP_POST))
		err = buf_printf(out, "Content-Length: %zu\r\n", request->body.len);
	if (err == GP_OK)
		err = buf_append_str(out, "Connection: close\r\n\r\n");
	return err == GP_OK ? buf_append(out, request->body) : err;
}

/* Refusals. */

unsigned http_fault_status(enum http_fault fault)
{
	return faults[fault].status;
}

const char *http_fault_detail(enum http_fault fault)
{
	return faults[fault].detail;
}

enum gp_err http_refusal_append(enum http_fault fault, bool is_head, struct buf *out)
{
	struct buf body;
	enum gp_err err;

	buf_init(&body, HTTP_REFUSAL_MAX);
	err = buf_printf(&body,
		"{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\"}\n",
		faults[fault].phrase, faults[fault].status, faults[fault].detail);
	if (err == GP_OK)
		err = buf_printf(out,
			"HTTP/1.1 %u %s\r\n"
			"Content-Type: application/problem+json\r\n"
			"Content-Length: %zu\r\n"
			"Cache-Control: no-store\r\n"
			"X-Content-Type-Options: nosniff\r\n"
			"%s"
			"Connection: close\r\n\r\n",
			faults[fault].status, faults[fault].phrase, buf_slice(&body).len,
			faults[fault].status == 503 ? "Retry-After: 1\r\n" : "");
	if (err == GP_OK && !is_head)
		err = buf_append(out, buf_slice(&body));
	buf_fini(&body);
	return err;
}

/* X-Forwarded-For. */

/* Cuts the last entry off the end of *rest. */
static struct slice cut_last(struct slice *rest)
{
	ptrdiff_t comma = slice_find_last(*rest, ',');
	struct slice entry = slice_trim(slice_from(*rest, (size_t)(comma + 1)));

	*rest = slice_head(*rest, comma < 0 ? 0 : (size_t)comma);
	return entry;
}

struct ip http_request_client(const struct http_request *request, const struct ip *peer,
	const struct ip_net *trusted, size_t count)
{
	struct ip client = *peer;

	for (unsigned i = request->forwarded_count; i > 0; i--) {
		struct slice rest = request->forwarded[i - 1];

		while (rest.len > 0) {
			if (!ip_nets_contain(trusted, count, &client) ||
				ip_parse(cut_last(&rest), &client) != GP_OK)
				return client;
		}
	}
	return client;
}
