/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "login_fuzz.h"
#include "proto/imap_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	login_fuzz_server(&imap_server_ops, SERVICE_IMAP, SERVICE_IMAPS, data, size);
	return 0;
}
