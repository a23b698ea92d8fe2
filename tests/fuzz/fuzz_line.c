/* SPDX-License-Identifier: ISC */
/*
 * First two bytes: the limit, and how the rest is cut. The finder and a plain model, which looks at
 * all bytes at once, must agree on every line, whatever the cuts.
 */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "fuzz.h"
#include "proto/line.h"

static enum line_result model(struct slice input, size_t max, struct slice *ret_text)
{
	for (size_t i = 0; i < input.len && i < max + 2; i++) {
		if (input.data[i] != '\n')
			continue;
		*ret_text = slice_head(input, i > 0 ? i - 1 : 0);
		return i > 0 && input.data[i - 1] == '\r' && slice_find(*ret_text, '\r') < 0 &&
				       slice_find(*ret_text, '\0') < 0
			       ? LINE_FOUND
			       : LINE_BROKEN;
	}
	return input.len >= max + 2 ? LINE_TOO_LONG : LINE_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	size_t max = fuzz_byte(&rest);
	uint32_t seed = fuzz_byte(&rest);
	enum line_result result = LINE_MORE;
	size_t arrived = 0;
	struct line line;

	line_init(&line);
	while (result == LINE_MORE || result == LINE_FOUND) {
		struct slice text = { NULL, 0 };
		struct slice expected = { NULL, 0 };

		result = line_find(&line, slice_head(rest, arrived), max, &text);
		GP_ASSERT(result == model(slice_head(rest, arrived), max, &expected));
		if (result == LINE_FOUND) {
			GP_ASSERT(text.data == expected.data && text.len == expected.len);
			rest = slice_from(rest, text.len + 2);
			arrived -= text.len + 2;
		} else if (arrived == rest.len) {
			break;
		} else {
			arrived += fuzz_piece(&seed);
			arrived = arrived < rest.len ? arrived : rest.len;
		}
	}
	return 0;
}
