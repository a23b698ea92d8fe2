/* SPDX-License-Identifier: ISC */
#include "cli/local.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "cli/sending_replay.h"

/* ---- config check ---- */

static void add_problem(json_t *problems, const char *what, const char *path, const char *why)
{
	(void)json_array_append_new(problems, json_sprintf("%s %s: %s", what, path, why));
}

static void check_file(json_t *problems, const char *what, const char *path)
{
	struct stat facts;

	if (path == NULL)
		return;
	if (stat(path, &facts) != 0 || access(path, R_OK) != 0)
		add_problem(problems, what, path, strerror(errno));
	else if (!S_ISREG(facts.st_mode))
		add_problem(problems, what, path, "not a file");
	else if (facts.st_size == 0)
		add_problem(problems, what, path, "empty");
}

/* As check_file(), and nobody but its owner and group may read it. */
static void check_secret(json_t *problems, const char *what, const char *path)
{
	struct stat facts;

	check_file(problems, what, path);
	if (path != NULL && stat(path, &facts) == 0 && (facts.st_mode & S_IRWXO) != 0)
		add_problem(problems, what, path, "open to every user (chmod o= would close it)");
}

/* Is it not there, so that gatepostd will make it? Then its directory must be there. */
static bool is_to_be_made(json_t *problems, const char *what, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory;

	if (access(path, F_OK) == 0 || errno != ENOENT)
		return false;
	directory = mem_strndup(path, slash > path ? (size_t)(slash - path) : 1);
	if (access(directory, F_OK) != 0)
		add_problem(problems, what, path, "the directory it is to be made in is missing");
	mem_free(directory);
	return true;
}

static void check_key(json_t *problems, const char *what, const char *path)
{
	if (!is_to_be_made(problems, what, path))
		check_secret(problems, what, path);
}

static void check_directory(json_t *problems, const char *what, const char *path)
{
	struct stat facts;

	if (is_to_be_made(problems, what, path))
		return;
	if (stat(path, &facts) != 0)
		add_problem(problems, what, path, strerror(errno));
	else if (!S_ISDIR(facts.st_mode))
		add_problem(problems, what, path, "not a directory");
}

static void check_files(const struct config *config, json_t *problems)
{
	check_directory(problems, "state_dir", config->state_dir);
	check_key(problems, "token_key_file", config->token_key_file);
	check_key(problems, "pepper_file", config->pepper_file);
	for (size_t i = 0; i < config->certificate_count; i++) {
		check_file(problems, "chain_file", config->certificates[i].chain_file);
		check_secret(problems, "key_file", config->certificates[i].key_file);
	}
	for (size_t i = 0; i < config->backend_count; i++) {
		check_file(problems, "ca_file", config->backends[i].ca_file);
		check_secret(
			problems, "auth_password_file", config->backends[i].auth_password_file);
	}
}

static int append_json(const char *bytes, size_t len, void *out)
{
	return buf_append(out, slice_of(bytes, len)) == GP_OK ? 0 : -1;
}

static enum gp_err print_json(const json_t *value, struct buf *out)
{
	if (json_dump_callback(value, append_json, out, JSON_INDENT(2)) != 0)
		return GP_ERR_LIMIT;
	return buf_append_byte(out, '\n');
}

static enum gp_err print_problems(const char *path, json_t *problems, struct buf *out)
{
	enum gp_err err = GP_OK;

	if (json_array_size(problems) == 0)
		return buf_printf(out, "%s: good\n", path);
	for (size_t i = 0; err == GP_OK && i < json_array_size(problems); i++)
		err = buf_printf(out, "%s\n", json_string_value(json_array_get(problems, i)));
	return err;
}

static enum gp_err check(const struct args *args, const char *path, struct buf *out)
{
	struct config *config = NULL;
	struct config_error error = { "" };
	json_t *problems = json_array();
	json_t *all;
	bool is_good;
	enum gp_err err;

	if (config_load(path, &config, &error) == GP_OK)
		check_files(config, problems);
	else
		(void)json_array_append_new(problems, json_string(error.text));
	is_good = json_array_size(problems) == 0;
	all = json_pack("{s:b, s:O}", "ok", (int)is_good, "problems", problems);
	err = args->is_json ? print_json(all, out) : print_problems(path, problems, out);
	json_decref(all);
	json_decref(problems);
	config_free(&config);
	return err == GP_OK && !is_good ? GP_ERR_CONFIG : err;
}

/* ---- config show ---- */

static enum gp_err show(
	const struct args *args, const char *path, struct buf *out, struct gp_why *why)
{
	struct config *config = NULL;
	struct config_error error = { "" };
	json_t *all;
	enum gp_err err = config_load(path, &config, &error);

	if (err != GP_OK)
		return gp_why_set(why, GP_ERR_CONFIG, "%s", error.text);
	if (args->is_json) {
		all = local_config_json(config);
		err = print_json(all, out);
		json_decref(all);
	} else {
		err = config_show(config, out);
	}
	config_free(&config);
	return err;
}

enum gp_err local_run(const struct args *args, const char *config_path, size_t width,
	struct buf *out, struct gp_why *why)
{
	GP_ASSERT(args->verb->shape == SHAPE_LOCAL);
	why->text[0] = '\0';
	if (strcmp(args->verb->noun, "sending") == 0)
		return sending_replay_run(args, config_path, width, out, why);
	if (strcmp(args->verb->verb, "check") == 0)
		return check(args, config_path, out);
	return show(args, config_path, out, why);
}
