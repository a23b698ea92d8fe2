/* SPDX-License-Identifier: ISC */
/*
 * How a configuration comes in, on the control channel:
 *
 *	CONFIG		on_config_text()	parsed at once; pending
 *	MATERIAL ...	on_material()		kept with it
 *	CONFIG_APPLY	on_apply()		the first time also the jail; then ops->on_config()
 *	  -> READY	send_ready()
 *
 * Any of these for another generation than the pending one is left without effect and answered by
 * READY ok=0 at CONFIG_APPLY. A first configuration that cannot be taken ends the child.
 */
#include "privsep/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "privsep/fdpass.h"
#include "privsep/sandbox.h"

enum {
	MATERIALS_MAX = 1024,
	STOP_FLUSH_MS = 200,
};

/* A configuration on its way in. */
struct pending {
	bool is_there;
	uint64_t generation;
	struct config *config; /* NULL if it could not be taken; then why */
	struct gp_why why;
	struct child_material *materials;
	struct buf *bytes; /* of each material */
	size_t count;
};

struct life {
	const struct child_ops *ops;
	struct child child;
	struct config *config; /* child.config, to free it */
	struct pending pending;
	uid_t uid; /* to become in the jail */
	gid_t gid;
	bool is_jailed;
	int exit_code;
};

/* The pending configuration. */

static void pending_clear(struct pending *pending)
{
	for (size_t i = 0; i < pending->count; i++) {
		char *name = NULL;

		memcpy(&name, &pending->materials[i].name, sizeof name);
		mem_free(name);
		buf_fini(&pending->bytes[i]);
		if (pending->materials[i].fd >= 0)
			(void)close(pending->materials[i].fd);
	}
	mem_free(pending->materials);
	mem_free(pending->bytes);
	config_free(&pending->config);
	*pending = (struct pending){ 0 };
}

static void pending_fail(struct pending *pending, const char *what, const char *text)
{
	config_free(&pending->config);
	(void)gp_why_set(&pending->why, GP_ERR_CONFIG, "%s: %.200s", what, text);
}

static void on_config_text(struct life *life, const struct ipc_config *message, int fd)
{
	struct pending *pending = &life->pending;
	struct config_error error = { "" };
	struct gp_why why = { "" };
	struct buf text;
	char *file_name = slice_dup(message->file_name);

	pending_clear(pending);
	pending->is_there = true;
	pending->generation = message->generation;
	buf_init_secret(&text, FDPASS_FILE_MAX);
	if (fdpass_read(fd, &text, &why) != GP_OK)
		pending_fail(pending, "configuration", why.text);
	else if (config_parse(buf_slice(&text), file_name, &pending->config, &error) != GP_OK)
		pending_fail(pending, "configuration", error.text);
	buf_fini(&text);
	mem_free(file_name);
}

static void on_material(struct life *life, const struct ipc_material *message, int *fd)
{
	struct pending *pending = &life->pending;
	size_t n = pending->count;
	struct gp_why why = { "" };

	if (!pending->is_there || pending->generation != message->generation)
		return;
	if (n == MATERIALS_MAX) {
		pending_fail(pending, "key material", "too many files");
		return;
	}
	pending->materials = mem_resize(pending->materials, n + 1, sizeof *pending->materials);
	pending->bytes = mem_resize(pending->bytes, n + 1, sizeof *pending->bytes);
	buf_init_secret(&pending->bytes[n], FDPASS_FILE_MAX);
	pending->materials[n] = (struct child_material){
		.kind = message->kind, .name = slice_dup(message->name), .fd = -1
	};
	pending->count++;
	if (message->kind == IPC_MATERIAL_GEOIP) {
		pending->materials[n].fd = *fd;
		*fd = -1;
		return;
	}
	if (fdpass_read(*fd, &pending->bytes[n], &why) != GP_OK)
		pending_fail(pending, "key material", why.text);
	pending->materials[n].bytes = buf_slice(&pending->bytes[n]);
}

/* Taking it into use. */

static char *store_dir(const struct config *config)
{
	const char *slash = NULL;

	if (config->database == NULL)
		return mem_strdup(config->state_dir);
	slash = strrchr(config->database, '/');
	if (slash == NULL)
		return mem_strdup(".");
	return mem_strndup(config->database,
		slash == config->database ? 1 : (size_t)(slash - config->database));
}

static enum gp_err enter_jail(struct life *life, const struct config *config, struct gp_why *why)
{
	struct sandbox_conf conf = { .role = life->child.role,
		.uid = life->uid,
		.gid = life->gid,
		.required = config->require_sandbox };
	char *dir = NULL;
	enum gp_err err = GP_OK;

	if (life->is_jailed)
		return GP_OK;
	if (life->ops->before_jail != NULL)
		err = life->ops->before_jail(&life->child, config, why);
	if (err != GP_OK)
		return err;
	if (life->child.role == IPC_ROLE_VAULT)
		dir = store_dir(config);
	conf.write_dir = dir;
	err = sandbox_enter(&conf, why);
	life->is_jailed = err == GP_OK;
	mem_free(dir);
	return err;
}

static void send_ready(struct life *life, uint64_t generation, bool ok, const char *why)
{
	struct ipc_message message = { .type = IPC_READY,
		.ready = { .generation = generation, .ok = ok, .why = slice_str(why) } };

	if (chan_send(life->child.parent, &message, -1) != GP_OK)
		log_error("ready_not_sent", LOG_UINT("generation", generation));
}

static enum gp_err take_pending(struct life *life, struct gp_why *why)
{
	struct pending *pending = &life->pending;
	struct config *old = life->config;
	enum gp_err err;

	if (pending->config == NULL) {
		*why = pending->why;
		return GP_ERR_CONFIG;
	}
	err = enter_jail(life, pending->config, why);
	if (err == GP_OK)
		err = life->ops->on_config(
			&life->child, pending->config, pending->materials, pending->count, why);
	if (err != GP_OK)
		return err;
	life->config = pending->config;
	pending->config = NULL;
	life->child.config = life->config;
	life->child.generation = pending->generation;
	log_set_level((enum log_level)life->config->log_level);
	config_free(&old);
	return GP_OK;
}

static void on_apply(struct life *life, const struct ipc_config_apply *message)
{
	struct gp_why why = { "" };
	enum gp_err err;

	if (!life->pending.is_there || life->pending.generation != message->generation) {
		send_ready(life, message->generation, false, "no such configuration was sent");
		return;
	}
	err = take_pending(life, &why);
	if (err != GP_OK && why.text[0] == '\0')
		(void)gp_why_set(&why, err, "%s", gp_err_text(err));
	pending_clear(&life->pending);
	send_ready(life, message->generation, err == GP_OK, why.text);
	if (err == GP_OK || life->config != NULL)
		return;
	log_error("child_cannot_start", LOG_STR("why", why.text));
	life->exit_code = EX_CONFIG;
	loop_stop(life->child.loop);
}

/* The control channel. */

static void on_stop(struct life *life, const struct ipc_stop *message)
{
	if (life->ops->on_stop != NULL && life->config != NULL)
		life->ops->on_stop(&life->child, message->grace_ms);
	else
		loop_stop(life->child.loop);
}

/* Late is as good as never: a process that is at work for so long is ended. */
static void answer_ping(struct life *life, const struct ipc_ping *ping)
{
	struct ipc_message message = { .type = IPC_PONG, .pong = { .number = ping->number } };

	if (chan_send(life->child.parent, &message, -1) != GP_OK)
		log_debug("ping_not_answered", LOG_UINT("number", ping->number));
}

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct life *life = owner;

	(void)chan;
	if (message->type == IPC_PING)
		answer_ping(life, &message->ping);
	else if (message->type == IPC_CONFIG)
		on_config_text(life, &message->config, *fd);
	else if (message->type == IPC_MATERIAL)
		on_material(life, &message->material, fd);
	else if (message->type == IPC_CONFIG_APPLY)
		on_apply(life, &message->config_apply);
	else if (message->type == IPC_STOP)
		on_stop(life, &message->stop);
	else
		life->ops->on_message(&life->child, message, fd);
}

/* Without gatepostd there is no work: the kernel's death signal says the same, usually sooner. */
static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct life *life = owner;

	(void)chan;
	(void)end;
	life->exit_code = EX_UNAVAILABLE;
	loop_stop(life->child.loop);
}

/* The beginning. */

/* The control socket was made by the process that started us, or by nobody we know. */
static bool is_parents_socket(int fd)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getppid();
}

/* Stopping is gatepostd's: a Ctrl-C or a service manager reaches all processes of the group. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < GP_ARRAY_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
}

/* What proc.c gave it: index, lane, user, group and the title. */
static bool read_arguments(struct life *life, int argc, char **argv)
{
	unsigned long long index;
	unsigned long long lane;
	unsigned long long uid;
	unsigned long long gid;

	if (argc != 6 || !slice_to_u64(slice_str(argv[1]), UINT16_MAX, &index) ||
		!slice_to_u64(slice_str(argv[2]), IPC_LANE_MAX - 1, &lane) ||
		!slice_to_u64(slice_str(argv[3]), UINT32_MAX, &uid) ||
		!slice_to_u64(slice_str(argv[4]), UINT32_MAX, &gid))
		return false;
	life->child.index = (unsigned)index;
	life->child.lane = (enum ipc_lane)lane;
	life->uid = (uid_t)uid;
	life->gid = (gid_t)gid;
	return true;
}

/* The last argument takes the place of all of them, as ps(1) shows them: they lie one behind the
 * other. setproctitle(3) of libbsd would leave a mark where the longer text ended. */
static void show_title(int argc, char **argv)
{
	char *end = argv[argc - 1] + strlen(argv[argc - 1]);
	size_t len = strlen(argv[argc - 1]);

	memmove(argv[0], argv[argc - 1], len);
	memset(argv[0] + len, 0, (size_t)(end - argv[0]) - len);
}

int child_main(const struct child_ops *ops, int argc, char **argv)
{
	static const struct chan_ops chan_ops = { on_message, on_end };
	static char process[32];
	struct life life = { .ops = ops, .child = { .role = ops->role } };
	int fd = CHILD_CONTROL_FD;
	bool has_log_fd = fcntl(CHILD_LOG_FD, F_GETFD) >= 0;

	sandbox_early();
	if (!read_arguments(&life, argc, argv) || !is_parents_socket(fd)) {
		(void)fprintf(stderr, "%s is started by gatepostd only\n", argv[0]);
		return EX_USAGE;
	}
	ignore_signals();
	(void)snprintf(
		process, sizeof process, "%s.%u", ipc_role_name(ops->role), life.child.index);
	log_setup(process, has_log_fd ? LOG_TARGET_SYSLOG : LOG_TARGET_STDERR,
		has_log_fd ? CHILD_LOG_FD : STDERR_FILENO, LOG_LEVEL_INFO);
	show_title(argc, argv);
	life.child.loop = loop_new();
	life.child.parent =
		chan_new(life.child.loop, &fd, ops->role, IPC_ROLE_PARENT, &chan_ops, &life);
	if (loop_run(life.child.loop) != GP_OK)
		life.exit_code = EX_OSERR;
	/* What the role built goes with the process; the last words must not. */
	if (chan_flush(life.child.parent, STOP_FLUSH_MS) != GP_OK)
		log_debug("parent_gone", LOG_INT("exit", life.exit_code));
	return life.exit_code;
}
