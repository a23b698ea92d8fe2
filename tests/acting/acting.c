/* SPDX-License-Identifier: ISC */
/*
 * A child of gatepostd that has been taken over. Installed under the name of a child in a --libexec
 * directory of its own, beside the true one, NAME.true:
 *
 *	gatepostd starts NAME INDEX LANE TITLE; is there a file NAME.INDEX, it holds the name of an
 *	act, is deleted, and the act is done from within the jail once the channels are there; else
 *	the true NAME takes over. So each act is done once, and who is started again is honest.
 *
 * The log then says act_done (the sandbox failed), act_refused, or nothing: the act was fatal.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "forbidden.h"
#include "ipc/ban_map.h"
#include "privsep/child.h"

enum {
	PATH_SIZE = 4096,
	FOREIGN_SESSION = 4711, /* one act opens it, others want it */
	FOREIGN_WAIT_MS = 1000,
	SURVIVED_MS = 3000, /* whoever lives so long after an offence got away with it */
	BABBLES = 64,
};

static struct {
	char act[64];
	struct child *child;
	int core_fd;
	int map_fd;
	char *state_dir;
	uint16_t mailboxes; /* a backend */
	struct loop_timer timer;
	struct loop_timer survived;
} self = { .core_fd = -1, .map_fd = -1 };

static void end_act(bool is_done)
{
	if (strcmp(self.act, "hold_session") == 0)
		log_info("act_over", LOG_STR("act", self.act));
	else if (is_done)
		log_error("act_done", LOG_STR("act", self.act));
	else
		log_error("act_refused", LOG_STR("act", self.act));
	loop_stop(self.child->loop);
}

static void on_survived(struct loop_timer *timer)
{
	(void)timer;
	end_act(true);
}

/* ---- acts on the machine: ACT_DONE or ACT_REFUSED ---- */

static int act_open_store(void)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof path, "%s/gatepost.db", self.state_dir);
	return open(path, O_RDONLY) < 0 ? ACT_REFUSED : ACT_DONE;
}

static int act_map_bans_writable(void)
{
	void *map = mmap(NULL, ban_map_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, self.map_fd, 0);

	return map == MAP_FAILED ? ACT_REFUSED : ACT_DONE;
}

static int act_make_bans_writable(void)
{
	void *map = mmap(NULL, ban_map_bytes(), PROT_READ, MAP_SHARED, self.map_fd, 0);

	return mprotect(map, ban_map_bytes(), PROT_READ | PROT_WRITE) < 0 ? ACT_REFUSED : ACT_DONE;
}

static int act_write_bans(void)
{
	return write(self.map_fd, "x", 1) < 0 ? ACT_REFUSED : ACT_DONE;
}

static const struct act own_acts[] = {
	{ "open_store", act_open_store },
	{ "map_bans_writable", act_map_bans_writable },
	{ "make_bans_writable", act_make_bans_writable },
	{ "write_bans", act_write_bans },
};

static const struct act *find_act(const struct act *acts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(acts[i].name, self.act) == 0)
			return &acts[i];
	}
	return NULL;
}

/* ---- acts on a channel: whoever is at its other end must cut it ---- */

static void tell(int fd, const struct ipc_message *message)
{
	struct buf packet;

	buf_init(&packet, IPC_PACKET_MAX);
	GP_ASSERT(ipc_encode(message, &packet) == GP_OK);
	(void)send(fd, buf_slice(&packet).data, packet.len, MSG_NOSIGNAL);
	buf_fini(&packet);
}

static void babble(int fd)
{
	char bytes[512];

	for (unsigned n = 0; n < BABBLES; n++) {
		rand_bytes(bytes, sizeof bytes);
		(void)send(fd, bytes, 1 + n * 7 % sizeof bytes, MSG_NOSIGNAL);
	}
}

static void send_long(int fd)
{
	static const char bytes[IPC_PACKET_MAX + 1];

	(void)send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
}

static void open_session(uint64_t id)
{
	struct ipc_message message = { .type = IPC_SESSION_OPEN };

	message.session_open = (struct ipc_session_open){ .session = id,
		.service = SERVICE_SUBMISSION,
		.client = { .family = IP_V4, .bytes = { 192, 0, 2, 1 } } };
	tell(self.core_fd, &message);
}

/* No offence, and no act: only there for the others. */
static void hold_session(void)
{
	open_session(FOREIGN_SESSION);
}

static void want_signin(void)
{
	struct ipc_message message = { .type = IPC_SIGNIN };

	message.signin = (struct ipc_signin){ .session = FOREIGN_SESSION,
		.login = SLICE_LIT("alice@example.test"),
		.secret = SLICE_LIT("x") };
	tell(self.core_fd, &message);
}

static void want_mail(void)
{
	struct ipc_message message = { .type = IPC_MAIL };

	message.mail = (struct ipc_mail){ .session = FOREIGN_SESSION };
	tell(self.core_fd, &message);
}

/* Says that somebody has signed in here, who has not. */
static void resume(uint64_t session)
{
	struct ipc_message message = { .type = IPC_SESSION_RESUME };

	message.session_resume = (struct ipc_session_resume){
		.session = session, .account = 1, .address = SLICE_LIT("alice@example.test")
	};
	tell(self.core_fd, &message);
}

static void resume_foreign(void)
{
	resume(FOREIGN_SESSION);
}

static void resume_late(void)
{
	open_session(FOREIGN_SESSION + 1);
	resume(FOREIGN_SESSION + 1);
}

static void take_session_id(void)
{
	open_session(FOREIGN_SESSION);
}

static void ask_like_core(void)
{
	struct ipc_message message = { .type = IPC_VERIFY };

	tell(self.core_fd, &message);
}

static void ask_like_cli(void)
{
	struct ipc_message message = { .type = IPC_OP };

	message.op.name = SLICE_LIT("account.list");
	message.op.arguments = SLICE_LIT("{}");
	tell(self.core_fd, &message);
}

static void accuse(void)
{
	struct ipc_message message = { .type = IPC_PEER_BAD };

	message.peer_bad.role = IPC_ROLE_VAULT;
	tell(CHILD_CONTROL_FD, &message);
}

/* Not an offence, only in vain: the answer is DIALED without a socket. */
static void dial_elsewhere(void)
{
	struct ipc_message message = { .type = IPC_DIAL };

	message.dial = (struct ipc_dial){
		.request = 1, .generation = self.child->generation, .backend = 999
	};
	tell(CHILD_CONTROL_FD, &message);
}

/* A mailbox's server, to which only who was let in gets a connection. */
static void dial_mailbox(void)
{
	struct ipc_message message = { .type = IPC_DIAL };

	message.dial = (struct ipc_dial){
		.request = 1, .generation = self.child->generation, .backend = self.mailboxes
	};
	tell(CHILD_CONTROL_FD, &message);
}

/* The same through core, for a session that nobody is signed in to. */
static void want_mailbox(void)
{
	struct ipc_message message = { .type = IPC_MAILBOX_HOST };

	open_session(FOREIGN_SESSION + 2);
	message.mailbox_host.session = FOREIGN_SESSION + 2;
	tell(self.core_fd, &message);
}

static void babble_to_peer(void)
{
	babble(self.core_fd);
}

static void babble_to_parent(void)
{
	babble(CHILD_CONTROL_FD);
}

static void send_long_to_peer(void)
{
	send_long(self.core_fd);
}

static void send_long_to_parent(void)
{
	send_long(CHILD_CONTROL_FD);
}

static const struct offence {
	const char *name;
	void (*commit)(void);
	int64_t wait_ms;
} offences[] = {
	{ "hold_session", hold_session, 0 },
	{ "signin_foreign", want_signin, FOREIGN_WAIT_MS },
	{ "mail_foreign", want_mail, FOREIGN_WAIT_MS },
	{ "resume_foreign", resume_foreign, FOREIGN_WAIT_MS },
	{ "resume_late", resume_late, 0 },
	{ "take_session_id", take_session_id, FOREIGN_WAIT_MS },
	{ "ask_like_core", ask_like_core, 0 },
	{ "ask_like_cli", ask_like_cli, 0 },
	{ "accuse", accuse, 0 },
	{ "dial_elsewhere", dial_elsewhere, 0 },
	{ "dial_mailbox", dial_mailbox, 0 },
	{ "want_mailbox", want_mailbox, 0 },
	{ "babble_to_peer", babble_to_peer, 0 },
	{ "babble_to_parent", babble_to_parent, 0 },
	{ "send_long_to_peer", send_long_to_peer, 0 },
	{ "send_long_to_parent", send_long_to_parent, 0 },
};

/* ---- the life of it ---- */

static const struct offence *find_offence(void)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(offences); i++) {
		if (strcmp(offences[i].name, self.act) == 0)
			return &offences[i];
	}
	return NULL;
}

static void on_time(struct loop_timer *timer)
{
	const struct offence *offence = find_offence();
	const struct act *act = find_act(act_forbidden, ACT_FORBIDDEN);

	(void)timer;
	if (act == NULL)
		act = find_act(own_acts, GP_ARRAY_LEN(own_acts));
	if (offence != NULL) {
		offence->commit();
		loop_timer_init(self.child->loop, &self.survived, on_survived, NULL);
		loop_timer_set(&self.survived, SURVIVED_MS);
		return;
	}
	if (act == NULL)
		log_error("no_such_act", LOG_STR("act", self.act));
	else
		end_act(act->act() == ACT_DONE);
}

static enum gp_err before_jail(struct child *child, const struct config *config, struct gp_why *why)
{
	(void)child;
	(void)why;
	act_socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	self.state_dir = mem_strdup(config->state_dir);
	return GP_OK;
}

static enum gp_err on_config(struct child *child, const struct config *config,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	(void)materials;
	(void)count;
	(void)why;
	self.child = child;
	self.mailboxes = (uint16_t)config_backend_index(config, SLICE_LIT("imap"));
	return GP_OK;
}

static void start(void)
{
	const struct offence *offence = find_offence();

	loop_timer_init(self.child->loop, &self.timer, on_time, NULL);
	loop_timer_set(&self.timer, offence != NULL ? offence->wait_ms : 0);
}

static void on_message(struct child *child, const struct ipc_message *message, int *fd)
{
	int *place = NULL;

	if (message->type == IPC_PEER) {
		act_sibling = (pid_t)message->peer.pid;
		place = &self.core_fd;
	} else if (message->type == IPC_BAN_MAP) {
		place = &self.map_fd;
	} else if (message->type == IPC_DIALED) {
		end_act(*fd >= 0);
	}
	if (place == NULL || *place >= 0)
		return;
	*place = *fd;
	*fd = -1;
	if (self.core_fd >= 0 &&
		(child->role == IPC_ROLE_VAULT || child->role == IPC_ROLE_WEB || self.map_fd >= 0))
		start();
}

/* The act that gatepostd's new child is to do; false: none. */
static bool take_act(const char *program, const char *index)
{
	char path[PATH_SIZE];
	FILE *file;
	bool has_act;

	(void)snprintf(path, sizeof path, "%s.%s", program, index);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	has_act = fgets(self.act, sizeof self.act, file) != NULL;
	(void)fclose(file);
	(void)unlink(path);
	return has_act;
}

int main(int argc, char **argv)
{
	struct child_ops ops = {
		.before_jail = before_jail, .on_config = on_config, .on_message = on_message
	};
	char path[PATH_SIZE];

	if (argc != 6)
		return EX_USAGE;
	if (!take_act(argv[0], argv[1])) {
		(void)snprintf(path, sizeof path, "%s.true", argv[0]);
		(void)execv(path, argv);
		return EX_OSFILE;
	}
	ops.role = strstr(argv[0], "gatepost-core") != NULL    ? IPC_ROLE_CORE
		   : strstr(argv[0], "gatepost-vault") != NULL ? IPC_ROLE_VAULT
		   : strstr(argv[0], "gatepost-web") != NULL   ? IPC_ROLE_WEB
							       : IPC_ROLE_FRONT;
	return child_main(&ops, argc, argv);
}
