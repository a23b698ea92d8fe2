/* SPDX-License-Identifier: ISC */
#include "config/default.h"

#include "base/terms.h"

/* The title of a section may say what it is: listener imaps { }, backend lmtp { }. */
static enum gp_err title_if_choice(
	const struct schema_option *option, const char *title, struct buf *out)
{
	for (const struct schema_choice *one = option->choices; one->name != NULL; one++) {
		if (slice_is(slice_str(title), one->name))
			return buf_append_str(out, title);
	}
	return GP_ERR_NOT_FOUND;
}

static enum gp_err of_service(
	const struct schema_option *option, const struct config_listener *listener, struct buf *out)
{
	return title_if_choice(option, listener->name, out);
}

static enum gp_err of_port(const struct config_listener *listener, struct buf *out)
{
	return buf_printf(out, "%u", (unsigned)service_port(listener->service));
}

static enum gp_err of_protocol(
	const struct schema_option *option, const struct config_backend *backend, struct buf *out)
{
	return title_if_choice(option, backend->name, out);
}

static enum gp_err of_auth(const struct config_backend *backend, struct buf *out)
{
	bool is_mailbox = backend->protocol == CONFIG_BACKEND_IMAP ||
			  backend->protocol == CONFIG_BACKEND_POP3;

	return buf_append_str(out, is_mailbox ? "token" : "master");
}

enum gp_err default_text(const struct schema_option *option, const struct config *config,
	const void *object, struct buf *out)
{
	if (option->preset != NULL)
		return buf_append_str(out, option->preset);
	switch (option - schema_options) {
	case SCHEMA_AT_GLOBAL_portal_url:
		return buf_printf(out, "https://%s/", config->hostname);
	case SCHEMA_AT_GLOBAL_notice_from:
		return buf_printf(out, "postmaster@%s", config->hostname);
	case SCHEMA_AT_GLOBAL_database:
		return buf_printf(out, "%s/gatepost.db", config->state_dir);
	case SCHEMA_AT_LISTENER_service:
		return of_service(option, object, out);
	case SCHEMA_AT_LISTENER_port:
		return of_port(object, out);
	case SCHEMA_AT_BACKEND_protocol:
		return of_protocol(option, object, out);
	case SCHEMA_AT_BACKEND_auth:
		return of_auth(object, out);
	default:
		return GP_ERR_NOT_FOUND;
	}
}
