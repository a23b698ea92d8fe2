/* SPDX-License-Identifier: ISC */
#include "cli/sending_replay.h"

#include <errno.h>
#include <string.h>

#include "cli/progress.h"
#include "cli/replay.h"
#include "cli/replay_file.h"
#include "cli/replay_report.h"

enum {
	LEARN_DAYS = 14,
	LEARN_DAYS_MAX = 3650,
	ANSWER_MINUTES_MAX = 60 * 24 * 365,
};

/* Holds where there is no configuration: what a file of nothing but the bare needs says. */
static const char bare_config[] = "hostname = localhost\nlistener smtp { }\n"
				  "backend smtp { hosts = 127.0.0.1:25 }\n"
				  "route \"*\" { smtp = smtp }\n";

struct run {
	struct replay *replay;
	struct progress progress;
	uint64_t done;  /* bytes of the files before this one */
	uint64_t total; /* of all files; 0: nobody knows */
	uint64_t too_long;
};

static enum gp_err load_config(
	const struct args *args, const char *path, struct config **ret_config, struct gp_why *why)
{
	struct config_error error = { "" };
	enum gp_err err = config_load(path, ret_config, &error);

	if (err == GP_ERR_NOT_FOUND && args->config_path == NULL)
		err = config_parse(slice_str(bare_config), "defaults", ret_config, &error);
	return err == GP_OK ? GP_OK : gp_why_set(why, GP_ERR_CONFIG, "%s", error.text);
}

/* Whole number of an option, or the preset. */
static enum gp_err number(const struct args *args, const char *key, json_int_t max,
	json_int_t preset, int64_t *ret_number, struct gp_why *why)
{
	const json_t *value = json_object_get(args->values, key);
	json_int_t got = value != NULL ? json_integer_value(value) : preset;

	if (got < 0 || got > max)
		return gp_why_set(
			why, GP_ERR_SYNTAX, "--%s must be 0 to %lld", key, (long long)max);
	*ret_number = got;
	return GP_OK;
}

static enum gp_err read_options(
	const struct args *args, struct replay_options *ret_options, struct gp_why *why)
{
	struct replay_options options = { .each = NULL };
	const char *path = json_string_value(json_object_get(args->values, "each"));
	enum gp_err err =
		number(args, "learn", LEARN_DAYS_MAX, LEARN_DAYS, &options.learn_days, why);

	if (err == GP_OK)
		err = number(args, "answer", ANSWER_MINUTES_MAX, 0, &options.answer_s, why);
	if (err != GP_OK)
		return err;
	options.answer_s *= 60;
	if (path != NULL)
		options.each = fopen(path, "we");
	if (path != NULL && options.each == NULL)
		return gp_why_set(why, GP_ERR_IO, "%s: %s", path, strerror(errno));
	*ret_options = options;
	return GP_OK;
}

static void on_line(struct slice line, void *owner)
{
	struct run *run = owner;

	replay_take(run->replay, line);
}

static void on_progress(uint64_t done, void *owner)
{
	struct run *run = owner;

	if (run->total > 0)
		progress_show(&run->progress, run->done + done, run->total);
}

static enum gp_err look_at_files(const json_t *files, struct run *run, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < json_array_size(files); i++) {
		uint64_t size = 0;
		int64_t changed;

		err = replay_file_look(
			json_string_value(json_array_get(files, i)), &size, &changed, why);
		run->total += size;
	}
	return err;
}

static enum gp_err read_files(const json_t *files, struct run *run, struct gp_why *why)
{
	static const struct replay_file_ops ops = { on_line, on_progress };
	enum gp_err err = look_at_files(files, run, why);

	progress_begin(&run->progress);
	for (size_t i = 0; err == GP_OK && i < json_array_size(files); i++) {
		const char *path = json_string_value(json_array_get(files, i));
		uint64_t too_long = 0;
		uint64_t size = 0;
		int64_t changed = 0;

		err = replay_file_look(path, &size, &changed, why);
		if (err != GP_OK)
			break;
		replay_begin_file(run->replay, changed);
		err = replay_file_read(path, &ops, run, &too_long, why);
		run->too_long += too_long;
		run->done += size;
	}
	progress_end(&run->progress);
	return err;
}

enum gp_err sending_replay_run(const struct args *args, const char *config_path, size_t width,
	struct buf *out, struct gp_why *why)
{
	struct replay_options options = { .each = NULL };
	struct config *config = NULL;
	struct run run = { .replay = NULL };
	enum gp_err err = load_config(args, config_path, &config, why);

	if (err == GP_OK)
		err = read_options(args, &options, why);
	if (err == GP_OK) {
		run.replay = replay_new(config, &options);
		err = read_files(json_object_get(args->values, "files"), &run, why);
	}
	if (options.each != NULL && fclose(options.each) != 0 && err == GP_OK)
		err = gp_why_set(why, GP_ERR_IO, "--each: %s", strerror(errno));
	if (err == GP_OK)
		err = args->is_json ? replay_report_json(run.replay, run.too_long, out)
				    : replay_report_people(run.replay, run.too_long, width, out);
	replay_free(&run.replay);
	config_free(&config);
	return err;
}
