/* SPDX-License-Identifier: ISC */
/* What the process that looks a name up writes. What is taken has one form only, and is something
 * to connect to. */
#include <string.h>

#include "base/check.h"
#include "fuzz.h"
#include "parent/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct generation_member member = { .name = NULL, .port = 25 };
	unsigned char again[ADDRESS_ANSWER_SIZE];
	struct address_answer answer;

	if (!address_decode(slice_of(data, size), &answer))
		return 0;
	GP_ASSERT(address_encode(&answer, again) == size && memcmp(again, data, size) == 0);
	GP_ASSERT((answer.code == 0) == (answer.count > 0) && answer.count <= ADDRESS_MAX);
	if (answer.code != 0)
		return 0;
	GP_ASSERT(address_set(&member, &answer) && member.count == answer.count);
	for (size_t i = 0; i < member.count; i++)
		GP_ASSERT(member.addresses[i].len > 0);
	GP_ASSERT(!address_set(&member, &answer));
	address_free(&member);
	return 0;
}
