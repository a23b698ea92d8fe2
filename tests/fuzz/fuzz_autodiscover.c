/* SPDX-License-Identifier: ISC */
/* What is taken as a request is short printable text without a document type, a comment or an
 * instruction behind the first; it goes into an answer in which nothing of it is markup. */
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "fuzz.h"
#include "setup/autodiscover.h"

static size_t count_of(struct slice text, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == byte;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct offers offers = { .hostname = "mail.example.test",
		.ports = { [SERVICE_IMAPS] = 993, [SERVICE_SUBMISSIONS] = 465 } };
	struct slice input = slice_of(data, size);
	struct autodiscover_request request;
	struct buf plain;
	struct buf out;
	enum gp_err err = autodiscover_read(input, &request);

	if (err != GP_OK) {
		GP_ASSERT(err == GP_ERR_SYNTAX ||
			  (err == GP_ERR_LIMIT && size > AUTODISCOVER_REQUEST_MAX));
		return 0;
	}
	GP_ASSERT(size <= AUTODISCOVER_REQUEST_MAX);
	GP_ASSERT(memmem(data, size, "<!", 2) == NULL);
	GP_ASSERT(text_is_printable(slice_str(request.address)));
	GP_ASSERT(text_is_printable(slice_str(request.schema)));
	buf_init(&plain, AUTODISCOVER_MAX);
	buf_init(&out, AUTODISCOVER_MAX);
	GP_ASSERT(autodiscover_write(&offers, SLICE_LIT("a"), &plain) == GP_OK);
	if (autodiscover_write(&offers, slice_str(request.address), &out) == GP_OK) {
		GP_ASSERT(count_of(buf_slice(&out), '<') == count_of(buf_slice(&plain), '<'));
		GP_ASSERT(count_of(buf_slice(&out), '>') == count_of(buf_slice(&plain), '>'));
		GP_ASSERT(count_of(buf_slice(&out), '"') == count_of(buf_slice(&plain), '"'));
	}
	buf_fini(&plain);
	buf_fini(&out);
	return 0;
}
