/* SPDX-License-Identifier: ISC */
/*
 * What is sent goes out at once if the kernel takes it and nothing waits before it; else it is
 * queued, with a duplicate of its descriptor, until the socket is writable.
 *
 * on_end is called from reading only: a peer that went away is first read to the end, so that its
 * last words are heard, and an error of sending shuts the socket down and so becomes an end of
 * reading.
 */
#include "ipc/chan.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	CONTROL_FDS = 4, /* room for more than the one that is allowed, to see and close them */
};

struct packet {
	STAILQ_ENTRY(packet) link;
	int fd;
	size_t len;
	char bytes[];
};

struct chan {
	struct loop *loop;
	struct loop_io io;
	int fd;
	enum ipc_role self;
	enum ipc_role peer;
	const struct chan_ops *ops;
	void *owner;
	bool is_paused;
	bool is_reading; /* in on_readable(): chan_free() only marks */
	bool is_ended;
	bool is_freed;
	struct buf scratch; /* a packet on its way out */
	STAILQ_HEAD(packets, packet) queue;
	size_t queued;               /* bytes in it */
	char packet[IPC_PACKET_MAX]; /* the one on its way in */
};

static void on_ready(struct loop_io *io, unsigned ready);

enum gp_err chan_pair(int ret_fds[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return GP_ERR_IO;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return GP_OK;
}

struct chan *chan_new(struct loop *loop, int *fd, enum ipc_role self, enum ipc_role peer,
	const struct chan_ops *ops, void *owner)
{
	struct chan *chan = mem_new(1, sizeof *chan);

	chan->loop = loop;
	chan->fd = *fd;
	chan->self = self;
	chan->peer = peer;
	chan->ops = ops;
	chan->owner = owner;
	STAILQ_INIT(&chan->queue);
	buf_init_secret(&chan->scratch, IPC_PACKET_MAX);
	loop_io_start(loop, &chan->io, chan->fd, LOOP_READ, on_ready, chan);
	*fd = -1;
	return chan;
}

static void packet_free(struct chan *chan, struct packet *packet)
{
	STAILQ_REMOVE_HEAD(&chan->queue, link);
	chan->queued -= packet->len;
	if (packet->fd >= 0)
		(void)close(packet->fd);
	mem_wipe(packet->bytes, packet->len);
	mem_free(packet);
}

static void drop_queue(struct chan *chan)
{
	while (!STAILQ_EMPTY(&chan->queue))
		packet_free(chan, STAILQ_FIRST(&chan->queue));
}

void chan_free(struct chan **pchan)
{
	struct chan *chan = *pchan;

	*pchan = NULL;
	if (chan == NULL)
		return;
	chan->is_freed = true;
	if (chan->is_reading)
		return;
	loop_io_stop(&chan->io);
	drop_queue(chan);
	buf_fini(&chan->scratch);
	(void)close(chan->fd);
	mem_wipe(chan->packet, sizeof chan->packet);
	mem_free(chan);
}

int chan_fd(const struct chan *chan)
{
	return chan->fd;
}

static void update_wanted(struct chan *chan)
{
	unsigned wanted = 0;

	if (chan->is_ended || chan->is_freed)
		return;
	if (!chan->is_paused)
		wanted |= LOOP_READ;
	if (!STAILQ_EMPTY(&chan->queue))
		wanted |= LOOP_WRITE;
	if (wanted != chan->io.wanted)
		loop_io_want(&chan->io, wanted);
}

void chan_pause(struct chan *chan)
{
	chan->is_paused = true;
	update_wanted(chan);
}

void chan_resume(struct chan *chan)
{
	chan->is_paused = false;
	update_wanted(chan);
}

/* Sending. */

/* GP_ERR_AGAIN: not now. GP_ERR_CLOSED: never again. Without a descriptor by send(2): the jail of a
 * front has no sendmsg(2), which could carry an address. */
static enum gp_err send_packet(struct chan *chan, struct slice bytes, int fd)
{
	union {
		struct cmsghdr head; /* for its alignment */
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec vector = { .iov_len = bytes.len };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
	ssize_t sent;

	memcpy(&vector.iov_base, &bytes.data, sizeof vector.iov_base);
	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	}
	do
		sent = fd >= 0 ? sendmsg(chan->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
			       : send(chan->fd, bytes.data, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return GP_OK;
	if (errno == EAGAIN)
		return GP_ERR_AGAIN;
	if (errno != EPIPE && errno != ECONNRESET)
		log_error("ipc_send_failed", LOG_STR("peer", ipc_role_name(chan->peer)), LOG_ERRNO);
	drop_queue(chan);
	(void)shutdown(chan->fd, SHUT_RDWR);
	return GP_ERR_CLOSED;
}

static enum gp_err flush_queue(struct chan *chan)
{
	while (!STAILQ_EMPTY(&chan->queue)) {
		struct packet *packet = STAILQ_FIRST(&chan->queue);
		enum gp_err err =
			send_packet(chan, slice_of(packet->bytes, packet->len), packet->fd);

		if (err != GP_OK)
			return err;
		packet_free(chan, packet);
	}
	return GP_OK;
}

static enum gp_err queue_packet(struct chan *chan, struct slice bytes, int fd)
{
	struct packet *packet = NULL;

	if (chan->queued + bytes.len > CHAN_QUEUE_MAX)
		return GP_ERR_BUSY;
	packet = mem_new(1, sizeof *packet + bytes.len);
	packet->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd >= 0 && packet->fd < 0) {
		mem_free(packet);
		return GP_ERR_BUSY;
	}
	packet->len = bytes.len;
	memcpy(packet->bytes, bytes.data, bytes.len);
	STAILQ_INSERT_TAIL(&chan->queue, packet, link);
	chan->queued += packet->len;
	return GP_OK;
}

enum gp_err chan_send(struct chan *chan, const struct ipc_message *message, int fd)
{
	enum gp_err err = GP_ERR_AGAIN;

	GP_ASSERT(ipc_is_permitted(message->type, chan->self, chan->peer));
	if (chan->is_ended || chan->is_freed)
		return GP_ERR_CLOSED;
	buf_clear(&chan->scratch);
	err = ipc_encode(message, &chan->scratch);
	if (err != GP_OK)
		return err;
	err = GP_ERR_AGAIN;
	if (STAILQ_EMPTY(&chan->queue))
		err = send_packet(chan, buf_slice(&chan->scratch), fd);
	if (err == GP_ERR_AGAIN)
		err = queue_packet(chan, buf_slice(&chan->scratch), fd);
	if (ipc_is_secret(message->type))
		buf_fini(&chan->scratch);
	update_wanted(chan);
	return err;
}

enum gp_err chan_flush(struct chan *chan, int64_t ms)
{
	int64_t end = clock_steady() + ms;
	enum gp_err err;

	if (chan->is_ended || chan->is_freed)
		return GP_ERR_CLOSED;
	while ((err = flush_queue(chan)) == GP_ERR_AGAIN) {
		struct pollfd poll_fd = { .fd = chan->fd, .events = POLLOUT };
		int64_t left = end - clock_steady();

		/* An expired poll() is the end even where the clock is a fake that stands still. */
		if (left <= 0 || poll(&poll_fd, 1, (int)left) == 0) {
			err = GP_ERR_TIMEOUT;
			break;
		}
	}
	update_wanted(chan);
	return err;
}

/* Receiving. */

/* Descriptors that came along: the first goes to *ret_fd, others are closed. False: more than one.
 */
static bool take_fds(struct msghdr *message, int *ret_fd)
{
	size_t count = 0;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
		head = CMSG_NXTHDR(message, head)) {
		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= head->cmsg_len;
			at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + at, sizeof fd);
			if (count++ == 0)
				*ret_fd = fd;
			else
				(void)close(fd);
		}
	}
	return count <= 1;
}

/* One packet into chan->packet. GP_ERR_AGAIN, GP_ERR_CLOSED, GP_ERR_PROTOCOL. */
static enum gp_err receive(struct chan *chan, struct slice *ret_packet, int *ret_fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
	} control;
	struct iovec vector = { .iov_base = chan->packet, .iov_len = sizeof chan->packet };
	struct msghdr message = { .msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	int fd = -1;
	ssize_t got;

	do
		got = recvmsg(chan->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? GP_ERR_AGAIN : GP_ERR_CLOSED;
	if (!take_fds(&message, &fd) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
		(got == 0 && fd >= 0)) {
		if (fd >= 0)
			(void)close(fd);
		return GP_ERR_PROTOCOL;
	}
	if (got == 0)
		return GP_ERR_CLOSED;
	*ret_packet = slice_of(chan->packet, (size_t)got);
	*ret_fd = fd;
	return GP_OK;
}

static void end(struct chan *chan, enum chan_end how)
{
	chan->is_ended = true;
	loop_io_want(&chan->io, 0);
	drop_queue(chan);
	chan->ops->on_end(chan, how, chan->owner);
}

static void report_attack(const struct chan *chan, const char *what, const char *type)
{
	log_error("ipc_attack", LOG_STR("peer", ipc_role_name(chan->peer)), LOG_STR("what", what),
		LOG_STR("message", type));
}

static void dispatch(struct chan *chan, struct slice packet, int fd)
{
	struct ipc_message message;
	enum gp_err err = ipc_decode(packet, &message);
	bool is_taken = false;

	if (err != GP_OK)
		report_attack(chan, "malformed", "?");
	else if (!ipc_is_permitted(message.type, chan->peer, chan->self))
		report_attack(chan, "not permitted", ipc_type_name(message.type));
	else
		is_taken = true;
	if (is_taken)
		chan->ops->on_message(chan, &message, &fd, chan->owner);
	if (!is_taken || ipc_is_secret(message.type))
		mem_wipe(chan->packet, packet.len);
	if (fd >= 0)
		(void)close(fd);
	if (!is_taken)
		end(chan, CHAN_END_ATTACK);
}

/* One message; false: nothing more to read now. */
static bool read_one(struct chan *chan)
{
	struct slice packet = { 0 };
	enum gp_err err;
	int fd = -1;

	if (chan->is_paused || chan->is_ended || chan->is_freed)
		return false;
	err = receive(chan, &packet, &fd);
	if (err == GP_ERR_AGAIN)
		return false;
	if (err == GP_OK) {
		dispatch(chan, packet, fd);
	} else if (err == GP_ERR_PROTOCOL) {
		report_attack(chan, "packet too long or several descriptors", "?");
		end(chan, CHAN_END_ATTACK);
	} else {
		end(chan, CHAN_END_CLOSED);
	}
	return true;
}

static void read_some(struct chan *chan, size_t most, int64_t ms)
{
	int64_t end = clock_steady() + ms;

	chan->is_reading = true;
	for (size_t n = 0; n < most && read_one(chan) && clock_steady() < end; n++)
		continue;
	chan->is_reading = false;
	if (chan->is_freed)
		chan_free(&chan);
}

void chan_drain(struct chan *chan)
{
	GP_ASSERT(!chan->is_reading);
	chan_resume(chan);
	read_some(chan, SIZE_MAX, INT32_MAX);
}

static void on_ready(struct loop_io *io, unsigned ready)
{
	struct chan *chan = io->owner;

	if ((ready & LOOP_WRITE) != 0) {
		/* A peer that is gone shows itself in reading. */
		(void)flush_queue(chan);
		update_wanted(chan);
		return;
	}
	read_some(chan, CHAN_BATCH, CHAN_BATCH_MS);
}
