/* SPDX-License-Identifier: ISC */
#include "base/secret.h"

#include <string.h>

#include "base/mem.h"

struct secret {
	size_t len;
	char data[];
};

struct secret *secret_new(struct slice bytes)
{
	struct secret *secret = mem_new(1, sizeof *secret + bytes.len + 1);

	secret->len = bytes.len;
	if (bytes.len > 0)
		memcpy(secret->data, bytes.data, bytes.len);
	return secret;
}

void secret_free(struct secret **psecret)
{
	struct secret *secret = *psecret;

	if (secret == NULL)
		return;
	*psecret = NULL;
	mem_wipe(secret, sizeof *secret + secret->len);
	mem_free(secret);
}

struct slice secret_slice(const struct secret *secret)
{
	return secret != NULL ? slice_of(secret->data, secret->len) : slice_of(NULL, 0);
}

bool secret_equal(struct slice a, struct slice b)
{
	unsigned char difference = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		const volatile char *pa = a.data + i;
		const volatile char *pb = b.data + i;

		difference |= (unsigned char)(*pa ^ *pb);
	}
	return difference == 0;
}
