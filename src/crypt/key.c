/* SPDX-License-Identifier: ISC */
#include "crypt/key.h"

#include <string.h>

#include "base/buf.h"
#include "base/encode.h"

static struct slice trim_lines(struct slice text)
{
	while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL)
		text.len--;
	while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL)
		text = slice_from(text, 1);
	return text;
}

enum gp_err key_decode(
	struct slice text, const char *what, struct secret **ret_key, struct gp_why *why)
{
	struct buf bytes;
	enum gp_err err;

	buf_init_secret(&bytes, KEY_MAX + 4);
	err = decode_base64(trim_lines(text), &bytes);
	if (err == GP_OK && (bytes.len < KEY_MIN || bytes.len > KEY_MAX))
		err = GP_ERR_LIMIT;
	if (err == GP_OK)
		*ret_key = secret_new(buf_slice(&bytes));
	else
		err = gp_why_set(why, GP_ERR_CONFIG,
			"the %s must be %d to %d bytes in base64 on one line, as from: "
			"openssl rand -base64 32",
			what, KEY_MIN, KEY_MAX);
	buf_fini(&bytes);
	return err;
}
