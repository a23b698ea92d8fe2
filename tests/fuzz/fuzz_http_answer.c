/* SPDX-License-Identifier: ISC */
/* First byte: what the request was. What is refused early stays refused; what is passed on holds
 * one Connection, no transfer coding and no line that is not ours to end. */
#include "base/check.h"
#include "fuzz.h"
#include "proto/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size);
	unsigned bits = fuzz_byte(&input);
	struct http_answer answer = { .status = 0 };
	enum http_answer_step last;
	struct slice head;
	struct buf out;

	buf_init(&out, HTTP_ANSWER_HEAD_MAX + 64);
	last = http_answer_read(input, (bits & 1) != 0, (bits & 2) != 0, &out, &answer);
	head = buf_slice(&out);
	if (last == HTTP_ANSWER_HEAD) {
		GP_ASSERT(answer.status >= 200 && answer.status <= 599);
		GP_ASSERT(answer.head_len <= input.len && answer.head_len <= HTTP_ANSWER_HEAD_MAX);
		for (size_t i = 0; i < head.len; i++)
			GP_ASSERT(head.data[i] != '\0' &&
				  (head.data[i] != '\n' || head.data[i - 1] == '\r'));
		size = answer.head_len;
	} else {
		size = input.len;
	}
	for (size_t n = 0; n < size; n += 1 + n / 8) {
		struct http_answer early = { .status = 0 };
		enum http_answer_step step =
			http_answer_read(slice_head(input, n), false, false, &out, &early);

		GP_ASSERT(step != HTTP_ANSWER_HEAD || last != HTTP_ANSWER_MORE);
		GP_ASSERT(step != HTTP_ANSWER_BAD || last != HTTP_ANSWER_MORE);
	}
	buf_fini(&out);
	return 0;
}
