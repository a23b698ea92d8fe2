/* SPDX-License-Identifier: ISC */
#include "parent/dial.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "parent/crew.h"

struct dial {
	LIST_ENTRY(dial) link;
	struct dialer *dialer;
	struct worker *front;
	uint64_t session;                /* whose mailbox it is; 0: of no one session */
	struct ipc_dialed answer;        /* all but errno_value */
	struct generation_member member; /* a copy: generations go */
	size_t next;                     /* address to try */
	int fd;
	struct loop_io io;
	struct loop_timer timer;
};

struct dialer {
	struct parent *parent;
	LIST_HEAD(dials, dial) dials;
};

static void try_next(struct dial *dial, int last_errno);

struct dialer *dialer_new(struct parent *parent)
{
	struct dialer *dialer = mem_new(1, sizeof *dialer);

	dialer->parent = parent;
	LIST_INIT(&dialer->dials);
	return dialer;
}

static void close_socket(struct dial *dial)
{
	loop_io_stop(&dial->io);
	if (dial->fd >= 0)
		(void)close(dial->fd);
	dial->fd = -1;
}

static void dial_free(struct dial *dial)
{
	LIST_REMOVE(dial, link);
	close_socket(dial);
	loop_timer_fini(&dial->timer);
	mem_free(dial->member.addresses);
	mem_free(dial);
}

void dialer_free(struct dialer **pdialer)
{
	struct dialer *dialer = *pdialer;

	*pdialer = NULL;
	if (dialer == NULL)
		return;
	while (!LIST_EMPTY(&dialer->dials))
		dial_free(LIST_FIRST(&dialer->dials));
	mem_free(dialer);
}

void dial_drop(struct dialer *dialer, const struct worker *front)
{
	struct dial *dial = LIST_FIRST(&dialer->dials);

	while (dial != NULL) {
		struct dial *after = LIST_NEXT(dial, link);

		if (dial->front == front)
			dial_free(dial);
		dial = after;
	}
}

static void reply(struct worker *front, const struct ipc_dialed *answer, int fd, int errno_value)
{
	struct ipc_message message = { .type = IPC_DIALED, .dialed = *answer };

	message.dialed.errno_value = errno_value;
	worker_send(front, &message, fd);
}

static void finish(struct dial *dial, int errno_value)
{
	reply(dial->front, &dial->answer, errno_value == 0 ? dial->fd : -1, errno_value);
	dial_free(dial);
}

static void on_timeout(struct loop_timer *timer)
{
	finish(timer->owner, ETIMEDOUT);
}

static void on_writable(struct loop_io *io, unsigned ready)
{
	struct dial *dial = io->owner;
	int error = 0;
	socklen_t size = sizeof error;

	(void)ready;
	if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error == 0)
		finish(dial, 0);
	else
		try_next(dial, error);
}

/* On loopback the peer's kernel has answered before connect(2) returns, which only a second call
 * tells: a turn of the loop is saved. 0, or the errno. */
static int begin_connect(int fd, const struct generation_address *address)
{
	const struct sockaddr *addr = (const struct sockaddr *)&address->addr;

	if (connect(fd, addr, address->len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (connect(fd, addr, address->len) == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY ? EINPROGRESS : errno;
}

static void try_next(struct dial *dial, int last_errno)
{
	int on = 1;

	while (dial->next < dial->member.count) {
		const struct generation_address *address = &dial->member.addresses[dial->next++];

		close_socket(dial);
		dial->fd = socket(
			address->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (dial->fd < 0) {
			last_errno = errno;
			continue;
		}
		if (address->addr.ss_family != AF_UNIX)
			(void)setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		last_errno = begin_connect(dial->fd, address);
		if (last_errno == 0) {
			finish(dial, 0);
			return;
		}
		if (last_errno == EINPROGRESS) {
			loop_io_start(dial->dialer->parent->loop, &dial->io, dial->fd, LOOP_WRITE,
				on_writable, dial);
			return;
		}
	}
	finish(dial, last_errno);
}

static const struct generation *find_generation(const struct parent *parent, uint64_t number)
{
	if (parent->current->number == number)
		return parent->current;
	for (size_t i = 0; i < PARENT_OLD_GENERATIONS; i++) {
		if (parent->old[i] != NULL && parent->old[i]->number == number)
			return parent->old[i];
	}
	return NULL;
}

static int64_t timeout_of(const struct config *config, unsigned backend)
{
	if (backend == IPC_DIAL_RSPAMD)
		return config->rspamd_timeout;
	return (int64_t)config->backends[backend].connect_timeout * 1000;
}

static size_t count_dials(const struct dialer *dialer, const struct worker *front)
{
	const struct dial *dial;
	size_t count = 0;

	LIST_FOREACH (dial, &dialer->dials, link)
		count += dial->front == front;
	return count;
}

/* What a front may ask for by itself is where its clients get without having signed in. */
static bool is_mailbox(const struct config *config, unsigned backend)
{
	return backend < config->backend_count &&
	       (config->backends[backend].protocol == CONFIG_BACKEND_IMAP ||
		       config->backends[backend].protocol == CONFIG_BACKEND_POP3);
}

/* answer: what will be said, so also where to: backend and host in generation (NULL: it is not
 * known). */
static void begin(struct dialer *dialer, struct worker *front, uint64_t session,
	const struct generation *generation, const struct ipc_dialed *answer)
{
	const struct generation_member *member =
		generation != NULL ? generation_member(generation, answer->backend, answer->member)
				   : NULL;
	struct dial *dial = NULL;

	if (member == NULL || count_dials(dialer, front) >= DIAL_MAX) {
		reply(front, answer, -1, member == NULL ? EINVAL : EAGAIN);
		return;
	}
	dial = mem_new(1, sizeof *dial);
	dial->dialer = dialer;
	dial->front = front;
	dial->session = session;
	dial->answer = *answer;
	dial->fd = -1;
	dial->member.count = member->count;
	dial->member.addresses = mem_new(member->count, sizeof *member->addresses);
	for (size_t i = 0; i < member->count; i++)
		dial->member.addresses[i] = member->addresses[i];
	LIST_INSERT_HEAD(&dialer->dials, dial, link);
	loop_timer_init(dialer->parent->loop, &dial->timer, on_timeout, dial);
	loop_timer_set(&dial->timer, timeout_of(generation->config, answer->backend));
	try_next(dial, EADDRNOTAVAIL);
}

void dial_start(struct dialer *dialer, struct worker *front, const struct ipc_dial *message)
{
	const struct generation *generation = find_generation(dialer->parent, message->generation);
	struct ipc_dialed answer = { .request = message->request,
		.generation = message->generation,
		.backend = message->backend,
		.member = message->member };

	if (generation != NULL && is_mailbox(generation->config, message->backend))
		reply(front, &answer, -1, EACCES);
	else
		begin(dialer, front, 0, generation, &answer);
}

/* One host after the other; of the one before nobody wants to hear any more. */
static void drop_earlier(struct dialer *dialer, const struct worker *front, uint64_t session)
{
	struct dial *dial;

	LIST_FOREACH (dial, &dialer->dials, link) {
		if (dial->front == front && dial->session == session) {
			dial_free(dial);
			return;
		}
	}
}

void dial_mailbox(
	struct dialer *dialer, struct worker *front, const struct ipc_dial_mailbox *message)
{
	uint64_t number = message->generation != 0 ? message->generation : front->taken;
	const struct generation *generation = find_generation(dialer->parent, number);
	int backend = generation != NULL
			      ? config_backend_index(generation->config, message->backend)
			      : -1;
	struct ipc_dialed answer = { .request = message->request,
		.generation = number,
		.backend = (uint16_t)backend,
		.member = message->member };

	/* The front that core means may be gone, and another be there in its place. */
	if (front->pid != (pid_t)message->pid)
		return;
	drop_earlier(dialer, front, message->session);
	if (backend < 0 || !is_mailbox(generation->config, (unsigned)backend))
		reply(front, &answer, -1, EINVAL);
	else
		begin(dialer, front, message->session, generation, &answer);
}

void dial_web(struct worker *front, const struct ipc_dial_web *message)
{
	struct worker *web = crew_web(front->parent->crew);
	struct ipc_message told = { .type = IPC_WEB_CLIENT };
	struct ipc_dialed answer = { .request = message->request };
	enum gp_err err = GP_OK;
	int fds[2];

	if (web->state != WORKER_UP) {
		reply(front, &answer, -1, ECONNREFUSED);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
		reply(front, &answer, -1, errno);
		return;
	}
	told.web_client = (struct ipc_web_client){ .client = message->client,
		.client_port = message->client_port };
	/* Not worker_send(): a portal that is slow is no broken one. */
	err = web->chan != NULL ? chan_send(web->chan, &told, fds[1]) : GP_ERR_CLOSED;
	reply(front, &answer, err == GP_OK ? fds[0] : -1,
		err == GP_OK         ? 0
		: err == GP_ERR_BUSY ? EAGAIN
				     : ECONNREFUSED);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
