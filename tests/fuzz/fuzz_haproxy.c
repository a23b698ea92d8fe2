/* SPDX-License-Identifier: ISC */
/* The header as it comes. What a prefix is refused for, more bytes cannot mend; what is complete
 * stays so, whatever follows; what was parsed can be written and read back. */
#include "base/check.h"
#include "fuzz.h"
#include "proto/haproxy.h"

static void check_written(const struct haproxy_header *header)
{
	struct haproxy_header back;
	size_t used = 0;
	struct buf out;

	buf_init(&out, HAPROXY_V2_MAX);
	GP_ASSERT(haproxy_append(&out, header) == GP_OK);
	GP_ASSERT(haproxy_parse(buf_slice(&out), &back, &used) == HAPROXY_DONE);
	GP_ASSERT(used == out.len);
	if (!back.is_local) {
		GP_ASSERT(ip_equal(&back.client, &header->client));
		GP_ASSERT(ip_equal(&back.local, &header->local));
		GP_ASSERT(back.client_port == header->client_port);
	}
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_of(data, size);
	struct haproxy_header header = { .is_local = true };
	size_t used = 0;
	enum haproxy_result result = haproxy_parse(all, &header, &used);
	size_t needed = result == HAPROXY_DONE ? used : size;

	GP_ASSERT(result != HAPROXY_MORE || size < HAPROXY_V2_MAX);
	GP_ASSERT(result != HAPROXY_DONE || (used > 0 && used <= size && used <= HAPROXY_V2_MAX));
	for (size_t len = 0; len < needed && len <= HAPROXY_V2_MAX; len++) {
		struct haproxy_header early;
		size_t early_used = 0;
		enum haproxy_result at = haproxy_parse(slice_head(all, len), &early, &early_used);

		GP_ASSERT(at == HAPROXY_MORE || (result == HAPROXY_BAD && at == HAPROXY_BAD));
	}
	if (result == HAPROXY_DONE)
		check_written(&header);
	return 0;
}
