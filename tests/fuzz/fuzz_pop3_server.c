/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "login_fuzz.h"
#include "proto/pop3_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	login_fuzz_server(&pop3_server_ops, SERVICE_POP3, SERVICE_POP3S, data, size);
	return 0;
}
