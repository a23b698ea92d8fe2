/* SPDX-License-Identifier: ISC */
/* Any lines at all are replayed, and what came of them can be told. */
#include "fuzz.h"

#include "base/check.h"
#include "base/mem.h"
#include "cli/replay_report.h"

static const char config_text[] = "hostname = mail.example.test\nlistener smtp { }\n"
				  "backend smtp { hosts = 127.0.0.1:1025 }\n"
				  "route \"*\" { smtp = smtp }\n";

/* No recipient is lost: each has one outcome. */
static void check_sums(const struct replay *replay)
{
	size_t count = 0;
	const struct replay_account **accounts = replay_accounts(replay, &count);

	for (size_t i = 0; i < count; i++) {
		const struct replay_counts *counts = &accounts[i]->counts;

		GP_ASSERT(counts->passed + counts->slowed + counts->limited + counts->asked +
				  counts->blocked <=
			  counts->recipients);
		GP_ASSERT(counts->strangers <= counts->passed);
	}
	mem_free(accounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay_options options = { .learn_days = size > 0 ? data[0] % 2 : 0,
		.answer_s = 60 };
	struct slice rest = slice_of(data, size);
	struct config_error error = { "" };
	struct config *config = NULL;
	struct replay *replay;
	struct buf out;

	GP_ASSERT(config_parse(slice_str(config_text), "f", &config, &error) == GP_OK);
	replay = replay_new(config, &options);
	replay_begin_file(replay, 1767571200);
	while (rest.len > 0) {
		ptrdiff_t end = slice_find(rest, '\n');

		replay_take(replay, slice_head(rest, end >= 0 ? (size_t)end : rest.len));
		rest = slice_from(rest, end >= 0 ? (size_t)end + 1 : rest.len);
	}
	check_sums(replay);
	buf_init(&out, 16 * 1024 * 1024);
	GP_ASSERT(replay_report_people(replay, 0, 80, &out) == GP_OK);
	GP_ASSERT(replay_report_json(replay, 0, &out) == GP_OK);
	buf_fini(&out);
	replay_free(&replay);
	config_free(&config);
	return 0;
}
