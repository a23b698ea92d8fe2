/* SPDX-License-Identifier: ISC */
/*
 * Runs an engine that ends at sign-in twice over the same input, at once and in pieces, answering
 * what it asks in the same way: what it says and does must not depend on the pieces.
 */
#ifndef GP_TESTS_LOGIN_FUZZ_H
#define GP_TESTS_LOGIN_FUZZ_H

#include <stdint.h>

#include "proto/login.h"

/* data: one byte of settings, four of the splits' seed, one of verdicts, then the input. */
void login_fuzz_server(const struct login_server_ops *ops, enum service plain,
	enum service implicit_tls, const uint8_t *data, size_t size);
void login_fuzz_client(const struct login_client_ops *ops, const uint8_t *data, size_t size);

#endif
