/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/ban_map.h"
#include "parent/crew.h"
#include "parent/dial.h"
#include "parent/hook.h"
#include "parent/notify.h"
#include "parent/parent.h"
#include "parent/privileges.h"
#include "parent/reload.h"
#include "parent/resolver.h"
#include "privsep/sandbox.h"

enum {
	PATH_SIZE = 4096,
};

struct arguments {
	const char *config_path;
	const char *libexec;     /* NULL: found */
	enum generation_use use; /* START, CHECK or INIT */
};

struct signals {
	struct loop_signal hangup;
	struct loop_signal terminate;
	struct loop_signal interrupt;
	struct loop_signal child;
};

/* Ending. */

static void stop(struct parent *parent)
{
	if (parent->is_stopping) {
		crew_kill(parent->crew, "told to end twice");
		return;
	}
	log_info("stopping", LOG_INT("pid", getpid()));
	notify_stopping();
	parent->is_stopping = true;
	crew_stop(parent->crew);
}

void parent_fail(struct parent *parent, const char *what, const char *why)
{
	if (parent->is_stopping)
		return;
	log_error("cannot_start", LOG_STR("what", what), LOG_STR("why", why));
	parent->exit_code = EX_CONFIG;
	stop(parent);
	crew_kill(parent->crew, "gatepostd cannot start");
}

void parent_on_stopped(struct parent *parent)
{
	loop_stop(parent->loop);
}

/* Signals. */

static void on_terminate(struct loop_signal *signal)
{
	stop(signal->owner);
}

static void on_hangup(struct loop_signal *signal)
{
	struct parent *parent = signal->owner;

	reload_start(parent->reload, false, 0);
}

static void on_child(struct loop_signal *signal)
{
	struct parent *parent = signal->owner;

	crew_reap(parent->crew);
}

static void start_signals(struct parent *parent, struct signals *signals)
{
	struct loop *loop = parent->loop;

	(void)signal(SIGPIPE, SIG_IGN);
	loop_signal_start(loop, &signals->hangup, SIGHUP, on_hangup, parent);
	loop_signal_start(loop, &signals->terminate, SIGTERM, on_terminate, parent);
	loop_signal_start(loop, &signals->interrupt, SIGINT, on_terminate, parent);
	loop_signal_start(loop, &signals->child, SIGCHLD, on_child, parent);
}

static void stop_signals(struct signals *signals)
{
	loop_signal_stop(&signals->hangup);
	loop_signal_stop(&signals->terminate);
	loop_signal_stop(&signals->interrupt);
	loop_signal_stop(&signals->child);
}

/* Beginning. */

static _Noreturn void usage(FILE *out, int code)
{
	(void)fputs("usage: gatepostd [-c FILE] [--libexec DIR] [--check | --init]\n"
		    "\n"
		    "  -c, --config FILE  configuration [/etc/gatepost/gatepost.conf]\n"
		    "  -f, --foreground   stay in the foreground; always so\n"
		    "      --libexec DIR  where gatepost-front, -core, -vault and -web are\n"
		    "      --check        check the configuration and all files it names, and end\n"
		    "      --init         make the store and the keys that are missing, and end\n"
		    "  -h, --help         this text\n"
		    "  -V, --version      the version\n",
		out);
	exit(code);
}

static struct arguments read_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "libexec", required_argument, NULL, 'l' },
		{ "check", no_argument, NULL, 'k' },
		{ "init", no_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct arguments arguments = { .config_path = "/etc/gatepost/gatepost.conf",
		.use = GENERATION_START };
	int option;

	while ((option = getopt_long(argc, argv, "c:fhV", options, NULL)) != -1) {
		if (option == 'c')
			arguments.config_path = optarg;
		else if (option == 'l')
			arguments.libexec = optarg;
		else if (option == 'k')
			arguments.use = GENERATION_CHECK;
		else if (option == 'i')
			arguments.use = GENERATION_INIT;
		else if (option == 'h')
			usage(stdout, EX_OK);
		else if (option == 'V') {
			(void)puts("gatepostd " GP_VERSION);
			exit(EX_OK);
		} else if (option != 'f') {
			usage(stderr, EX_USAGE);
		}
	}
	if (optind != argc)
		usage(stderr, EX_USAGE);
	return arguments;
}

/* Beside this executable, as in a build directory; else where they are installed. */
static char *find_libexec(const char *given)
{
	char path[PATH_SIZE];
	ssize_t len;
	char *slash = NULL;
	char *sibling = NULL;
	bool is_there;

	if (given != NULL)
		return mem_strdup(given);
	len = readlink("/proc/self/exe", path, sizeof path - 1);
	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return mem_strdup(GP_LIBEXEC_DIR);
	*slash = '\0';
	sibling = mem_printf("%s/gatepost-core", path);
	is_there = access(sibling, X_OK) == 0;
	mem_free(sibling);
	return mem_strdup(is_there ? path : GP_LIBEXEC_DIR);
}

static enum gp_err open_log(struct parent *parent, struct gp_why *why)
{
	const struct config *config = parent->current->config;
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

	if (config->log != CONFIG_LOG_SYSLOG) {
		log_set_level((enum log_level)config->log_level);
		return GP_OK;
	}
	parent->log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (parent->log_fd < 0 ||
		connect(parent->log_fd, (const struct sockaddr *)&addr, sizeof addr) != 0)
		return gp_why_set(why, GP_ERR_IO, "%s: %s", addr.sun_path, strerror(errno));
	log_setup("parent", LOG_TARGET_SYSLOG, parent->log_fd, (enum log_level)config->log_level);
	return GP_OK;
}

static enum gp_err open_all(struct parent *parent, struct gp_why *why)
{
	const struct config *config = parent->current->config;
	enum gp_err err = open_log(parent, why);

	if (err == GP_OK &&
		(ban_map_create(&parent->ban_write_fd) != GP_OK ||
			ban_map_reopen_read(parent->ban_write_fd, &parent->ban_read_fd) != GP_OK))
		err = gp_why_set(why, GP_ERR_IO, "ban map: %s", strerror(errno));
	if (err == GP_OK)
		err = control_socket_open(config->control_socket, &parent->control, why);
	if (err == GP_OK)
		err = listeners_bind(
			config, crew_fronts(parent->crew), NULL, &parent->listeners, why);
	return err;
}

static void close_all(struct parent *parent)
{
	listeners_free(&parent->listeners);
	control_socket_close(&parent->control);
	generation_free(&parent->current);
	for (size_t i = 0; i < PARENT_OLD_GENERATIONS; i++)
		generation_free(&parent->old[i]);
	mem_free(parent->libexec);
	if (parent->ban_write_fd >= 0)
		(void)close(parent->ban_write_fd);
	if (parent->ban_read_fd >= 0)
		(void)close(parent->ban_read_fd);
}

static int run(struct parent *parent)
{
	struct signals signals = { 0 };
	struct gp_why why = { "" };

	parent->loop = loop_new();
	parent->dialer = dialer_new(parent);
	parent->hooks = hooks_new(parent);
	parent->reload = reload_new(parent);
	parent->resolver = resolver_new(parent);
	parent->crew = crew_new(parent);
	notify_init(parent->loop);
	if (open_all(parent, &why) == GP_OK) {
		privileges_drop();
		start_signals(parent, &signals);
		log_info("starting", LOG_INT("pid", getpid()),
			LOG_STR("config", parent->config_path));
		crew_start(parent->crew);
		resolver_start(parent->resolver);
		if (loop_run(parent->loop) != GP_OK)
			parent->exit_code = EX_OSERR;
	} else {
		log_error("cannot_start", LOG_STR("why", why.text));
		parent->exit_code = EX_OSERR;
	}
	stop_signals(&signals);
	notify_fini();
	resolver_free(&parent->resolver);
	crew_free(&parent->crew);
	reload_free(&parent->reload);
	hooks_free(&parent->hooks);
	dialer_free(&parent->dialer);
	loop_free(&parent->loop);
	return parent->exit_code;
}

int main(int argc, char **argv)
{
	struct parent parent = { .log_fd = -1,
		.ban_write_fd = -1,
		.ban_read_fd = -1,
		.last_generation = 1,
		.control = { .fd = -1 } };
	struct config_error error = { "" };
	struct arguments arguments;
	int code;

	listeners_init();
	privileges_early();
	arguments = read_arguments(argc, argv);
	log_setup("parent", LOG_TARGET_STDERR, STDERR_FILENO, LOG_LEVEL_INFO);
	parent.config_path = arguments.config_path;
	if (generation_load(parent.config_path, parent.last_generation, arguments.use,
		    &parent.current, &error) != GP_OK) {
		(void)fprintf(stderr, "gatepostd: %s\n", error.text);
		return EX_CONFIG;
	}
	if (arguments.use != GENERATION_START) {
		(void)printf("%s: %s\n", parent.config_path,
			arguments.use == GENERATION_CHECK ? "good" : "all is there");
		generation_free(&parent.current);
		return EX_OK;
	}
	parent.libexec = find_libexec(arguments.libexec);
	code = run(&parent);
	close_all(&parent);
	return code;
}
