/* SPDX-License-Identifier: ISC */
/*
 * gatepost(8): says to gatepost-core what is to be done, and prints what came of it. It knows
 * nothing itself: verb.c is the list of what can be said, ops.def of what can be asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "cli/args.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/help.h"
#include "cli/local.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "config/config.h"
#include "ops/json_setup.h"

static const char default_config[] = "/etc/gatepost/gatepost.conf";

/* What the operation sends back. */
struct answer {
	json_t *rows;
	struct progress progress;
	bool is_json;
};

static int exit_code(enum gp_err err)
{
	static const int codes[GP_ERR_MAX] = {
		[GP_OK] = EX_OK,
		[GP_ERR_AGAIN] = EX_TEMPFAIL,
		[GP_ERR_BUSY] = EX_TEMPFAIL,
		[GP_ERR_CLOSED] = EX_UNAVAILABLE,
		[GP_ERR_CONFIG] = EX_CONFIG,
		[GP_ERR_DENIED] = EX_NOPERM,
		[GP_ERR_EXISTS] = EX_CANTCREAT,
		[GP_ERR_INTERNAL] = EX_SOFTWARE,
		[GP_ERR_IO] = EX_IOERR,
		[GP_ERR_LIMIT] = EX_DATAERR,
		[GP_ERR_NOT_FOUND] = EX_NOUSER,
		[GP_ERR_PROTOCOL] = EX_PROTOCOL,
		[GP_ERR_ROLE] = EX_NOPERM,
		[GP_ERR_SIGNIN] = EX_NOPERM,
		[GP_ERR_STORE] = EX_TEMPFAIL,
		[GP_ERR_SYNTAX] = EX_DATAERR,
		[GP_ERR_TIMEOUT] = EX_TEMPFAIL,
		[GP_ERR_UNSUPPORTED] = EX_UNAVAILABLE,
	};

	return (unsigned)err < GP_ERR_MAX ? codes[err] : EX_SOFTWARE;
}

static int complain(enum gp_err err, const char *why)
{
	(void)fprintf(stderr, "gatepost: %s\n", why);
	return exit_code(err);
}

/* All of it, or EX_IOERR. */
static int print(const struct buf *out)
{
	struct slice rest = buf_slice(out);

	while (rest.len > 0) {
		ssize_t sent = write(STDOUT_FILENO, rest.data, rest.len);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return complain(GP_ERR_IO, strerror(errno));
		rest = slice_from(rest, (size_t)sent);
	}
	return EX_OK;
}

/* Of the terminal; 0 if standard output is none. */
static size_t terminal_width(void)
{
	struct winsize size = { 0 };

	if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

/* ---- before the question ---- */

static enum gp_err add_password(const struct args *args, struct gp_why *why)
{
	struct secret *password = NULL;
	struct slice text;
	enum gp_err err;

	if (args_has(args, "--no-password"))
		return GP_OK;
	err = ask_password(&password, why);
	if (err != GP_OK)
		return err;
	text = secret_slice(password);
	(void)json_object_set_new(args->values, "password", json_stringn(text.data, text.len));
	secret_free(&password);
	return GP_OK;
}

static bool is_confirmed(const struct args *args)
{
	const struct verb *verb = args->verb;
	bool has_all = false;
	struct buf question;
	bool is_yes;

	for (size_t i = 0; i < VERB_PARAMS_MAX && verb->params[i].name != NULL; i++)
		has_all = has_all || strcmp(verb->params[i].name, "--all") == 0;
	if ((verb->flags & VERB_CONFIRM) == 0 || args_has(args, "--yes") ||
		(has_all && json_object_get(args->values, "all") == NULL))
		return true;
	buf_init(&question, OUTPUT_MAX);
	is_yes = output_sentence(verb->question, NULL, args->values, &question) == GP_OK &&
		 buf_append_byte(&question, '\0') == GP_OK &&
		 ask_confirm(buf_slice(&question).data);
	buf_fini(&question);
	return is_yes;
}

/* The file that goes along; -1 if none does. */
static enum gp_err open_file(const struct args *args, int *ret_fd, struct gp_why *why)
{
	struct stat facts;
	const char *dot;
	int fd;

	*ret_fd = -1;
	if (args->file == NULL)
		return GP_OK;
	fd = strcmp(args->file, "-") == 0 ? STDIN_FILENO : open(args->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &facts) != 0)
		return gp_why_set(why, errno == EACCES ? GP_ERR_DENIED : GP_ERR_NOT_FOUND, "%s: %s",
			args->file, strerror(errno));
	if (S_ISREG(facts.st_mode))
		(void)json_object_set_new(
			args->values, "bytes", json_integer((json_int_t)facts.st_size));
	dot = strrchr(args->file, '.');
	if (json_object_get(args->values, "format") == NULL)
		(void)json_object_set_new(args->values, "format",
			json_string(dot != NULL && strcmp(dot, ".csv") == 0 ? "csv" : "passwd"));
	*ret_fd = fd;
	return GP_OK;
}

static enum gp_err connect_core(const struct args *args, int *ret_fd, struct gp_why *why)
{
	const char *path = args->config_path != NULL ? args->config_path : default_config;
	struct config *config = NULL;
	struct config_error error = { "" };
	enum gp_err err;

	if (args->socket_path != NULL)
		return client_open(args->socket_path, ret_fd, why);
	if (config_load(path, &config, &error) != GP_OK)
		return gp_why_set(why, GP_ERR_CONFIG, "%s", error.text);
	err = client_open(config->control_socket, ret_fd, why);
	config_free(&config);
	return err;
}

/* ---- the question and its answer ---- */

static void on_row(json_t *row, void *owner)
{
	struct answer *answer = owner;

	(void)json_array_append(answer->rows, row);
}

static void on_progress(uint64_t done, uint64_t total, void *owner)
{
	struct answer *answer = owner;

	progress_show(&answer->progress, done, total);
}

static int print_answer(const struct args *args, json_t *rows)
{
	struct buf out;
	enum gp_err err;
	int code;

	buf_init_secret(&out, OUTPUT_MAX);
	if ((args->verb->flags & VERB_METRICS) != 0 && args_has(args, "--prometheus"))
		err = output_prometheus(json_array_get(rows, 0), &out);
	else if (args->is_json)
		err = output_json(args->verb->shape, rows, &out);
	else
		err = output_people(args, rows, terminal_width(), &out);
	code = err == GP_OK ? print(&out) : complain(err, gp_err_text(err));
	buf_fini(&out);
	return code;
}

/* Bad lines of an import are worth seeing although it failed because of them. */
static bool has_bad_lines(const struct args *args, const json_t *rows)
{
	return args->verb->shape == SHAPE_IMPORT && json_array_size(rows) > 0;
}

static bool is_bad_verdict(const struct args *args, const json_t *rows)
{
	return (args->verb->flags & VERB_VERDICT) != 0 &&
	       json_is_false(json_object_get(json_array_get(rows, 0), "ok"));
}

static int ask_core(const struct args *args, int fd, int passed)
{
	static const struct client_ops ops = { on_row, on_progress };
	struct answer answer = { .rows = json_array() };
	struct client_end end;
	int code = EX_OK;

	progress_begin(&answer.progress);
	end = client_run(fd, args->verb->op, args->values, passed, &ops, &answer);
	progress_end(&answer.progress);
	if (end.err == GP_OK || has_bad_lines(args, answer.rows))
		code = print_answer(args, answer.rows);
	if (end.err != GP_OK)
		code = complain(end.err, end.why);
	else if (code == EX_OK && is_bad_verdict(args, answer.rows))
		code = EX_DATAERR;
	json_decref(answer.rows);
	return code;
}

static int run_operation(const struct args *args)
{
	struct gp_why why = { "" };
	int passed = -1;
	int fd = -1;
	int code;
	enum gp_err err;

	if (!is_confirmed(args))
		return complain(GP_ERR_DENIED, "nothing was done");
	err = open_file(args, &passed, &why);
	if (err == GP_OK && (args->verb->flags & VERB_PASSWORD) != 0)
		err = add_password(args, &why);
	if (err == GP_OK)
		err = connect_core(args, &fd, &why);
	code = err == GP_OK ? ask_core(args, fd, passed) : complain(err, why.text);
	if (passed > STDERR_FILENO)
		(void)close(passed);
	if (fd >= 0)
		(void)close(fd);
	return code;
}

static int run_local(const struct args *args)
{
	const char *path = args->config_path != NULL ? args->config_path : default_config;
	struct gp_why why;
	struct buf out;
	enum gp_err err;
	int code;

	buf_init(&out, OUTPUT_MAX);
	err = local_run(args, path, terminal_width(), &out, &why);
	code = print(&out);
	if (err != GP_OK)
		code = why.text[0] != '\0' ? complain(err, why.text) : exit_code(err);
	buf_fini(&out);
	return code;
}

static int run_help(const struct args *args)
{
	struct buf out;
	enum gp_err err;
	int code;

	buf_init(&out, OUTPUT_MAX);
	err = args->wants_version ? buf_append_str(&out, "gatepost " GP_VERSION "\n")
				  : help_format(args->noun, args->verb, &out);
	code = err == GP_OK ? print(&out) : exit_code(err);
	buf_fini(&out);
	return code;
}

int main(int argc, char **argv)
{
	struct args args;
	struct gp_why why;
	int code;

	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* widths of what is printed; all text is UTF-8 */
	json_setup();
	if (args_parse(&args, argc, argv, &why) != GP_OK) {
		(void)complain(GP_ERR_SYNTAX, why.text);
		return EX_USAGE;
	}
	if (args.wants_help || args.wants_version)
		code = run_help(&args);
	else if (args.verb->shape == SHAPE_LOCAL)
		code = run_local(&args);
	else
		code = run_operation(&args);
	args_fini(&args);
	return code;
}
