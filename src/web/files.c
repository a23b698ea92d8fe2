/* SPDX-License-Identifier: ISC */
#include "web/files.h"

#include "base/check.h"

#define BYTES(array)                                 \
	{                                            \
		(const char *)(array), sizeof(array) \
	}
#define NO_BYTES        \
	{               \
		NULL, 0 \
	}
#include "files.inc"

const struct files_file *files_find(struct slice path)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(files); i++) {
		if (slice_is(path, files[i].path))
			return &files[i];
	}
	return NULL;
}

/* Cuts the next item off the front of a list with commas. */
static struct slice cut_item(struct slice *rest)
{
	ptrdiff_t comma = slice_find(*rest, ',');
	size_t len = comma < 0 ? rest->len : (size_t)comma;
	struct slice item = slice_trim(slice_head(*rest, len));

	*rest = slice_from(*rest, len + 1);
	return item;
}

/* "gzip", "gzip;q=0.8"; a weight of nothing but zeros says no (RFC 9110 section 12.5.3). */
static bool takes_gzip(struct slice accept)
{
	while (accept.len > 0) {
		struct slice item = cut_item(&accept);
		ptrdiff_t semicolon = slice_find(item, ';');
		struct slice weight = slice_from(item, (size_t)(semicolon + 1));

		if (semicolon < 0)
			weight = slice_of(NULL, 0);
		else
			item = slice_trim(slice_head(item, (size_t)semicolon));
		if (!slice_is_nocase(item, "gzip"))
			continue;
		for (size_t i = 0; i < weight.len; i++) {
			if (weight.data[i] >= '1' && weight.data[i] <= '9')
				return true;
		}
		return weight.len == 0;
	}
	return false;
}

/* The comparison is the weak one (RFC 9110 section 13.1.2). */
static bool has_it(struct slice if_none_match, const char *etag)
{
	while (if_none_match.len > 0) {
		struct slice item = cut_item(&if_none_match);

		if (slice_is(item, "*") || slice_is(item, etag))
			return true;
		if (slice_starts_nocase(item, "W/") && slice_is(slice_from(item, 2), etag))
			return true;
	}
	return false;
}

void files_answer(const struct files_file *file, struct slice accept, struct slice if_none_match,
	struct answer *answer)
{
	bool is_gzip = file->gzip.len > 0 && takes_gzip(accept);

	answer->is_page = true;
	answer_add_field(answer, "ETag", "\"%s%s\"", file->etag, is_gzip ? "-gz" : "");
	answer_add_field(answer, "Cache-Control", "%s",
		file->is_fixed ? "public, max-age=31536000, immutable" : "no-cache");
	answer_add_field(answer, "Vary", "Accept-Encoding");
	if (has_it(if_none_match, answer->fields[0].value)) {
		answer->status = 304;
		return;
	}
	answer_add_field(answer, "Content-Type", "%s", file->type);
	if (is_gzip)
		answer_add_field(answer, "Content-Encoding", "gzip");
	answer->content = is_gzip ? file->gzip : file->plain;
}
