/* SPDX-License-Identifier: ISC */
#include "proto/smtp_caps.h"

#include "base/check.h"
#include "proto/smtp_server.h"

struct keyword {
	const char *name;
	unsigned cap;
};

static const struct keyword keywords[] = {
	{ "PIPELINING", SMTP_CAP_PIPELINING },
	{ "SIZE", SMTP_CAP_SIZE },
	{ "8BITMIME", SMTP_CAP_8BITMIME },
	{ "SMTPUTF8", SMTP_CAP_SMTPUTF8 },
	{ "DSN", SMTP_CAP_DSN },
	{ "ENHANCEDSTATUSCODES", SMTP_CAP_ENHANCEDSTATUSCODES },
	{ "STARTTLS", SMTP_CAP_STARTTLS },
	{ "XCLIENT", SMTP_CAP_XCLIENT },
};

/* A parameter is passed on to those who offer this; unknown ones are to nobody. */
static const struct keyword params_of[] = {
	{ "SIZE", SMTP_CAP_SIZE },
	{ "BODY", SMTP_CAP_8BITMIME },
	{ "SMTPUTF8", SMTP_CAP_SMTPUTF8 },
	{ "RET", SMTP_CAP_DSN },
	{ "ENVID", SMTP_CAP_DSN },
	{ "NOTIFY", SMTP_CAP_DSN },
	{ "ORCPT", SMTP_CAP_DSN },
};

static unsigned find_cap(const struct keyword *table, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_is_nocase(name, table[i].name))
			return table[i].cap;
	}
	return 0;
}

struct slice smtp_caps_take_line(struct smtp_caps_offer *offer, struct slice line)
{
	struct slice rest = line;
	struct slice word = slice_word(&rest);
	bool is_auth = slice_is_nocase(word, "AUTH");
	unsigned cap = find_cap(keywords, GP_ARRAY_LEN(keywords), word);
	unsigned long long size = 0;

	offer->caps |= cap;
	if (cap == SMTP_CAP_XCLIENT)
		return rest;
	if (cap == SMTP_CAP_SIZE && slice_to_u64(slice_trim(rest), UINT64_MAX, &size))
		offer->size = size;
	while (is_auth && word.len > 0) {
		word = slice_word(&rest);
		if (slice_is_nocase(word, "PLAIN"))
			offer->caps |= SMTP_CAP_AUTH_PLAIN;
	}
	return slice_of(NULL, 0);
}

enum gp_err smtp_caps_filter(unsigned caps, struct slice params, struct buf *out)
{
	size_t start = out->len;

	for (struct slice word = slice_word(&params); word.len > 0; word = slice_word(&params)) {
		ptrdiff_t equals = slice_find(word, '=');
		struct slice name = equals >= 0 ? slice_head(word, (size_t)equals) : word;
		unsigned cap = find_cap(params_of, GP_ARRAY_LEN(params_of), name);
		enum gp_err err = GP_OK;

		if ((caps & cap) != 0)
			err = buf_printf(
				out, "%s%.*s", out->len > start ? " " : "", SLICE_ARG(word));
		else if (cap == SMTP_CAP_SMTPUTF8)
			err = GP_ERR_UNSUPPORTED;
		if (err != GP_OK)
			return err;
	}
	return GP_OK;
}
