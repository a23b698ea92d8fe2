/* SPDX-License-Identifier: ISC */
/*
 * The life of a child of gatepostd, the same for front, core and vault: control channel on
 * descriptor CHILD_CONTROL_FD, configuration and key material by IPC, jail, READY, loop, STOP. A
 * child is a struct child_ops and a main() of one line.
 *
 * Order: sandbox_early(); CONFIG and MATERIAL messages; CONFIG_APPLY: the configuration is parsed,
 * the sandbox entered (first time only), on_config() called, READY sent. Then LISTENER, PEER and so
 * on as they come. The control channel's end ends the child.
 */
#ifndef GP_PRIVSEP_CHILD_H
#define GP_PRIVSEP_CHILD_H

#include "base/err.h"
#include "base/slice.h"
#include "config/config.h"
#include "event/loop.h"
#include "ipc/chan.h"

enum {
	CHILD_CONTROL_FD = 3,
	CHILD_LOG_FD = 4, /* /dev/log datagram socket, if the log goes to syslog */
};

struct child {
	struct loop *loop;
	enum ipc_role role;
	unsigned index;     /* among its role, from 0 */
	enum ipc_lane lane; /* vault */
	struct chan *parent;
	const struct config *config; /* in force; replaced at reload, see on_config */
	uint64_t generation;
	void *state; /* the role's own */
};

/* One piece of key material of the coming configuration; bytes are borrowed and wiped after
 * on_config(). */
struct child_material {
	enum ipc_material_kind kind;
	const char *name;
	struct slice bytes;
	int fd; /* IPC_MATERIAL_GEOIP: instead of bytes, for fdpass_map(); borrowed. Else -1 */
};

struct child_ops {
	enum ipc_role role;
	/* A vault opens its store and so on here, before the jail; once. NULL: nothing to do. */
	enum gp_err (*before_jail)(
		struct child *child, const struct config *config, struct gp_why *why);
	/* Take this configuration into use: on the first call build all state, later swap. On
	 * failure the old one stays in force and why goes to gatepostd. The old config is freed
	 * after return. */
	enum gp_err (*on_config)(struct child *child, const struct config *config,
		const struct child_material *materials, size_t count, struct gp_why *why);
	/* Every message of the control channel that is not CONFIG, MATERIAL, CONFIG_APPLY, STOP or
	 * PING. */
	void (*on_message)(struct child *child, const struct ipc_message *message, int *fd);
	/* Asked to end within grace_ms; call loop_stop() when done. NULL: ends at once. */
	void (*on_stop)(struct child *child, unsigned grace_ms);
};

/* argv: INDEX LANE TITLE; set by gatepostd. Returns the exit code (sysexits). */
int child_main(const struct child_ops *ops, int argc, char **argv);

#endif
