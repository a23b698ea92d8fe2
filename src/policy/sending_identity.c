/* SPDX-License-Identifier: ISC */
#include "policy/sending_identity.h"

/* Is it the address, or a sub-address of it? */
static bool is_of(struct slice address, struct slice sender, char separator)
{
	ptrdiff_t at = slice_find_last(address, '@');
	struct slice local = slice_head(address, at >= 0 ? (size_t)at : address.len);
	struct slice domain = slice_from(address, local.len);
	struct slice sender_local;

	if (slice_equal_nocase(address, sender))
		return true;
	if (separator == '\0' || local.len == 0 || sender.len < address.len)
		return false;
	sender_local = slice_head(sender, sender.len - domain.len);
	return slice_equal_nocase(slice_from(sender, sender_local.len), domain) &&
	       sender_local.len > local.len && sender_local.data[local.len] == separator &&
	       slice_equal_nocase(slice_head(sender_local, local.len), local) &&
	       slice_find(sender_local, '@') < 0;
}

static bool is_listed(struct slice listed, struct slice sender)
{
	ptrdiff_t at = slice_find_last(sender, '@');

	if (listed.len > 1 && listed.data[0] == '@')
		return at > 0 && slice_equal_nocase(slice_from(sender, (size_t)at), listed);
	return slice_equal_nocase(listed, sender);
}

bool sending_identity_is_own(const struct sending_names *names, struct slice sender)
{
	if (sender.len == 0 || is_of(names->account, sender, names->separator))
		return true;
	for (size_t i = 0; i < names->alias_count; i++) {
		if (is_of(names->aliases[i], sender, names->separator))
			return true;
	}
	for (size_t i = 0; i < names->listed_count; i++) {
		if (is_listed(names->listed[i], sender))
			return true;
	}
	return false;
}
