/* SPDX-License-Identifier: ISC */
/*
 * First byte: how the rest is cut. It goes through the scanner of transfers, as in life; what is
 * noticed is the same however it came, clean, and names the same people when it is read again.
 */
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "fuzz.h"
#include "proto/address_list.h"
#include "proto/header_text.h"
#include "proto/message_scan.h"
#include "proto/smtp_body.h"

struct seen {
	enum message_from from;
	struct buf addresses;
	struct buf subject;
	bool has_body;
	unsigned char body[SIPHASH_BYTES];
};

static void look(struct slice input, uint32_t seed, bool is_cut, struct seen *ret_seen)
{
	struct message_scan *scan = message_scan_new(true, true);
	enum smtp_body_result result = SMTP_BODY_MORE;
	size_t arrived = is_cut ? 0 : input.len;
	size_t start = 0;
	struct smtp_body body;

	smtp_body_init(&body);
	while (result == SMTP_BODY_MORE) {
		size_t good = 0;

		result =
			smtp_body_scan(&body, slice_from(slice_head(input, arrived), start), &good);
		if (result != SMTP_BODY_BAD)
			message_scan_add(scan, slice_head(slice_from(input, start), good));
		start += good;
		if (good == 0 && arrived == input.len)
			break;
		arrived += is_cut ? fuzz_piece(&seed) : 0;
		arrived = arrived < input.len ? arrived : input.len;
	}
	message_scan_end(scan);
	*ret_seen = (struct seen){ .from = MESSAGE_FROM_NOBODY };
	buf_init(&ret_seen->addresses, MESSAGE_SCAN_ADDRESSES);
	buf_init(&ret_seen->subject, HEADER_TEXT_MAX);
	/* Of a message that is refused nobody asks. */
	if (result != SMTP_BODY_BAD) {
		ret_seen->from = message_scan_from(scan, &ret_seen->addresses);
		message_scan_subject(scan, &ret_seen->subject);
		ret_seen->has_body = message_scan_body(scan, ret_seen->body);
	}
	message_scan_free(&scan);
}

static void check(const struct seen *seen)
{
	struct buf again;

	GP_ASSERT(seen->subject.len <= HEADER_TEXT_MAX);
	GP_ASSERT(text_is_printable(buf_slice(&seen->subject)));
	if (seen->from != MESSAGE_FROM_ADDRESSES)
		return;
	GP_ASSERT(text_is_printable(buf_slice(&seen->addresses)));
	buf_init(&again, MESSAGE_SCAN_ADDRESSES);
	GP_ASSERT(address_list_parse(buf_slice(&seen->addresses), &again) == GP_OK);
	GP_ASSERT(slice_equal(buf_slice(&again), buf_slice(&seen->addresses)));
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	uint32_t seed = fuzz_byte(&rest);
	struct seen whole;
	struct seen cut;

	look(rest, seed, false, &whole);
	look(rest, seed, true, &cut);
	check(&whole);
	GP_ASSERT(whole.from == cut.from && whole.has_body == cut.has_body);
	GP_ASSERT(slice_equal(buf_slice(&whole.addresses), buf_slice(&cut.addresses)) ||
		  whole.from != MESSAGE_FROM_ADDRESSES);
	GP_ASSERT(slice_equal(buf_slice(&whole.subject), buf_slice(&cut.subject)));
	GP_ASSERT(memcmp(whole.body, cut.body, sizeof whole.body) == 0);
	buf_fini(&whole.addresses);
	buf_fini(&whole.subject);
	buf_fini(&cut.addresses);
	buf_fini(&cut.subject);
	return 0;
}
