/* SPDX-License-Identifier: ISC */
/*
 * What rspamd may answer, in pieces of any size: the outcome depends on the bytes alone, and what
 * our reader takes for a verdict is one for a whole JSON parser, too, with the same action.
 */
#include <jansson.h>
#include <string.h>

#include "base/check.h"
#include "fuzz.h"
#include "proto/rspamd_client.h"

static enum rspamd_client_step feed(
	struct rspamd_client *client, struct slice all, uint32_t seed, bool is_whole)
{
	enum rspamd_client_step step = RSPAMD_CLIENT_MORE;
	size_t at = 0;

	rspamd_client_init(client);
	while (at < all.len && step == RSPAMD_CLIENT_MORE) {
		struct slice piece =
			slice_head(slice_from(all, at), is_whole ? all.len : fuzz_piece(&seed));

		step = rspamd_client_input(client, piece);
		at += piece.len;
	}
	return step;
}

/* Jansson minds what says nothing to us: text that is no UTF-8, lone surrogates, large numbers. */
static void compare(const struct rspamd_client *client, struct slice all)
{
	ptrdiff_t at = -1;
	json_t *json;

	for (size_t i = 3; i < all.len && at < 0; i++) {
		if (memcmp(all.data + i - 3, "\r\n\r\n", 4) == 0)
			at = (ptrdiff_t)i + 1;
	}
	GP_ASSERT(at > 0);
	json = json_loadb(all.data + at, all.len - (size_t)at, JSON_DISABLE_EOF_CHECK, NULL);
	if (json == NULL)
		return;
	if (strchr(rspamd_client_action(client), '\\') == NULL)
		GP_ASSERT(strcmp(rspamd_client_action(client),
				  json_string_value(json_object_get(json, "action"))) == 0);
	GP_ASSERT(json_is_number(json_object_get(json, "score")));
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	uint32_t seed = fuzz_byte(&rest);
	struct rspamd_client whole;
	struct rspamd_client pieces;
	enum rspamd_client_step step = feed(&whole, rest, seed, true);

	GP_ASSERT(feed(&pieces, rest, seed, false) == step);
	if (step == RSPAMD_CLIENT_VERDICT) {
		GP_ASSERT(rspamd_client_filter(&whole) == rspamd_client_filter(&pieces));
		compare(&whole, rest);
	}
	rspamd_client_fini(&whole);
	rspamd_client_fini(&pieces);
	return 0;
}
