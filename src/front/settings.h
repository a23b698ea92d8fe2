/* SPDX-License-Identifier: ISC */
/*
 * One generation of the configuration as the front uses it: TLS contexts, what is known of each
 * backend. Reference counted, so that live sessions keep what they began with while
 * new ones get the new settings; backends are always looked up in the settings in force.
 */
#ifndef GP_FRONT_SETTINGS_H
#define GP_FRONT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/slice.h"
#include "config/config.h"
#include "front/health.h"
#include "net/tls_ctx.h"
#include "privsep/child.h"

struct settings_backend {
	const struct config_backend *conf;
	unsigned index;
	struct tls_ctx *tls; /* NULL: the backend is spoken to in plain */
	struct secret *auth; /* the password of conf->auth_user; NULL: none */
	struct health health;
	/* What the next hop offered last; SMTP and LMTP. */
	bool has_caps;
	unsigned caps; /* enum smtp_caps */
	uint64_t size;
};

struct settings {
	unsigned references;
	struct config *config;
	struct tls_ctx *
		*certificates; /* a server context per certificate section, that one first */
	struct settings_backend *backends; /* as in config */
	bool has_passthrough;              /* some backend wants the person's own password */
};

/* One reference is the caller's. materials are borrowed. */
enum gp_err settings_new(const struct config *config, const struct child_material *materials,
	size_t count, struct settings **ret_settings, struct gp_why *why) GP_CHECKED;
struct settings *settings_hold(struct settings *settings);
/* Sets *psettings to NULL; NULL inside is fine. */
void settings_release(struct settings **psettings);

/* NULL if the listener has none: it can not speak TLS. */
struct tls_ctx *settings_listener_tls(
	const struct settings *settings, const struct config_listener *listener);
/* NULL if there is none of this name. */
struct settings_backend *settings_backend(const struct settings *settings, struct slice name);

/* What every next hop that mail may be routed to can do, and the smallest SIZE of theirs (0: no
 * limit said). Until all of them are known: nothing of theirs. */
unsigned settings_hop_caps(const struct settings *settings, uint64_t *ret_size);

#endif
