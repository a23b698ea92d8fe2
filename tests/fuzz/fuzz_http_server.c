/* SPDX-License-Identifier: ISC */
/*
 * First byte: how the rest is cut. However a request comes in, the outcome is the same; what is
 * taken is written in one way, reads back as the same request, and holds no second one.
 */
#include <string.h>

#include "base/check.h"
#include "fuzz.h"
#include "proto/http_server.h"

static enum http_step in_pieces(
	struct http_server *http, struct slice input, uint32_t seed, struct http_request *request)
{
	enum http_step step = HTTP_MORE;
	size_t arrived = 0;

	http_server_init(http);
	while (step != HTTP_WHOLE && step != HTTP_REFUSED) {
		step = http_server_input(http, slice_head(input, arrived), request);
		GP_ASSERT(step != HTTP_MORE || arrived < HTTP_INPUT_MAX);
		if (arrived == input.len)
			break;
		arrived += fuzz_piece(&seed);
		arrived = arrived < input.len ? arrived : input.len;
	}
	return step;
}

static void check_written(const struct http_request *request)
{
	struct http_server http;
	struct http_request again;
	struct buf first;
	struct buf second;

	buf_init(&first, HTTP_REQUEST_MAX);
	buf_init(&second, HTTP_REQUEST_MAX);
	GP_ASSERT(http_request_append(request, &first) == GP_OK);
	http_server_init(&http);
	GP_ASSERT(http_server_input(&http, buf_slice(&first), &again) == HTTP_WHOLE);
	GP_ASSERT(again.length == buf_slice(&first).len && again.is_last);
	GP_ASSERT(again.forwarded_count == 0);
	GP_ASSERT(slice_equal(again.target, request->target));
	GP_ASSERT(slice_equal(again.body, request->body));
	for (enum http_field field = 0; field < HTTP_PASSED; field++)
		GP_ASSERT(slice_equal(again.fields[field], request->fields[field]));
	GP_ASSERT(http_request_append(&again, &second) == GP_OK);
	GP_ASSERT(slice_equal(buf_slice(&first), buf_slice(&second)));
	buf_fini(&first);
	buf_fini(&second);
}

static void check_client(const struct http_request *request)
{
	struct ip peer = { .family = IP_V4, .bytes = { 10, 0, 0, 1 } };
	struct ip_net all = { .base = { .family = IP_V4 }, .prefix = 0 };
	struct ip client = http_request_client(request, &peer, NULL, 0);

	GP_ASSERT(ip_equal(&client, &peer));
	client = http_request_client(request, &peer, &all, 1);
	GP_ASSERT(client.family != IP_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size);
	uint32_t seed = fuzz_byte(&input);
	struct http_server whole;
	struct http_server cut;
	struct http_request request = { .length = 0 };
	struct http_request from_pieces = { .length = 0 };
	enum http_step step;

	http_server_init(&whole);
	step = http_server_input(&whole, input, &request);
	if (step == HTTP_CONTINUE)
		step = http_server_input(&whole, input, &request);
	GP_ASSERT(step != HTTP_CONTINUE);
	GP_ASSERT(in_pieces(&cut, input, seed, &from_pieces) == step || step == HTTP_MORE);
	GP_ASSERT(whole.fault == cut.fault);
	if (step != HTTP_WHOLE)
		return 0;
	GP_ASSERT(request.length == from_pieces.length && request.length <= input.len);
	check_written(&request);
	check_client(&request);
	return 0;
}
