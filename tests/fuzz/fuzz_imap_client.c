/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "login_fuzz.h"
#include "proto/imap_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	login_fuzz_client(&imap_client_ops, data, size);
	return 0;
}
