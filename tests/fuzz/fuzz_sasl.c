/* SPDX-License-Identifier: ISC */
/* First byte: mechanism and whether there is an initial response. Then lines, ended by LF. */
#include "base/check.h"
#include "base/secret.h"
#include "fuzz.h"
#include "proto/sasl.h"

static struct slice next_line(struct slice *rest)
{
	ptrdiff_t end = slice_find(*rest, '\n');
	struct slice line = fuzz_cut(rest, end >= 0 ? (size_t)end : rest->len);

	(void)fuzz_byte(rest);
	return line;
}

static void check_done(const struct sasl *sasl)
{
	GP_ASSERT(sasl_is_login(buf_slice(&sasl->login)));
	GP_ASSERT(sasl_is_secret(buf_slice(&sasl->secret)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	unsigned choice = fuzz_byte(&rest);
	bool has_initial = (choice & 2) != 0;
	enum sasl_result result;
	struct slice first;
	struct sasl sasl;
	unsigned rounds = 0;

	GP_ASSERT(sasl_init(&sasl, slice_str((choice & 1) != 0 ? "PLAIN" : "login")));
	first = has_initial ? next_line(&rest) : slice_of(NULL, 0);
	result = sasl_begin(&sasl, has_initial, first);
	while (result == SASL_CHALLENGE && rounds < 8) {
		GP_ASSERT(sasl_challenge(&sasl) != NULL);
		result = sasl_step(&sasl, next_line(&rest));
		rounds++;
	}
	GP_ASSERT(rounds <= 2);
	if (result == SASL_DONE)
		check_done(&sasl);
	else
		GP_ASSERT(sasl.login.len == 0 && sasl.secret.len == 0);
	sasl_fini(&sasl);
	return 0;
}
