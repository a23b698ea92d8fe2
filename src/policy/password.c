/* SPDX-License-Identifier: ISC */
#include "policy/password.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

_Static_assert((int)PASSWORD_MAX == (int)SECRET_MAX, "what may be set may be sent");

/* FNV-1a of each, sorted. */
static const uint64_t common[] = {
#include "common_passwords.inc"
};

static bool is_listed(struct slice text)
{
	uint64_t hash = 0xcbf29ce484222325;
	size_t low = 0;
	size_t high = GP_ARRAY_LEN(common);

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (common[middle] == hash)
			return true;
		if (common[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || ((unsigned char)byte & 0x80) != 0;
}

/* text is in lower case here and below. */
static bool is_common(struct slice text)
{
	size_t suffix = 0;

	if (is_listed(text))
		return true;
	while (suffix < PASSWORD_SUFFIX_MAX && suffix < text.len &&
		!is_letter(text.data[text.len - 1 - suffix])) {
		suffix++;
		if (is_listed(slice_head(text, text.len - suffix)))
			return true;
	}
	return false;
}

/* "aaaaaaaa", "abababab", "12345678", "87654321". */
static bool is_simple(struct slice text)
{
	bool seen[256] = { false };
	unsigned distinct = 0;
	unsigned steps = 0;
	int last = INT16_MAX;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		int step = i > 0 ? byte - (unsigned char)text.data[i - 1] : INT16_MIN;

		distinct += !seen[byte];
		seen[byte] = true;
		steps += step != last || step < -1 || step > 1;
		last = step;
	}
	return distinct < PASSWORD_DISTINCT || steps < PASSWORD_DISTINCT;
}

/* Takes every place where part stands out of text. */
static void cut(char *text, size_t *len, struct slice part)
{
	char *at = text;

	if (part.len < PASSWORD_PART_MIN)
		return;
	while ((at = memmem(text, *len, part.data, part.len)) != NULL) {
		memmove(at, at + part.len, *len - (size_t)(at - text) - part.len);
		*len -= part.len;
	}
}

/* Little more than the address, its local part or words of its domain? text is spent by that. */
static bool is_address(char *text, size_t len, struct slice address)
{
	size_t before = len;
	ptrdiff_t at = slice_find_last(address, '@');
	struct slice domain = slice_from(address, (size_t)(at + 1));
	ptrdiff_t dot;

	cut(text, &len, address);
	cut(text, &len, domain);
	if (at > 0)
		cut(text, &len, slice_head(address, (size_t)at));
	/* The last label is everybody's. */
	while ((dot = slice_find(domain, '.')) >= 0) {
		cut(text, &len, slice_head(domain, (size_t)dot));
		domain = slice_from(domain, (size_t)dot + 1);
		if (slice_find(domain, '.') >= 0)
			cut(text, &len, domain);
	}
	return len < before && len < PASSWORD_REST_MIN;
}

static size_t count_characters(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

enum password_fault password_judge(struct slice password, struct slice address)
{
	char lower[PASSWORD_MAX];
	enum password_fault fault = PASSWORD_GOOD;

	if (password.len > PASSWORD_MAX)
		return PASSWORD_TOO_LONG;
	if (!text_is_printable(password))
		return PASSWORD_CONTROLS;
	if (count_characters(password) < PASSWORD_MIN)
		return PASSWORD_TOO_SHORT;
	for (size_t i = 0; i < password.len; i++)
		lower[i] = text_lower(password.data[i]);
	if (is_simple(slice_of(lower, password.len)))
		fault = PASSWORD_SIMPLE;
	else if (is_common(slice_of(lower, password.len)))
		fault = PASSWORD_COMMON;
	else if (is_address(lower, password.len, address))
		fault = PASSWORD_ADDRESS;
	mem_wipe(lower, sizeof lower);
	return fault;
}

const char *password_words(enum password_fault fault)
{
	static const char *const words[PASSWORD_FAULT_MAX] = {
		[PASSWORD_GOOD] = "the password is good",
		[PASSWORD_TOO_LONG] = "the password is longer than 1024 bytes",
		[PASSWORD_CONTROLS] = "the password has control characters",
		[PASSWORD_TOO_SHORT] = "the password must have at least 8 characters",
		[PASSWORD_SIMPLE] = "the password is too easy: it repeats itself, or is a series",
		[PASSWORD_COMMON] = ("many people have this password, so it is tried first: take "
				     "several words that do not belong together"),
		[PASSWORD_ADDRESS] = "the password is little more than the address",
	};

	return words[fault];
}

const char *password_code(enum password_fault fault)
{
	static const char *const codes[PASSWORD_FAULT_MAX] = {
		[PASSWORD_GOOD] = "",
		[PASSWORD_TOO_LONG] = "password_long",
		[PASSWORD_CONTROLS] = "password_controls",
		[PASSWORD_TOO_SHORT] = "password_short",
		[PASSWORD_SIMPLE] = "password_simple",
		[PASSWORD_COMMON] = "password_common",
		[PASSWORD_ADDRESS] = "password_address",
	};

	return codes[fault];
}
