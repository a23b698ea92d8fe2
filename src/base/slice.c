/* SPDX-License-Identifier: ISC */
#include "base/slice.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct slice slice_of(const void *data, size_t len)
{
	return (struct slice){ data, len };
}

struct slice slice_str(const char *text)
{
	return (struct slice){ text, text != NULL ? strlen(text) : 0 };
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool slice_is(struct slice a, const char *text)
{
	return slice_equal(a, slice_str(text));
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (text_lower(a.data[i]) != text_lower(b.data[i]))
			return false;
	}
	return true;
}

bool slice_is_nocase(struct slice a, const char *text)
{
	return slice_equal_nocase(a, slice_str(text));
}

bool slice_starts_nocase(struct slice a, const char *prefix)
{
	size_t len = strlen(prefix);

	return a.len >= len && slice_is_nocase(slice_head(a, len), prefix);
}

ptrdiff_t slice_find(struct slice a, char byte)
{
	const char *at = a.len > 0 ? memchr(a.data, byte, a.len) : NULL;

	return at != NULL ? at - a.data : -1;
}

ptrdiff_t slice_find_last(struct slice a, char byte)
{
	const char *at = a.len > 0 ? memrchr(a.data, byte, a.len) : NULL;

	return at != NULL ? at - a.data : -1;
}

struct slice slice_from(struct slice a, size_t offset)
{
	if (offset >= a.len)
		return (struct slice){ NULL, 0 };
	return slice_of(a.data + offset, a.len - offset);
}

struct slice slice_head(struct slice a, size_t n)
{
	return slice_of(a.data, n < a.len ? n : a.len);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

struct slice slice_trim(struct slice a)
{
	while (a.len > 0 && is_blank(a.data[0]))
		a = slice_from(a, 1);
	while (a.len > 0 && is_blank(a.data[a.len - 1]))
		a.len--;
	return a;
}

struct slice slice_word(struct slice *rest)
{
	struct slice word;
	ptrdiff_t end;

	while (rest->len > 0 && rest->data[0] == ' ')
		*rest = slice_from(*rest, 1);
	end = slice_find(*rest, ' ');
	word = end >= 0 ? slice_head(*rest, (size_t)end) : *rest;
	*rest = slice_from(*rest, word.len);
	return word;
}

char *slice_dup(struct slice a)
{
	return mem_strndup(a.data, a.len);
}

bool slice_copy(struct slice a, char *out, size_t size)
{
	if (size > 0)
		out[0] = '\0';
	if (a.len >= size || slice_find(a, '\0') >= 0)
		return false;
	if (a.len > 0)
		memcpy(out, a.data, a.len);
	out[a.len] = '\0';
	return true;
}

bool slice_to_u64(struct slice a, unsigned long long max, unsigned long long *ret_value)
{
	unsigned long long value = 0;

	if (a.len == 0)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		unsigned digit = (unsigned)(unsigned char)a.data[i] - '0';

		if (digit > 9 || value > (~0ULL - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}
