/* SPDX-License-Identifier: ISC */
#include "front/settings.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "proto/smtp_server.h"

static const struct child_material *find_material(const struct child_material *materials,
	size_t count, enum ipc_material_kind kind, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (materials[i].kind == kind && strcmp(materials[i].name, name) == 0)
			return &materials[i];
	}
	return NULL;
}

static enum gp_err add_certificate(struct tls_ctx *ctx, const struct config_certificate *conf,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	const struct child_material *chain =
		find_material(materials, count, IPC_MATERIAL_CERTIFICATE, conf->name);
	const struct child_material *key =
		find_material(materials, count, IPC_MATERIAL_KEY, conf->name);
	enum gp_err err = GP_OK;

	if (chain == NULL || key == NULL)
		return gp_why_set(why, GP_ERR_CONFIG, "certificate %s: chain or key did not come",
			conf->name);
	if (conf->names.count == 0)
		return tls_ctx_add(ctx, "", chain->bytes, key->bytes, why);
	for (size_t i = 0; i < conf->names.count && err == GP_OK; i++)
		err = tls_ctx_add(ctx, conf->names.items[i], chain->bytes, key->bytes, why);
	return err;
}

/* A context per section, because each may be a listener's default: its own section comes first. */
static enum gp_err build_certificates(struct settings *settings,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	const struct config *config = settings->config;
	enum gp_err err = GP_OK;

	settings->certificates =
		mem_new(config->certificate_count + 1, sizeof *settings->certificates);
	for (size_t first = 0; first < config->certificate_count && err == GP_OK; first++) {
		struct tls_ctx *ctx = tls_ctx_new_server();

		settings->certificates[first] = ctx;
		err = add_certificate(ctx, &config->certificates[first], materials, count, why);
		for (size_t i = 0; i < config->certificate_count && err == GP_OK; i++) {
			if (i != first)
				err = add_certificate(
					ctx, &config->certificates[i], materials, count, why);
		}
	}
	return err;
}

static enum gp_err build_backend(struct settings_backend *backend,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	const struct config_backend *conf = backend->conf;
	const struct child_material *ca =
		find_material(materials, count, IPC_MATERIAL_BACKEND_CA, conf->name);
	const struct child_material *auth =
		find_material(materials, count, IPC_MATERIAL_BACKEND_AUTH, conf->name);
	struct slice trust = ca != NULL ? ca->bytes : slice_str(NULL);

	if (conf->hosts.count > HEALTH_HOSTS_MAX)
		return gp_why_set(why, GP_ERR_CONFIG, "backend %s: more than %d hosts", conf->name,
			HEALTH_HOSTS_MAX);
	health_init(&backend->health, (unsigned)conf->hosts.count);
	if (auth != NULL)
		backend->auth = secret_new(auth->bytes);
	if (conf->auth_user != NULL && backend->auth == NULL)
		return gp_why_set(why, GP_ERR_CONFIG, "backend %s: no password came for auth_user",
			conf->name);
	if (conf->tls == CONFIG_TLS_OFF)
		return GP_OK;
	if (conf->tls_name != NULL && trust.len == 0)
		return gp_why_set(why, GP_ERR_CONFIG,
			"backend %s: tls_name is set, but no CA certificates came", conf->name);
	return tls_ctx_new_client(trust, &backend->tls, why);
}

static enum gp_err build_backends(struct settings *settings, const struct child_material *materials,
	size_t count, struct gp_why *why)
{
	const struct config *config = settings->config;

	settings->backends = mem_new(config->backend_count + 1, sizeof *settings->backends);
	for (size_t i = 0; i < config->backend_count; i++) {
		struct settings_backend *backend = &settings->backends[i];
		enum gp_err err;

		backend->conf = &config->backends[i];
		backend->index = (unsigned)i;
		if (backend->conf->auth == CONFIG_AUTH_PASSTHROUGH)
			settings->has_passthrough = true;
		err = build_backend(backend, materials, count, why);
		if (err != GP_OK)
			return err;
	}
	return GP_OK;
}

enum gp_err settings_new(const struct config *config, const struct child_material *materials,
	size_t count, struct settings **ret_settings, struct gp_why *why)
{
	struct settings *settings = mem_new(1, sizeof *settings);
	enum gp_err err;

	settings->references = 1;
	settings->config = config_hold(config);
	err = build_certificates(settings, materials, count, why);
	if (err == GP_OK)
		err = build_backends(settings, materials, count, why);
	if (err == GP_OK)
		*ret_settings = settings;
	else
		settings_release(&settings);
	return err;
}

struct settings *settings_hold(struct settings *settings)
{
	settings->references++;
	return settings;
}

static void free_contexts(struct settings *settings)
{
	for (size_t i = 0; settings->certificates && i < settings->config->certificate_count; i++)
		tls_ctx_free(&settings->certificates[i]);
	for (size_t i = 0; settings->backends && i < settings->config->backend_count; i++) {
		tls_ctx_free(&settings->backends[i].tls);
		secret_free(&settings->backends[i].auth);
	}
}

void settings_release(struct settings **psettings)
{
	struct settings *settings = *psettings;

	*psettings = NULL;
	if (settings == NULL)
		return;
	GP_ASSERT(settings->references > 0);
	if (--settings->references > 0)
		return;
	free_contexts(settings);
	mem_free(settings->certificates);
	mem_free(settings->backends);
	config_free(&settings->config);
	mem_free(settings);
}

struct tls_ctx *settings_listener_tls(
	const struct settings *settings, const struct config_listener *listener)
{
	const struct config *config = settings->config;

	for (size_t i = 0; i < config->certificate_count; i++) {
		if (listener->certificate == NULL ||
			strcmp(listener->certificate, config->certificates[i].name) == 0)
			return settings->certificates[i];
	}
	return NULL;
}

struct settings_backend *settings_backend(const struct settings *settings, struct slice name)
{
	int index = config_backend_index(settings->config, name);

	return index < 0 ? NULL : &settings->backends[index];
}

static void fold_hop(
	const struct settings *settings, const char *name, unsigned *caps, uint64_t *size)
{
	const struct settings_backend *backend =
		name != NULL ? settings_backend(settings, slice_str(name)) : NULL;

	if (backend == NULL)
		return;
	*caps &= backend->has_caps ? backend->caps : 0;
	if (backend->has_caps && backend->size > 0 && (*size == 0 || backend->size < *size))
		*size = backend->size;
}

unsigned settings_hop_caps(const struct settings *settings, uint64_t *ret_size)
{
	const struct config *config = settings->config;
	unsigned caps =
		SMTP_CAP_8BITMIME | SMTP_CAP_SMTPUTF8 | SMTP_CAP_DSN | SMTP_CAP_ENHANCEDSTATUSCODES;
	uint64_t size = 0;

	for (size_t i = 0; i < config->route_count; i++) {
		fold_hop(settings, config->routes[i].smtp, &caps, &size);
		fold_hop(settings, config->routes[i].incoming, &caps, &size);
	}
	*ret_size = size;
	/* These are ours, whatever the next hop can do. */
	return caps | SMTP_CAP_PIPELINING | SMTP_CAP_SIZE;
}
