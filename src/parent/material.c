/* SPDX-License-Identifier: ISC */
#include "parent/material.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/country.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/tls_ctx.h"
#include "privsep/fdpass.h"

enum {
	KEY_BYTES = 32, /* of a key we make */
};

/* Where distributions keep the certificates of public authorities. */
static const char *const system_ca_files[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
};

/* bytes is a secret buffer; the caller ends it. */
static enum gp_err read_file(const char *path, struct buf *bytes, struct gp_why *why)
{
	struct gp_why reason = { "" };
	enum gp_err err;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return gp_why_set(why, GP_ERR_CONFIG, "%.150s: %s", path, strerror(errno));
	err = fdpass_read(fd, bytes, &reason);
	(void)close(fd);
	if (err == GP_OK && bytes->len == 0)
		err = gp_why_set(&reason, GP_ERR_CONFIG, "is empty");
	if (err != GP_OK)
		return gp_why_set(why, GP_ERR_CONFIG, "%.150s: %.80s", path, reason.text);
	return GP_OK;
}

/* Takes fd. */
static void add_fd(
	struct generation *generation, enum ipc_material_kind kind, const char *name, int fd)
{
	size_t n = generation->material_count;

	generation->materials =
		mem_resize(generation->materials, n + 1, sizeof *generation->materials);
	generation->materials[n] =
		(struct generation_material){ .kind = kind, .name = name, .fd = fd };
	generation->material_count++;
}

static enum gp_err add(struct generation *generation, enum ipc_material_kind kind, const char *name,
	struct slice bytes, struct gp_why *why)
{
	int fd = -1;

	if (fdpass_make("gatepost-material", bytes, &fd) != GP_OK)
		return gp_why_set(why, GP_ERR_IO, "memfd: %s", strerror(errno));
	add_fd(generation, kind, name, fd);
	return GP_OK;
}

static enum gp_err add_file(struct generation *generation, enum ipc_material_kind kind,
	const char *name, const char *path, struct gp_why *why)
{
	struct buf bytes;
	enum gp_err err;

	buf_init_secret(&bytes, FDPASS_FILE_MAX);
	err = read_file(path, &bytes, why);
	if (err == GP_OK)
		err = add(generation, kind, name, buf_slice(&bytes), why);
	buf_fini(&bytes);
	return err;
}

/* The chain and its key are tried together here, so that no child is given a pair that is none. */
static enum gp_err add_certificate(
	struct generation *generation, const struct config_certificate *conf, struct gp_why *why)
{
	const struct config *config = generation->config;
	const struct config_certificate *signer =
		config_certificate_for(config, slice_str(config->hostname));
	struct tls_ctx *ctx = tls_ctx_new_server();
	struct gp_why reason = { "" };
	struct buf chain;
	struct buf key;
	enum gp_err err;

	buf_init_secret(&chain, FDPASS_FILE_MAX);
	buf_init_secret(&key, FDPASS_FILE_MAX);
	err = read_file(conf->chain_file, &chain, why);
	if (err == GP_OK)
		err = read_file(conf->key_file, &key, why);
	if (err == GP_OK &&
		tls_ctx_add(ctx, "", buf_slice(&chain), buf_slice(&key), &reason) != GP_OK)
		err = gp_why_set(why, GP_ERR_CONFIG, "certificate %s (%.60s, %.60s): %.80s",
			conf->name, conf->chain_file, conf->key_file, reason.text);
	if (err == GP_OK)
		err = add(generation, IPC_MATERIAL_CERTIFICATE, conf->name, buf_slice(&chain), why);
	if (err == GP_OK)
		err = add(generation, IPC_MATERIAL_KEY, conf->name, buf_slice(&key), why);
	if (err == GP_OK && conf == signer)
		err = add(
			generation, IPC_MATERIAL_SIGNING_CHAIN, conf->name, buf_slice(&chain), why);
	if (err == GP_OK && conf == signer)
		err = add(generation, IPC_MATERIAL_SIGNING_KEY, conf->name, buf_slice(&key), why);
	tls_ctx_free(&ctx);
	buf_fini(&chain);
	buf_fini(&key);
	return err;
}

static const char *system_ca_file(void)
{
	for (size_t i = 0; i < sizeof system_ca_files / sizeof system_ca_files[0]; i++) {
		if (access(system_ca_files[i], R_OK) == 0)
			return system_ca_files[i];
	}
	return system_ca_files[0];
}

static enum gp_err add_trust(
	struct generation *generation, const struct config_backend *conf, struct gp_why *why)
{
	const char *path = conf->ca_file != NULL ? conf->ca_file : system_ca_file();
	struct tls_ctx *ctx = NULL;
	struct gp_why reason = { "" };
	struct buf bytes;
	enum gp_err err;

	buf_init_secret(&bytes, FDPASS_FILE_MAX);
	err = read_file(path, &bytes, why);
	if (err == GP_OK && tls_ctx_new_client(buf_slice(&bytes), &ctx, &reason) != GP_OK)
		err = gp_why_set(why, GP_ERR_CONFIG, "backend %s: %.100s: %.80s", conf->name, path,
			reason.text);
	if (err == GP_OK)
		err = add(generation, IPC_MATERIAL_BACKEND_CA, conf->name, buf_slice(&bytes), why);
	tls_ctx_free(&ctx);
	buf_fini(&bytes);
	return err;
}

/* The file's first line. */
static enum gp_err add_password(
	struct generation *generation, const struct config_backend *conf, struct gp_why *why)
{
	struct slice line;
	ptrdiff_t end;
	struct buf bytes;
	enum gp_err err;

	buf_init_secret(&bytes, FDPASS_FILE_MAX);
	err = read_file(conf->auth_password_file, &bytes, why);
	line = buf_slice(&bytes);
	end = slice_find(line, '\n');
	if (end >= 0)
		line.len = (size_t)end;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (err == GP_OK && line.len == 0)
		err = gp_why_set(why, GP_ERR_CONFIG, "%.150s: its first line is empty",
			conf->auth_password_file);
	if (err == GP_OK)
		err = add(generation, IPC_MATERIAL_BACKEND_AUTH, conf->name, line, why);
	buf_fini(&bytes);
	return err;
}

static enum gp_err add_backend(
	struct generation *generation, const struct config_backend *conf, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	if (conf->tls != CONFIG_TLS_OFF && conf->tls_name != NULL)
		err = add_trust(generation, conf, why);
	if (err == GP_OK && conf->auth_password_file != NULL)
		err = add_password(generation, conf, why);
	return err;
}

/* The form crypt/key.h reads, and Dovecot: base64 on one line. */
enum gp_err material_create_key(const char *path, const char *what, struct gp_why *why)
{
	char bytes[KEY_BYTES];
	struct buf text;
	enum gp_err err;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return gp_why_set(
			why, GP_ERR_CONFIG, "make %s %.150s: %s", what, path, strerror(errno));
	buf_init_secret(&text, 2 * KEY_BYTES);
	rand_bytes(bytes, sizeof bytes);
	err = encode_base64(slice_of(bytes, sizeof bytes), &text);
	mem_wipe(bytes, sizeof bytes);
	if (err == GP_OK &&
		(write(fd, text.data, text.len) != (ssize_t)text.len || fsync(fd) != 0)) {
		err = gp_why_set(
			why, GP_ERR_CONFIG, "write %s %.150s: %s", what, path, strerror(errno));
		(void)unlink(path);
	}
	buf_fini(&text);
	(void)close(fd);
	if (err == GP_OK)
		log_warn("key_made", LOG_STR("what", what), LOG_STR("file", path));
	return err;
}

static enum gp_err add_key(struct generation *generation, enum ipc_material_kind kind,
	const char *path, const char *what, bool create, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		if (!create)
			return GP_OK;
		err = material_create_key(path, what, why);
	}
	return err == GP_OK ? add_file(generation, kind, "", path, why) : err;
}

enum gp_err material_load(struct generation *generation, struct gp_why *why)
{
	const struct config *config = generation->config;
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < config->certificate_count; i++)
		err = add_certificate(generation, &config->certificates[i], why);
	for (size_t i = 0; err == GP_OK && i < config->backend_count; i++)
		err = add_backend(generation, &config->backends[i], why);
	return err;
}

enum gp_err material_load_keys(
	struct generation *generation, bool create_token_key, struct gp_why *why)
{
	const struct config *config = generation->config;
	enum gp_err err = add_key(generation, IPC_MATERIAL_TOKEN_KEY, config->token_key_file,
		"token key", create_token_key, why);

	if (err == GP_OK)
		err = add_key(
			generation, IPC_MATERIAL_PEPPER, config->pepper_file, "pepper", false, why);
	return err;
}

/* In a memfd of our own: the file may be written anew while core looks at it. */
static enum gp_err copy_countries(const char *path, int *ret_fd, struct gp_why *why)
{
	struct country_db db;
	struct slice bytes = { NULL, 0 };
	int file_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int fd = -1;
	enum gp_err err;

	if (file_fd < 0)
		return gp_why_set(why, GP_ERR_CONFIG, "%s", strerror(errno));
	err = fdpass_copy(file_fd, "gatepost-countries", COUNTRY_FILE_MAX, &fd, why);
	(void)close(file_fd);
	if (err == GP_OK && fdpass_map(fd, &bytes, why) != GP_OK)
		err = gp_why_set(why, GP_ERR_CONFIG, "is empty");
	if (err == GP_OK)
		err = country_open(bytes, &db, why);
	fdpass_unmap(&bytes);
	if (err == GP_OK)
		*ret_fd = fd;
	else if (fd >= 0)
		(void)close(fd);
	return err;
}

enum gp_err material_load_geoip(struct generation *generation, struct gp_why *why)
{
	const char *path = generation->config->geoip_file;
	struct gp_why reason = { "" };
	int fd = -1;

	if (path == NULL)
		return GP_OK;
	if (copy_countries(path, &fd, &reason) != GP_OK)
		return gp_why_set(
			why, GP_ERR_CONFIG, "geoip_file: %.140s: %.80s", path, reason.text);
	add_fd(generation, IPC_MATERIAL_GEOIP, "", fd);
	return GP_OK;
}
