/* SPDX-License-Identifier: ISC */
/* One packet. What is taken as a message has one form only: encoded again it is the same bytes. */
#include "base/check.h"
#include "fuzz.h"
#include "ipc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice packet = slice_of(data, size);
	struct ipc_message message;
	struct buf again;

	if (ipc_decode(packet, &message) != GP_OK)
		return 0;
	GP_ASSERT(message.type < IPC_TYPE_MAX);
	buf_init(&again, IPC_PACKET_MAX);
	GP_ASSERT(ipc_encode(&message, &again) == GP_OK);
	GP_ASSERT(slice_equal(packet, buf_slice(&again)));
	buf_fini(&again);
	return 0;
}
