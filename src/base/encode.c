/* SPDX-License-Identifier: ISC */
/*
 * One encoder and one decoder over alphabets of 2^bits letters; the four public pairs differ only
 * in their alphabet. Decoding takes time that does not matter here: what is decoded came from a
 * peer.
 */
#include "base/encode.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct alphabet {
	const char *letters;
	unsigned bits;  /* per letter */
	unsigned group; /* letters a padded group has; 0: no padding */
	bool is_caseless;
};

static const struct alphabet base64 = {
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 4, false
};
static const struct alphabet base64url = {
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, 0, false
};
static const struct alphabet base32 = { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 0, true };
static const struct alphabet hex = { "0123456789abcdef", 4, 0, true };

static enum gp_err encode(const struct alphabet *alphabet, struct slice bytes, struct buf *out)
{
	unsigned mask = (1U << alphabet->bits) - 1;
	uint32_t store = 0;
	unsigned have = 0;
	size_t count = 0;
	size_t need = (bytes.len * 8 + alphabet->bits - 1) / alphabet->bits;
	char *to;

	if (alphabet->group > 0)
		need = (need + alphabet->group - 1) / alphabet->group * alphabet->group;
	if (need == 0)
		return GP_OK;
	if (buf_reserve(out, need) != GP_OK)
		return GP_ERR_LIMIT;
	to = buf_tail(out);
	for (size_t i = 0; i < bytes.len; i++) {
		store = (store << 8) | (unsigned char)bytes.data[i];
		have += 8;
		while (have >= alphabet->bits) {
			have -= alphabet->bits;
			to[count++] = alphabet->letters[(store >> have) & mask];
		}
	}
	if (have > 0)
		to[count++] = alphabet->letters[(store << (alphabet->bits - have)) & mask];
	while (count < need)
		to[count++] = '=';
	buf_added(out, need);
	return GP_OK;
}

static int letter_value(const struct alphabet *alphabet, char letter)
{
	const char *at = NULL;

	if (letter == '\0')
		return -1;
	at = strchr(alphabet->letters, letter);
	if (at == NULL && alphabet->is_caseless) {
		char other = (char)(letter ^ 0x20);

		at = letter >= 'A' && other != '\0' ? strchr(alphabet->letters, other) : NULL;
	}
	return at != NULL ? (int)(at - alphabet->letters) : -1;
}

static bool strip_padding(const struct alphabet *alphabet, struct slice *text)
{
	unsigned padding = 0;

	if (alphabet->group == 0)
		return true;
	if (text->len % alphabet->group != 0)
		return false;
	while (text->len > 0 && padding < 2 && text->data[text->len - 1] == '=') {
		text->len--;
		padding++;
	}
	return true;
}

static enum gp_err decode(const struct alphabet *alphabet, struct slice text, struct buf *out)
{
	uint32_t store = 0;
	unsigned have = 0;
	size_t before = out->len;

	if (!strip_padding(alphabet, &text))
		return GP_ERR_SYNTAX;
	if (buf_reserve(out, text.len * alphabet->bits / 8) != GP_OK)
		return GP_ERR_LIMIT;
	for (size_t i = 0; i < text.len; i++) {
		int value = letter_value(alphabet, text.data[i]);

		if (value < 0)
			goto bad;
		store = (store << alphabet->bits) | (uint32_t)value;
		have += alphabet->bits;
		if (have >= 8) {
			have -= 8;
			buf_tail(out)[0] = (char)(unsigned char)(store >> have);
			buf_added(out, 1);
			store &= (1U << have) - 1;
		}
	}
	if (have >= alphabet->bits || store != 0)
		goto bad;
	return GP_OK;
bad:
	if (out->secret)
		mem_wipe(out->data + out->head + before, out->len - before);
	out->len = before;
	return GP_ERR_SYNTAX;
}

enum gp_err encode_base64(struct slice bytes, struct buf *out)
{
	return encode(&base64, bytes, out);
}

enum gp_err decode_base64(struct slice text, struct buf *out)
{
	return decode(&base64, text, out);
}

enum gp_err encode_base64url(struct slice bytes, struct buf *out)
{
	return encode(&base64url, bytes, out);
}

enum gp_err decode_base64url(struct slice text, struct buf *out)
{
	return decode(&base64url, text, out);
}

enum gp_err encode_base32(struct slice bytes, struct buf *out)
{
	return encode(&base32, bytes, out);
}

enum gp_err decode_base32(struct slice text, struct buf *out)
{
	return decode(&base32, text, out);
}

enum gp_err encode_hex(struct slice bytes, struct buf *out)
{
	return encode(&hex, bytes, out);
}

enum gp_err decode_hex(struct slice text, struct buf *out)
{
	return decode(&hex, text, out);
}
