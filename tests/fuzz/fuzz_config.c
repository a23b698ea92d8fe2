/* SPDX-License-Identifier: ISC */
/* What is parsed can be shown, and what was shown parses to the same. */
#include "fuzz.h"

#include "base/check.h"
#include "config/config.h"

enum {
	INPUT_MAX = 16 * 1024 /* shown with all defaults, it stays a file that may be parsed */
};

static void show(struct slice text, struct buf *out)
{
	struct config_error error = { "" };
	struct config *config = NULL;

	GP_ASSERT(config_parse(text, "f", &config, &error) == GP_OK);
	GP_ASSERT(config_show(config, out) == GP_OK);
	config_free(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	struct config_error error = { "" };
	struct config *config = NULL;
	struct buf first;
	struct buf second;

	if (size > INPUT_MAX)
		return 0;
	if (config_parse(text, "f", &config, &error) != GP_OK) {
		GP_ASSERT(config == NULL && error.text[0] != '\0');
		return 0;
	}
	config_free(&config);
	buf_init(&first, 16 * CONFIG_TEXT_MAX);
	buf_init(&second, 16 * CONFIG_TEXT_MAX);
	show(text, &first);
	show(buf_slice(&first), &second);
	GP_ASSERT(slice_equal(buf_slice(&first), buf_slice(&second)));
	buf_fini(&first);
	buf_fini(&second);
	return 0;
}
