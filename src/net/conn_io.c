/* SPDX-License-Identifier: ISC */
/*
 * Received bytes land in one scratch area of the process and are shown to the owner there; only
 * what it leaves is copied into a buffer of its own. So an idle connection holds no buffer, and a
 * relayed byte is copied as seldom as can be. Small writes wait for the end of the loop's turn and
 * leave together; large ones go straight from the caller's memory.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/mem.h"
#include "net/conn_private.h"

enum {
	/* Most that is read of one connection in one turn: four whole records of TLS. */
	CONN_SCRATCH = 64 * 1024,
	/* The same without TLS. A little less: with what TLS adds to it when it is passed on, it
	 * still fits the largest packet that the kernel hands down in one piece. */
	CONN_SCRATCH_PLAIN = CONN_SCRATCH - 512,
};

/* What a send or receive came to. */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_BLOCKED,
	OUTCOME_ENDED
};

static char scratch[CONN_SCRATCH];

static void run_task(struct loop_task *task);
static void flush(struct conn *conn);

void conn_io_defer(struct conn *conn)
{
	loop_defer(conn->loop, &conn->task, run_task, conn);
}

static bool may_read(const struct conn *conn)
{
	return (conn->phase == PHASE_PLAIN || conn->phase == PHASE_TLS) && !conn->is_paused &&
	       !conn->has_eof && !conn->is_finishing && !conn->has_ended && !conn->is_dead &&
	       buf_room(&conn->input) > 0;
}

static unsigned wanted(const struct conn *conn)
{
	unsigned want = conn->write_waits;

	if (conn->has_ended)
		return 0;
	if (conn->is_finishing)
		return conn->has_eof ? want : want | LOOP_READ;
	if (conn->phase == PHASE_HANDSHAKE || may_read(conn))
		want |= conn->read_waits;
	return want;
}

/* Reading that is not wanted for a moment stays registered: most often the next bytes come after
 * the owner has resumed, and two system calls are saved. on_ready() drops it when it fires. */
void conn_io_update_wanted(struct conn *conn)
{
	if (!conn->has_ended && !conn->is_dead)
		loop_io_want(&conn->io, wanted(conn) | (conn->io.wanted & LOOP_READ));
}

static void set_end(struct conn *conn, enum conn_end end)
{
	if (conn->has_ended || conn->is_dead)
		return;
	conn->has_ended = true;
	conn->end = end;
	loop_io_stop(&conn->io);
	loop_timer_clear(&conn->timer);
	conn_io_defer(conn);
}

static enum outcome end_by_step(struct conn *conn, enum tls_step step, unsigned *waits)
{
	switch (step) {
	case TLS_STEP_DONE:
		return OUTCOME_DONE;
	case TLS_STEP_WANT_READ:
		*waits = LOOP_READ;
		return OUTCOME_BLOCKED;
	case TLS_STEP_WANT_WRITE:
		*waits = LOOP_WRITE;
		return OUTCOME_BLOCKED;
	case TLS_STEP_EOF:
		conn->has_eof = true;
		return OUTCOME_ENDED;
	case TLS_STEP_RESET:
		set_end(conn, CONN_END_RESET);
		return OUTCOME_ENDED;
	case TLS_STEP_FAILED:
		set_end(conn, CONN_END_TLS);
		return OUTCOME_ENDED;
	case TLS_STEP_PLAIN:
		set_end(conn, CONN_END_PLAIN_ON_TLS);
		return OUTCOME_ENDED;
	case TLS_STEP_HTTP:
		set_end(conn, CONN_END_HTTP_ON_TLS);
		return OUTCOME_ENDED;
	case TLS_STEP_EARLY:
		break;
	}
	GP_ASSERT(!"a step that ends a call");
	return OUTCOME_ENDED;
}

/* Reading. */

static enum outcome receive_plain(struct conn *conn, size_t room, size_t *ret_len)
{
	ssize_t n;

	if (room > CONN_SCRATCH_PLAIN)
		room = CONN_SCRATCH_PLAIN;
	do {
		n = recv(conn->fd, scratch + *ret_len, room - *ret_len, 0);
		if (n > 0)
			*ret_len += (size_t)n;
	} while (n > 0 && conn->is_ending && *ret_len < room);
	if (n > 0)
		return OUTCOME_BLOCKED; /* if there is more, the loop will say so */
	if (n == 0)
		conn->has_eof = true;
	else if (errno == EAGAIN || errno == EINTR)
		return OUTCOME_BLOCKED;
	else
		set_end(conn, CONN_END_RESET);
	return OUTCOME_ENDED;
}

static enum outcome receive_tls(struct conn *conn, size_t room, size_t *ret_len)
{
	size_t len = 0;
	enum outcome outcome = OUTCOME_DONE;

	conn->read_waits = LOOP_READ;
	while (outcome == OUTCOME_DONE && len < room) {
		size_t n = 0;

		outcome =
			end_by_step(conn, tls_stream_read(conn->tls, scratch + len, room - len, &n),
				&conn->read_waits);
		len += n;
		/* Else OpenSSL would go all the way to find that out. */
		if (outcome == OUTCOME_DONE && tls_stream_is_exhausted(conn->tls))
			outcome = OUTCOME_BLOCKED;
	}
	tls_stream_set_readable(conn->tls, false);
	*ret_len = len;
	return outcome;
}

static void call_on_input(struct conn *conn)
{
	conn->must_tell = false;
	conn->ops->on_input(conn, conn->owner);
	if (conn->view.len > 0 && !conn->is_dead)
		GP_ASSERT(buf_append(&conn->input, conn->view) == GP_OK);
	conn->view = slice_of(NULL, 0);
	if (!conn->is_dead)
		buf_trim(&conn->input);
}

static void deliver(struct conn *conn, size_t len)
{
	struct slice got = slice_of(scratch, len);

	if (conn->input.len > 0)
		GP_ASSERT(buf_append(&conn->input, got) == GP_OK);
	else
		conn->view = got;
	call_on_input(conn);
	mem_wipe(scratch, len);
}

/* One helping from the socket, then what TLS still has inside. Returns how much came. */
static size_t read_input(struct conn *conn)
{
	enum outcome outcome = OUTCOME_DONE;
	size_t total = 0;

	while (outcome != OUTCOME_ENDED && may_read(conn)) {
		size_t room = buf_room(&conn->input);
		size_t len = 0;

		if (room > sizeof scratch)
			room = sizeof scratch;
		outcome = conn->phase == PHASE_TLS ? receive_tls(conn, room, &len)
						   : receive_plain(conn, room, &len);
		total += len;
		/* Our owner learns of it before others send what on_input() writes to them: it may
		 * have a goodbye to add. */
		if (conn->has_eof)
			conn_io_defer(conn);
		if (len > 0)
			deliver(conn, len);
		if (len == 0 || conn->phase != PHASE_TLS || !tls_stream_has_more(conn->tls))
			break;
	}
	return total;
}

/* While finishing, bytes are of no interest, only the end is. */
static void discard_input(struct conn *conn)
{
	ssize_t n;

	do {
		n = recv(conn->fd, scratch, sizeof scratch, 0);
		if (n > 0)
			mem_wipe(scratch, (size_t)n);
	} while (n > 0 && conn->is_ending);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn->has_eof = true;
	if (conn->has_eof && conn->is_shut)
		set_end(conn, CONN_END_EOF);
}

/* Writing. */

static enum outcome send_plain(struct conn *conn, struct slice bytes, size_t *ret_sent)
{
	/* The FIN that follows shares a segment with the last of it. */
	int flags = conn->is_finishing ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
	ssize_t n = send(conn->fd, bytes.data, bytes.len, flags);

	if (n >= 0) {
		*ret_sent = (size_t)n;
		return OUTCOME_DONE;
	}
	if (errno == EAGAIN || errno == EINTR) {
		conn->write_waits = LOOP_WRITE;
		return OUTCOME_BLOCKED;
	}
	set_end(conn, CONN_END_RESET);
	return OUTCOME_ENDED;
}

static enum outcome send_tls(struct conn *conn, struct slice bytes, size_t *ret_sent)
{
	enum tls_step step = tls_stream_write(conn->tls, bytes, ret_sent);

	/* Only reading ends in EOF; a write that meets one has failed. */
	if (step == TLS_STEP_EOF)
		step = TLS_STEP_RESET;
	return end_by_step(conn, step, &conn->write_waits);
}

size_t conn_io_send(struct conn *conn, struct slice bytes)
{
	size_t total = 0;
	enum outcome outcome = OUTCOME_DONE;

	conn->write_waits = 0;
	while (outcome == OUTCOME_DONE && total < bytes.len) {
		size_t n = 0;

		outcome = conn->phase == PHASE_TLS ? send_tls(conn, slice_from(bytes, total), &n)
						   : send_plain(conn, slice_from(bytes, total), &n);
		total += n;
	}
	return total;
}

static void shut(struct conn *conn)
{
	if (conn->phase == PHASE_TLS) {
		enum tls_step step = tls_stream_shutdown(conn->tls);

		/* That the goodbye itself fails is no event. */
		if (step == TLS_STEP_WANT_WRITE) {
			conn->write_waits = LOOP_WRITE;
			return;
		}
	}
	conn->write_waits = 0;
	(void)shutdown(conn->fd, SHUT_WR);
	conn->is_shut = true;
	if (conn->has_eof)
		set_end(conn, CONN_END_EOF);
	else
		loop_timer_set(&conn->timer, CONN_LINGER_MS);
}

/* What TLS has held back, for one segment of it. */
static void send_held(struct conn *conn)
{
	conn->write_waits = 0;
	(void)end_by_step(conn, tls_stream_flush(conn->tls), &conn->write_waits);
}

static void say_early(struct conn *conn)
{
	struct slice bytes = slice_head(buf_slice(&conn->output), conn->early_left);
	size_t n = 0;

	/* What does not go now is said when the handshake is over. */
	if (tls_stream_write(conn->tls, bytes, &n) == TLS_STEP_DONE)
		buf_consume(&conn->output, n);
	buf_trim(&conn->output);
}

static enum tls_step shake_hands(struct conn *conn)
{
	enum tls_step step = tls_stream_handshake(conn->tls);

	if (step != TLS_STEP_EARLY)
		return step;
	say_early(conn);
	return tls_stream_handshake(conn->tls);
}

/*
 * Nothing of ours is on its way that would acknowledge the end of the handshake, so the kernel
 * would wait some 40 ms for it; and as long a client with Nagle's algorithm (RFC 896) would keep
 * its first command. Not of TCP (tests): no harm.
 */
static void acknowledge(const struct conn *conn)
{
	const int now = 1;

	(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof now);
}

static void on_handshake(struct conn *conn)
{
	enum outcome outcome = end_by_step(conn, shake_hands(conn), &conn->read_waits);

	if (outcome == OUTCOME_ENDED && conn->has_eof)
		set_end(conn, CONN_END_EOF);
	if (outcome != OUTCOME_DONE) {
		send_held(conn);
		return;
	}
	conn->phase = PHASE_TLS;
	conn->read_waits = LOOP_READ;
	conn->ops->on_tls(conn, conn->owner);
	if (conn->is_dead || conn->has_ended)
		return;
	/* The peer's first bytes may have come along with its last of the handshake. */
	if (read_input(conn) == 0 && !conn->is_dead && !conn->has_ended && !conn->is_finishing &&
		conn->output.len == 0 && !tls_stream_has_held(conn->tls))
		acknowledge(conn);
	if (!conn->is_dead)
		conn_io_defer(conn);
}

static void flush_last_plain(struct conn *conn)
{
	size_t sent = conn_io_send(conn, slice_head(buf_slice(&conn->output), conn->plain_left));

	buf_consume(&conn->output, sent);
	conn->plain_left -= (unsigned)sent;
	if (conn->plain_left > 0 || conn->has_ended)
		return;
	conn->phase = PHASE_HANDSHAKE;
	on_handshake(conn);
}

static void tell_drained(struct conn *conn, size_t before)
{
	bool has_fallen = conn->was_high && conn->output.len <= CONN_HIGH_WATER / 2;

	if (has_fallen)
		conn->was_high = false;
	if ((has_fallen || (before > 0 && conn->output.len == 0)) && !conn->is_finishing &&
		!conn->has_ended)
		conn->ops->on_drained(conn, conn->owner);
}

static void flush(struct conn *conn)
{
	size_t before = conn->phase != PHASE_HANDSHAKE ? conn->output.len : 0;

	if (conn->phase == PHASE_LAST_PLAIN) {
		flush_last_plain(conn);
		return;
	}
	conn->write_waits = 0;
	if (before > 0) {
		/* For the goodbye, which goes along. */
		if (conn->is_finishing && conn->tls != NULL)
			tls_stream_hold(conn->tls);
		buf_consume(&conn->output, conn_io_send(conn, buf_slice(&conn->output)));
		buf_trim(&conn->output);
	}
	if (conn->is_finishing && !conn->is_shut && !conn->has_ended &&
		(conn->output.len == 0 || conn->phase == PHASE_HANDSHAKE))
		shut(conn);
	else if (conn->tls != NULL && conn->write_waits == 0 && !conn->has_ended)
		send_held(conn);
	tell_drained(conn, before);
}

/* Entries from the loop. */

static void on_ready(struct loop_io *io, unsigned ready)
{
	struct conn *conn = io->owner;

	if ((ready & LOOP_READ) != 0 && (wanted(conn) & LOOP_READ) == 0) {
		loop_io_want(io, wanted(conn));
		ready &= ~(unsigned)LOOP_READ;
	}
	conn->is_ending |= (ready & LOOP_END) != 0;
	if ((ready & LOOP_READ) != 0 && conn->tls != NULL)
		tls_stream_set_readable(conn->tls, true);
	if ((ready & conn->write_waits) != 0)
		flush(conn);
	if (conn->is_dead || conn->has_ended)
		return;
	if (conn->is_finishing && (ready & LOOP_READ) != 0)
		discard_input(conn);
	else if (conn->phase == PHASE_HANDSHAKE && (ready & conn->read_waits) != 0)
		on_handshake(conn);
	else if ((ready & conn->read_waits) != 0)
		read_input(conn);
	conn_io_update_wanted(conn);
}

static void on_timer(struct loop_timer *timer)
{
	struct conn *conn = timer->owner;

	set_end(conn, conn->is_shut ? CONN_END_EOF : CONN_END_TIMEOUT);
}

static void bury(struct conn *conn)
{
	tls_stream_free(&conn->tls);
	buf_fini(&conn->input);
	buf_fini(&conn->output);
	mem_free(conn);
}

static void run_task(struct loop_task *task)
{
	struct conn *conn = task->owner;

	if (conn->must_tell && !conn->is_paused && !conn->has_ended && !conn->is_dead &&
		conn->input.len > 0)
		call_on_input(conn);
	if (conn->phase == PHASE_TLS && may_read(conn) && tls_stream_has_more(conn->tls))
		read_input(conn);
	/* What is blocked goes on when the socket says so. */
	if (conn->write_waits == 0 && !conn->has_ended && !conn->is_dead)
		flush(conn);
	/* A paused owner still has input to see before it learns of the end, one that has just
	 * gone on has output to send. */
	if (conn->has_eof && !conn->is_paused && !conn->is_finishing && !conn->task.is_queued)
		set_end(conn, CONN_END_EOF);
	conn_io_update_wanted(conn);
	if (conn->has_ended && !conn->was_told && !conn->is_dead) {
		conn->was_told = true;
		conn->ops->on_closed(conn, conn->end, conn->owner);
	}
	if (conn->is_dead && !conn->task.is_queued)
		bury(conn);
}

void conn_io_start(struct conn *conn)
{
	loop_timer_init(conn->loop, &conn->timer, on_timer, conn);
	loop_io_start(conn->loop, &conn->io, conn->fd, LOOP_READ, on_ready, conn);
}
