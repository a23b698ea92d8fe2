/* SPDX-License-Identifier: ISC */
#include "crypt/totp.h"

#include <liboath/oath.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

enum {
	GROUP = 4, /* letters between spaces */
	SECRET_LETTERS = (TOTP_SECRET_SIZE * 8 + 4) / 5,
};

enum gp_err totp_setup(void)
{
	return oath_init() == OATH_OK ? GP_OK : GP_ERR_INTERNAL;
}

uint64_t totp_step(int64_t wall_s)
{
	return wall_s > 0 ? (uint64_t)wall_s / TOTP_STEP : 0;
}

enum gp_err totp_code(const uint8_t secret[static TOTP_SECRET_SIZE], uint64_t step,
	char out[static TOTP_CODE_SIZE])
{
	char code[TOTP_CODE_SIZE] = "";
	int rc = oath_hotp_generate((const char *)secret, TOTP_SECRET_SIZE, step, TOTP_DIGITS,
		false, OATH_HOTP_DYNAMIC_TRUNCATION, code);

	if (rc != OATH_OK)
		return GP_ERR_INTERNAL;
	for (size_t i = 0; i < sizeof code; i++)
		out[i] = code[i];
	mem_wipe(code, sizeof code);
	return GP_OK;
}

/* The digits of text; false if it is not of the form. */
static bool read_digits(struct slice text, char out[static TOTP_CODE_SIZE])
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == ' ' || text.data[i] == '-')
			continue;
		if (!text_is_digit(text.data[i]) || count == TOTP_DIGITS)
			return false;
		out[count++] = text.data[i];
	}
	out[count] = '\0';
	return count == TOTP_DIGITS;
}

bool totp_is_form(struct slice text)
{
	char digits[TOTP_CODE_SIZE];
	bool is_form = read_digits(text, digits);

	mem_wipe(digits, sizeof digits);
	return is_form;
}

enum gp_err totp_match(const uint8_t secret[static TOTP_SECRET_SIZE], struct slice text,
	int64_t wall_s, uint64_t used, uint64_t *ret_step)
{
	uint64_t now = totp_step(wall_s);
	uint64_t found = 0;
	char typed[TOTP_CODE_SIZE];
	char code[TOTP_CODE_SIZE];
	enum gp_err err = GP_OK;

	if (!read_digits(text, typed) || now <= TOTP_DRIFT) {
		*ret_step = 0;
		goto out;
	}
	for (uint64_t step = now - TOTP_DRIFT; err == GP_OK && step <= now + TOTP_DRIFT; step++) {
		err = totp_code(secret, step, code);
		/* The oldest that fits: what follows stays good for the next time. */
		if (err == GP_OK && secret_equal(slice_str(code), slice_str(typed)) &&
			step > used && found == 0)
			found = step;
	}
	if (err == GP_OK)
		*ret_step = found;
out:
	mem_wipe(typed, sizeof typed);
	mem_wipe(code, sizeof code);
	return err;
}

static enum gp_err encode_secret(const uint8_t secret[static TOTP_SECRET_SIZE], struct buf *out)
{
	return encode_base32(slice_of(secret, TOTP_SECRET_SIZE), out);
}

enum gp_err totp_format_secret(const uint8_t secret[static TOTP_SECRET_SIZE], struct buf *out)
{
	struct buf letters;
	enum gp_err err;

	buf_init_secret(&letters, SECRET_LETTERS);
	err = encode_secret(secret, &letters);
	for (size_t at = 0; err == GP_OK && at < letters.len; at += GROUP) {
		if (at > 0)
			err = buf_append_byte(out, ' ');
		if (err == GP_OK)
			err = buf_append(
				out, slice_head(slice_from(buf_slice(&letters), at), GROUP));
	}
	buf_fini(&letters);
	return err;
}

/* Percent-encoded (RFC 3986), all but the unreserved; at most TOTP_NAME_MAX bytes of whole
 * characters. */
static enum gp_err append_name(struct slice name, struct buf *out)
{
	size_t len = 0; /* of what fits, encoded */
	size_t end = 0; /* behind the last whole character of it */
	enum gp_err err = GP_OK;

	for (size_t i = 0; i < name.len && len <= TOTP_NAME_MAX; i++) {
		if (((unsigned char)name.data[i] & 0xc0) != 0x80)
			end = i;
		len += text_is_alnum(name.data[i]) ? 1 : 3;
	}
	if (len <= TOTP_NAME_MAX)
		end = name.len;
	for (size_t i = 0; err == GP_OK && i < end; i++) {
		char byte = name.data[i];
		bool is_plain = text_is_alnum(byte) || byte == '-' || byte == '.' || byte == '_' ||
				byte == '~';

		err = is_plain ? buf_append_byte(out, byte)
			       : buf_printf(out, "%%%02X", (unsigned)(unsigned char)byte);
	}
	return err;
}

enum gp_err totp_format_uri(const uint8_t secret[static TOTP_SECRET_SIZE], struct slice issuer,
	struct slice account, struct buf *out)
{
	enum gp_err err = buf_append_str(out, "otpauth://totp/");

	if (err == GP_OK)
		err = append_name(issuer, out);
	if (err == GP_OK)
		err = buf_append_byte(out, ':');
	if (err == GP_OK)
		err = append_name(account, out);
	if (err == GP_OK)
		err = buf_append_str(out, "?secret=");
	if (err == GP_OK)
		err = encode_secret(secret, out);
	if (err == GP_OK)
		err = buf_append_str(out, "&issuer=");
	if (err == GP_OK)
		err = append_name(issuer, out);
	return err;
}
