/* SPDX-License-Identifier: ISC */
/*
 * What is sent goes out at once (of a channel that gathers: at the end of the turn) if the kernel
 * takes it and nothing waits before it; else it is queued, with a duplicate of its descriptor,
 * until the socket is writable.
 *
 * on_end is called from reading only: a peer that went away is first read to the end, so that its
 * last words are heard, and an error of sending shuts the socket down and so becomes an end of
 * reading.
 */
#include "ipc/chan.h"

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
#include "ipc/packet.h"

enum {
	BUNDLE = 255,    /* first byte of a bundle; no type of message */
	LENGTH_SIZE = 2, /* before each message of a bundle, little-endian */
};
_Static_assert(
	(int)IPC_TYPE_MAX <= (int)BUNDLE, "a bundle is told from a message by its first byte");

struct chan {
	struct loop *loop;
	struct loop_io io;
	int fd;
	enum ipc_role self;
	enum ipc_role peer;
	const struct chan_ops *ops;
	void *owner;
	bool is_paused;
	bool is_late;    /* the rest waits for next_turn */
	bool is_reading; /* in on_readable(): chan_free() only marks */
	bool is_ended;
	bool is_freed;
	bool is_closed; /* chan_free() is through; memory waits for the tasks */
	bool is_gathering;
	bool is_shut;                 /* the peer takes no more; reading will show its end */
	void (*on_push)(void *owner); /* may be NULL */
	struct loop_task push;        /* at the end of the turn */
	struct loop_timer late;       /* when what nobody waits for leaves at the latest */
	struct loop_timer next_turn;  /* when the rest is read on, after a batch that took long */
	struct loop_task rest;        /* of what has arrived, when a batch ended before it */
	struct buf scratch;           /* a message on its way out */
	struct buf gathered;          /* a bundle on its way out */
	unsigned gathered_count;
	struct packet_list queue;   /* waits for the peer */
	size_t queued;              /* bytes in it */
	struct packet_list arrived; /* to be read yet */
	enum gp_err socket;         /* what packet_receive() said of it */
	struct slice bundle;        /* what is left of the first one, if it is a bundle */
};

static void on_ready(struct loop_io *io, unsigned ready);
static void on_late(struct loop_timer *timer);
static void on_next_turn(struct loop_timer *timer);
static void run_rest(struct loop_task *task);

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
	STAILQ_INIT(&chan->arrived);
	buf_init_secret(&chan->scratch, IPC_PACKET_MAX);
	buf_init_secret(&chan->gathered, 1 + LENGTH_SIZE + IPC_PACKET_MAX);
	loop_timer_init(loop, &chan->late, on_late, chan);
	loop_timer_init(loop, &chan->next_turn, on_next_turn, chan);
	loop_io_start(loop, &chan->io, chan->fd, LOOP_READ, on_ready, chan);
	*fd = -1;
	return chan;
}

static void drop_queue(struct chan *chan)
{
	packet_drop_all(&chan->queue);
	chan->queued = 0;
}

/* A task that is queued still runs. */
static void bury(struct chan *chan)
{
	if (!chan->push.is_queued && !chan->rest.is_queued)
		mem_free(chan);
}

void chan_free(struct chan **pchan)
{
	struct chan *chan = *pchan;

	*pchan = NULL;
	if (chan == NULL)
		return;
	if (!chan->is_freed)
		chan_push(chan);
	chan->is_freed = true;
	if (chan->is_reading)
		return;
	loop_io_stop(&chan->io);
	loop_timer_fini(&chan->late);
	loop_timer_fini(&chan->next_turn);
	drop_queue(chan);
	packet_drop_all(&chan->arrived);
	buf_fini(&chan->scratch);
	buf_fini(&chan->gathered);
	(void)close(chan->fd);
	chan->is_closed = true;
	bury(chan);
}

bool chan_has_more(const struct chan *chan)
{
	const struct packet *first = STAILQ_FIRST(&chan->arrived);

	return chan->bundle.len > 0 || (first != NULL && STAILQ_NEXT(first, link) != NULL);
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
	if (!STAILQ_EMPTY(&chan->arrived) && !chan->is_reading)
		loop_defer(chan->loop, &chan->rest, run_rest, chan);
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
		chan->queued -= packet->len;
		packet_drop(&chan->queue);
	}
	return GP_OK;
}

static enum gp_err queue_packet(struct chan *chan, struct slice bytes, int fd)
{
	struct packet *packet = NULL;
	int copy = -1;

	if (chan->queued + bytes.len > CHAN_QUEUE_MAX)
		return GP_ERR_BUSY;
	if (fd >= 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && copy < 0)
		return GP_ERR_BUSY;
	packet = packet_new(bytes.len);
	packet->fd = copy;
	packet->len = bytes.len;
	memcpy(packet->bytes, bytes.data, bytes.len);
	STAILQ_INSERT_TAIL(&chan->queue, packet, link);
	chan->queued += packet->len;
	return GP_OK;
}

static enum gp_err send_or_queue(struct chan *chan, struct slice packet, int fd)
{
	enum gp_err err = GP_ERR_AGAIN;

	if (STAILQ_EMPTY(&chan->queue))
		err = send_packet(chan, packet, fd);
	if (err == GP_ERR_AGAIN)
		err = queue_packet(chan, packet, fd);
	update_wanted(chan);
	return err;
}

void chan_push(struct chan *chan)
{
	struct slice packet = buf_slice(&chan->gathered);

	if (packet.len == 0 || chan->is_ended || chan->is_shut)
		return;
	if (chan->on_push != NULL)
		chan->on_push(chan->owner);
	if (chan->gathered_count == 1) /* no bundle */
		packet = slice_from(packet, 1 + LENGTH_SIZE);
	/* Room in the queue was seen to in gather(). */
	chan->is_shut = send_or_queue(chan, packet, -1) == GP_ERR_CLOSED;
	if (chan->is_shut)
		return;
	buf_clear(&chan->gathered);
	chan->gathered_count = 0;
	loop_timer_clear(&chan->late);
}

static void on_late(struct loop_timer *timer)
{
	chan_push(timer->owner);
}

static void run_push(struct loop_task *task)
{
	struct chan *chan = task->owner;

	if (chan->is_closed)
		bury(chan);
	else
		chan_push(chan);
}

static enum gp_err gather(struct chan *chan, struct slice message, bool may_wait)
{
	const char length[LENGTH_SIZE] = { (char)(message.len & 0xff), (char)(message.len >> 8) };
	struct buf *gathered = &chan->gathered;
	enum gp_err err = GP_OK;

	if (chan->queued + gathered->len + message.len > CHAN_QUEUE_MAX)
		return GP_ERR_BUSY;
	if (gathered->len > 0 && gathered->len + sizeof length + message.len > IPC_PACKET_MAX)
		chan_push(chan);
	if (chan->is_shut)
		return GP_ERR_CLOSED;
	if (gathered->len == 0)
		err = buf_append_byte(gathered, (char)BUNDLE);
	if (err == GP_OK)
		err = buf_append(gathered, slice_of(length, sizeof length));
	if (err == GP_OK)
		err = buf_append(gathered, message);
	GP_ASSERT(err == GP_OK);
	chan->gathered_count++;
	if (!may_wait)
		loop_defer_last(chan->loop, &chan->push, run_push, chan);
	else if (!loop_timer_is_set(&chan->late))
		loop_timer_set(&chan->late, CHAN_LATE_MS);
	return GP_OK;
}

void chan_gather(struct chan *chan, void (*on_push)(void *owner))
{
	chan->is_gathering = true;
	chan->on_push = on_push;
}

static enum gp_err send_message(
	struct chan *chan, const struct ipc_message *message, int fd, bool may_wait)
{
	enum gp_err err;

	GP_ASSERT(ipc_is_permitted(message->type, chan->self, chan->peer));
	if (chan->is_ended || chan->is_freed || chan->is_shut)
		return GP_ERR_CLOSED;
	err = ipc_encode(message, &chan->scratch);
	if (err == GP_OK && chan->is_gathering && fd < 0) {
		err = gather(chan, buf_slice(&chan->scratch), may_wait);
	} else if (err == GP_OK) {
		chan_push(chan);
		err = send_or_queue(chan, buf_slice(&chan->scratch), fd);
	}
	buf_clear(&chan->scratch);
	return err;
}

enum gp_err chan_send(struct chan *chan, const struct ipc_message *message, int fd)
{
	return send_message(chan, message, fd, false);
}

enum gp_err chan_send_later(struct chan *chan, const struct ipc_message *message)
{
	return send_message(chan, message, -1, true);
}

enum gp_err chan_flush(struct chan *chan, int64_t ms)
{
	int64_t end = clock_steady() + ms;
	enum gp_err err;

	if (chan->is_ended || chan->is_freed)
		return GP_ERR_CLOSED;
	chan_push(chan);
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

/* bytes: of packet, whose descriptor the handler may take. */
static void dispatch(struct chan *chan, struct packet *packet, struct slice bytes)
{
	struct ipc_message message;
	enum gp_err err = ipc_decode(bytes, &message);
	bool is_taken = false;

	if (err != GP_OK)
		report_attack(chan, "malformed", "?");
	else if (!ipc_is_permitted(message.type, chan->peer, chan->self))
		report_attack(chan, "not permitted", ipc_type_name(message.type));
	else
		is_taken = true;
	if (is_taken)
		chan->ops->on_message(chan, &message, &packet->fd, chan->owner);
	else
		end(chan, CHAN_END_ATTACK);
	/* The rest of the packet may wait. */
	if (is_taken && ipc_is_secret(message.type))
		mem_wipe(packet->bytes + (bytes.data - packet->bytes), bytes.len);
}

/* The next message of the bundle. */
static void unwrap(struct chan *chan, struct packet *packet)
{
	const unsigned char *length = (const unsigned char *)chan->bundle.data;
	bool has_length = chan->bundle.len > LENGTH_SIZE;
	struct slice rest = slice_from(chan->bundle, has_length ? LENGTH_SIZE : chan->bundle.len);
	size_t len = has_length ? (size_t)(length[0] | length[1] << 8) : 0;

	if (len == 0 || len > rest.len) {
		chan->bundle = slice_of(NULL, 0);
		report_attack(chan, "broken bundle", "?");
		end(chan, CHAN_END_ATTACK);
		return;
	}
	chan->bundle = slice_from(rest, len);
	dispatch(chan, packet, slice_head(rest, len));
}

static void read_packet(struct chan *chan, struct packet *packet)
{
	struct slice bytes = slice_of(packet->bytes, packet->len);

	if (chan->bundle.len == 0 && packet->fd < 0 && bytes.len > 1 &&
		(unsigned char)bytes.data[0] == BUNDLE)
		chan->bundle = slice_from(bytes, 1);
	if (packet->is_broken) {
		report_attack(chan, "packet too long or several descriptors", "?");
		end(chan, CHAN_END_ATTACK);
	} else if (chan->bundle.len > 0) {
		unwrap(chan, packet);
	} else {
		dispatch(chan, packet, bytes);
	}
}

/* One message; false: nothing more to read now. */
static bool read_one(struct chan *chan)
{
	if (chan->is_paused || chan->is_ended || chan->is_freed)
		return false;
	if (STAILQ_EMPTY(&chan->arrived) && chan->socket == GP_OK)
		chan->socket = packet_receive(chan->fd, &chan->arrived);
	if (!STAILQ_EMPTY(&chan->arrived)) {
		read_packet(chan, STAILQ_FIRST(&chan->arrived));
		if (chan->bundle.len == 0)
			packet_drop(&chan->arrived);
		return true;
	}
	if (chan->socket == GP_ERR_CLOSED)
		end(chan, CHAN_END_CLOSED);
	return false;
}

static bool may_read_more(const struct chan *chan)
{
	return !STAILQ_EMPTY(&chan->arrived) || chan->socket != GP_ERR_AGAIN;
}

/* Who works long on each message hears others before the next one: they ask whether it is alive. */
static void defer_rest(struct chan *chan, bool is_slow)
{
	chan->is_late = is_slow;
	if (is_slow)
		loop_defer_last(chan->loop, &chan->rest, run_rest, chan);
	else
		loop_defer(chan->loop, &chan->rest, run_rest, chan);
}

static void read_some(struct chan *chan, size_t most, int64_t ms)
{
	int64_t end = clock_steady() + ms;

	/* Whether the socket has more is asked once a turn, or when it filled what it was given. */
	if (chan->socket == GP_ERR_AGAIN)
		chan->socket = GP_OK;
	chan->is_reading = true;
	for (size_t n = 0; n < most && read_one(chan); n++) {
		if (!may_read_more(chan) || clock_steady() >= end)
			break;
	}
	chan->is_reading = false;
	if (chan->is_freed)
		chan_free(&chan);
	else if (!STAILQ_EMPTY(&chan->arrived) && !chan->is_paused && !chan->is_ended)
		defer_rest(chan, clock_steady() >= end);
}

static void run_rest(struct loop_task *task)
{
	struct chan *chan = task->owner;

	if (chan->is_closed)
		bury(chan);
	else if (chan->is_late)
		loop_timer_set(&chan->next_turn, 0);
	else
		read_some(chan, CHAN_BATCH, CHAN_BATCH_MS);
}

static void on_next_turn(struct loop_timer *timer)
{
	struct chan *chan = timer->owner;

	chan->is_late = false;
	read_some(chan, CHAN_BATCH, CHAN_BATCH_MS);
}

void chan_each_unsent(
	struct chan *chan, void (*visit)(const struct ipc_message *message, void *owner))
{
	struct slice rest = slice_from(buf_slice(&chan->gathered), chan->gathered.len > 0);

	while (rest.len > 0) {
		const unsigned char *length = (const unsigned char *)rest.data;
		size_t len = (size_t)(length[0] | length[1] << 8);
		struct ipc_message message;

		rest = slice_from(rest, LENGTH_SIZE);
		GP_ASSERT(ipc_decode(slice_head(rest, len), &message) == GP_OK);
		rest = slice_from(rest, len);
		visit(&message, chan->owner);
	}
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
	/* What is there already comes first, and no more than a batch in a turn. */
	if (!chan->is_late)
		read_some(chan, CHAN_BATCH, CHAN_BATCH_MS);
}
