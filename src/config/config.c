/* SPDX-License-Identifier: ISC */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/section.h"
#include "config/value.h"
#include "config/value_text.h"

enum {
	UNIX_PATH_MAX_LEN = 107, /* sun_path and its NUL: 108 */
	READ_CHUNK = 16 * 1024
};

static bool parse_unix(struct slice path, struct config_host *host)
{
	host->is_unix = true;
	return path.len > 1 && path.data[0] == '/' && path.len <= UNIX_PATH_MAX_LEN &&
	       text_is_printable(path) && slice_copy(path, host->name, sizeof host->name);
}

bool config_host_parse(struct slice text, struct config_host *ret_host)
{
	struct config_host host = { .port = 0 };
	ptrdiff_t colon = slice_find_last(text, ':');
	struct slice name = slice_head(text, colon > 0 ? (size_t)colon : 0);
	unsigned long long port = 0;
	struct ip ip;
	bool is_bracketed;

	if (slice_starts_nocase(text, "unix:")) {
		if (!parse_unix(slice_from(text, 5), &host))
			return false;
		*ret_host = host;
		return true;
	}
	if (name.len == 0 || !slice_to_u64(slice_from(text, name.len + 1), UINT16_MAX, &port) ||
		port == 0)
		return false;
	is_bracketed = name.len > 2 && name.data[0] == '[' && name.data[name.len - 1] == ']';
	if (is_bracketed)
		name = slice_from(slice_head(name, name.len - 1), 1);
	if (is_bracketed ? ip_parse(name, &ip) != GP_OK : !value_text_is_domain(name))
		return false;
	host.port = (uint16_t)port;
	if (!slice_copy(name, host.name, sizeof host.name))
		return false;
	*ret_host = host;
	return true;
}

/* Appends the whole file. */
static enum gp_err read_all(int fd, struct buf *text)
{
	for (;;) {
		enum gp_err err = buf_reserve(text, 1);
		size_t want;
		ssize_t got;

		if (err != GP_OK)
			return err;
		want = buf_room(text) < READ_CHUNK ? buf_room(text) : READ_CHUNK;
		err = buf_reserve(text, want);
		if (err != GP_OK)
			return err;
		got = read(fd, buf_tail(text), want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return GP_ERR_IO;
		if (got == 0)
			return GP_OK;
		buf_added(text, (size_t)got);
	}
}

static enum gp_err fail(
	struct config_error *error, enum gp_err err, const char *path, const char *words)
{
	(void)snprintf(error->text, sizeof error->text, "%s: %s", path, words);
	return err;
}

enum gp_err config_load(const char *path, struct config **ret_config, struct config_error *error)
{
	struct buf text;
	enum gp_err err = GP_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return fail(error, errno == ENOENT ? GP_ERR_NOT_FOUND : GP_ERR_IO, path,
			strerror(errno));
	buf_init(&text, CONFIG_TEXT_MAX + 1);
	err = read_all(fd, &text);
	if (err == GP_ERR_IO)
		err = fail(error, GP_ERR_IO, path, strerror(errno));
	else if (err != GP_OK)
		err = fail(error, GP_ERR_CONFIG, path, "longer than 1 MiB");
	else
		err = config_parse(buf_slice(&text), path, ret_config, error);
	buf_fini(&text);
	(void)close(fd);
	return err;
}

void config_free(struct config **pconfig)
{
	struct config *config = *pconfig;

	if (config == NULL)
		return;
	*pconfig = NULL;
	if (config->holds > 0) {
		config->holds--;
		return;
	}
	for (unsigned i = SECTION_LISTENER; i < SECTION_MAX; i++)
		section_free_all(config, (enum schema_section)i);
	section_clear(SECTION_GLOBAL, config);
	mem_free(config);
}

struct config *config_hold(const struct config *config)
{
	struct config *held = NULL;

	/* Immutable to all who read it; the count is no part of what they read. */
	memcpy(&held, &config, sizeof held);
	held->holds++;
	return held;
}

int config_backend_index(const struct config *config, struct slice name)
{
	for (size_t i = 0; i < config->backend_count; i++) {
		if (slice_is(name, config->backends[i].name))
			return (int)i;
	}
	return -1;
}

const struct config_backend *config_backend(const struct config *config, struct slice name)
{
	int i = config_backend_index(config, name);

	return i >= 0 ? &config->backends[i] : NULL;
}

/* Name of the backend section this one route has for it, or NULL. */
static const char *backend_of(
	const struct config_route *route, enum protocol protocol, bool incoming)
{
	switch (protocol) {
	case PROTOCOL_IMAP:
		return route->imap;
	case PROTOCOL_POP3:
		return route->pop3;
	case PROTOCOL_SMTP:
		return incoming && route->incoming != NULL ? route->incoming : route->smtp;
	case PROTOCOL_HTTP:
	case PROTOCOL_MAX:
		break;
	}
	return NULL;
}

static const char *find_route(
	const struct config *config, struct slice domain, enum protocol protocol, bool incoming)
{
	for (size_t i = 0; i < config->route_count; i++) {
		if (slice_is(domain, config->routes[i].domain))
			return backend_of(&config->routes[i], protocol, incoming);
	}
	return NULL;
}

static bool has_name(const struct config_certificate *certificate, struct slice name)
{
	for (size_t i = 0; i < certificate->names.count; i++) {
		if (slice_is_nocase(name, certificate->names.items[i]))
			return true;
	}
	return false;
}

const struct config_certificate *config_certificate_for(
	const struct config *config, struct slice name)
{
	const struct config_certificate *wide = NULL;
	ptrdiff_t dot = slice_find(name, '.');
	char *any = mem_printf("*%.*s", SLICE_ARG(slice_from(name, dot < 0 ? 0 : (size_t)dot)));
	const struct config_certificate *found = NULL;

	for (size_t i = 0; i < config->certificate_count && found == NULL; i++) {
		const struct config_certificate *one = &config->certificates[i];

		if (has_name(one, name))
			found = one;
		else if (wide == NULL && has_name(one, slice_str(any)))
			wide = one;
	}
	mem_free(any);
	if (found == NULL)
		found = wide;
	if (found == NULL && config->certificate_count > 0)
		found = &config->certificates[0];
	return found;
}

bool config_has_service(const struct config *config, enum service service)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		if (config->listeners[i].service == service)
			return true;
	}
	return false;
}

const struct config_backend *config_route(
	const struct config *config, struct slice domain, enum protocol protocol, bool incoming)
{
	const char *name = find_route(config, domain, protocol, incoming);

	if (name == NULL)
		name = find_route(config, SLICE_LIT("*"), protocol, incoming);
	return name != NULL ? config_backend(config, slice_str(name)) : NULL;
}

enum gp_err config_hook_word(
	struct slice word, struct slice account, struct slice reason, struct buf *out)
{
	enum gp_err err = GP_OK;

	while (word.len > 0 && err == GP_OK) {
		struct slice found = slice_head(word, 1);

		if (slice_starts_nocase(word, "{account}")) {
			found = account;
			word = slice_from(word, sizeof "{account}" - 1);
		} else if (slice_starts_nocase(word, "{reason}")) {
			found = reason;
			word = slice_from(word, sizeof "{reason}" - 1);
		} else if (word.data[0] == '{' || word.data[0] == '}') {
			return GP_ERR_SYNTAX;
		} else {
			word = slice_from(word, 1);
		}
		err = buf_append(out, found);
	}
	return err;
}
