/* SPDX-License-Identifier: ISC */
/*
 * A connection's phases, and the function behind each edge:
 *
 *	PLAIN --[starttls]--> LAST_PLAIN --[begin_handshake]--> HANDSHAKE --[on_handshake]--> TLS
 *
 * LAST_PLAIN sends what was written before the handshake. From any phase: conn_finish() (nothing
 * more is read for the owner), set_end() (the socket rests, on_closed() is due) and conn_free().
 *
 * Received bytes land in one scratch area of the process and are shown to the owner there; only
 * what it leaves is copied into a buffer of its own. So an idle connection holds no buffer, and a
 * relayed byte is copied as seldom as can be. Small writes wait for the end of the loop's turn and
 * leave together; large ones go straight from the caller's memory.
 */
#include "net/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "net/tls_stream.h"

enum {
	CONN_SCRATCH = 64 * 1024,  /* most that is read of one connection in one turn */
	CONN_DIRECT_MIN = 4096,    /* a write of this size does not wait for others */
	CONN_FLUSH_MS = 30 * 1000, /* for conn_finish() to send what waits */
};

enum phase {
	PHASE_PLAIN,
	PHASE_LAST_PLAIN,
	PHASE_HANDSHAKE,
	PHASE_TLS,
};

struct conn {
	struct loop *loop;
	const struct conn_ops *ops;
	void *owner;
	int fd;
	struct loop_io io;
	struct loop_timer timer; /* the deadline; after conn_finish() its own */
	struct loop_task task;
	struct buf input;
	struct buf output;
	struct slice view; /* input in the scratch area, while on_input() runs */
	size_t plain_left; /* LAST_PLAIN: bytes of output that go before the handshake */
	struct tls_stream *tls;
	enum phase phase;
	unsigned read_waits;  /* the LOOP_ bits that reading (and the handshake) waits for */
	unsigned write_waits; /* the same of writing; 0 while nothing is blocked */
	enum conn_end end;
	bool is_paused;
	bool must_tell; /* input may wait that the owner shall be told of */
	bool was_high;  /* the waiting output has been above half of CONN_HIGH_WATER */
	bool has_eof;
	bool is_finishing;
	bool is_shut; /* finishing, and all is sent */
	bool has_ended;
	bool was_told; /* on_closed() called */
	bool is_dead;  /* conn_free() called; the task buries it */
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

static void defer(struct conn *conn)
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
static void update_wanted(struct conn *conn)
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
	defer(conn);
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
	}
	return OUTCOME_ENDED;
}

/* Reading. */

static enum outcome receive_plain(struct conn *conn, size_t room, size_t *ret_len)
{
	ssize_t n = recv(conn->fd, scratch, room, 0);

	if (n > 0) {
		*ret_len = (size_t)n;
		return OUTCOME_BLOCKED; /* if there is more, the loop will say so */
	}
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

/* One helping from the socket, then what TLS still has inside. */
static void read_input(struct conn *conn)
{
	enum outcome outcome = OUTCOME_DONE;

	while (outcome != OUTCOME_ENDED && may_read(conn)) {
		size_t room = buf_room(&conn->input);
		size_t len = 0;

		if (room > sizeof scratch)
			room = sizeof scratch;
		outcome = conn->phase == PHASE_TLS ? receive_tls(conn, room, &len)
						   : receive_plain(conn, room, &len);
		if (len > 0)
			deliver(conn, len);
		if (len == 0 || conn->phase != PHASE_TLS || !tls_stream_has_more(conn->tls))
			break;
	}
	if (conn->has_eof)
		defer(conn);
}

/* While finishing, bytes are of no interest, only the end is. */
static void discard_input(struct conn *conn)
{
	ssize_t n = recv(conn->fd, scratch, sizeof scratch, 0);

	if (n > 0)
		mem_wipe(scratch, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		conn->has_eof = true;
	if (conn->has_eof && conn->is_shut)
		set_end(conn, CONN_END_EOF);
}

/* Writing. */

static enum outcome send_plain(struct conn *conn, struct slice bytes, size_t *ret_sent)
{
	ssize_t n = send(conn->fd, bytes.data, bytes.len, MSG_NOSIGNAL);

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

/* Sends from the front of bytes until the socket is full; returns how much went. */
static size_t send_bytes(struct conn *conn, struct slice bytes)
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

static void on_handshake(struct conn *conn)
{
	enum outcome outcome;

	outcome = end_by_step(conn, tls_stream_handshake(conn->tls), &conn->read_waits);
	if (outcome == OUTCOME_ENDED && conn->has_eof)
		set_end(conn, CONN_END_EOF);
	if (outcome != OUTCOME_DONE)
		return;
	conn->phase = PHASE_TLS;
	conn->read_waits = LOOP_READ;
	conn->ops->on_tls(conn, conn->owner);
	if (conn->is_dead || conn->has_ended)
		return;
	/* The peer's first bytes may have come along with its last of the handshake. */
	read_input(conn);
	if (conn->output.len > 0 && !conn->is_dead)
		defer(conn);
}

static void flush_last_plain(struct conn *conn)
{
	size_t sent = send_bytes(conn, slice_head(buf_slice(&conn->output), conn->plain_left));

	buf_consume(&conn->output, sent);
	conn->plain_left -= sent;
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
	size_t before = conn->output.len;

	if (conn->phase == PHASE_LAST_PLAIN) {
		flush_last_plain(conn);
		return;
	}
	if (conn->phase != PHASE_HANDSHAKE && before > 0) {
		buf_consume(&conn->output, send_bytes(conn, buf_slice(&conn->output)));
		buf_trim(&conn->output);
		tell_drained(conn, before);
	}
	if (conn->is_finishing && !conn->is_shut && !conn->has_ended && !conn->is_dead &&
		(conn->output.len == 0 || conn->phase == PHASE_HANDSHAKE))
		shut(conn);
}

/* Entries from the loop. */

static void on_ready(struct loop_io *io, unsigned ready)
{
	struct conn *conn = io->owner;

	if ((ready & LOOP_READ) != 0 && (wanted(conn) & LOOP_READ) == 0) {
		loop_io_want(io, wanted(conn));
		ready &= ~(unsigned)LOOP_READ;
	}
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
	update_wanted(conn);
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
	/* A paused owner still has input to see before it learns of the end. */
	if (conn->has_eof && !conn->is_paused && !conn->is_finishing)
		set_end(conn, CONN_END_EOF);
	update_wanted(conn);
	if (conn->has_ended && !conn->was_told && !conn->is_dead) {
		conn->was_told = true;
		conn->ops->on_closed(conn, conn->end, conn->owner);
	}
	if (conn->is_dead && !conn->task.is_queued)
		bury(conn);
}

/* For the owner. */

struct conn *conn_new(struct loop *loop, int *fd, const struct conn_ops *ops, void *owner,
	size_t input_max, size_t output_max)
{
	struct conn *conn = mem_new(1, sizeof *conn);
	int on = 1;

	conn->loop = loop;
	conn->fd = *fd;
	*fd = -1;
	conn->ops = ops;
	conn->owner = owner;
	conn->read_waits = LOOP_READ;
	buf_init_secret(&conn->input, input_max);
	buf_init_secret(&conn->output, output_max);
	/* Writes are gathered here already. Refused by UNIX sockets, which need none of it. */
	(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	loop_timer_init(loop, &conn->timer, on_timer, conn);
	loop_io_start(loop, &conn->io, conn->fd, LOOP_READ, on_ready, conn);
	return conn;
}

void conn_free(struct conn **pconn)
{
	struct conn *conn = *pconn;

	if (conn == NULL)
		return;
	*pconn = NULL;
	loop_io_stop(&conn->io);
	loop_timer_fini(&conn->timer);
	(void)close(conn->fd);
	conn->fd = -1;
	conn->is_dead = true;
	defer(conn);
}

void conn_set_owner(struct conn *conn, const struct conn_ops *ops, void *owner, size_t input_max,
	size_t output_max)
{
	size_t waiting = conn_input(conn).len;

	conn->ops = ops;
	conn->owner = owner;
	conn->input.max = input_max > waiting ? input_max : waiting;
	conn->output.max = output_max > conn->output.len ? output_max : conn->output.len;
	conn->must_tell = true;
	defer(conn);
}

struct slice conn_input(const struct conn *conn)
{
	return conn->view.len > 0 ? conn->view : buf_slice(&conn->input);
}

void conn_consume(struct conn *conn, size_t n)
{
	bool was_full = buf_room(&conn->input) == 0;

	GP_ASSERT(n <= conn_input(conn).len);
	if (conn->view.len > 0) {
		conn->view = slice_from(conn->view, n);
		return;
	}
	buf_consume(&conn->input, n);
	buf_trim(&conn->input);
	if (was_full)
		defer(conn);
}

void conn_pause(struct conn *conn)
{
	conn->is_paused = true;
}

void conn_resume(struct conn *conn)
{
	conn->is_paused = false;
	conn->must_tell = true;
	defer(conn);
}

enum gp_err conn_write(struct conn *conn, struct slice bytes)
{
	if (conn->has_ended || conn->is_finishing)
		return GP_ERR_CLOSED;
	if (bytes.len > buf_room(&conn->output))
		return GP_ERR_LIMIT;
	if (bytes.len >= CONN_DIRECT_MIN && conn->output.len == 0 &&
		(conn->phase == PHASE_PLAIN || conn->phase == PHASE_TLS))
		bytes = slice_from(bytes, send_bytes(conn, bytes));
	if (conn->has_ended || bytes.len == 0)
		return GP_OK;
	GP_ASSERT(buf_append(&conn->output, bytes) == GP_OK);
	if (conn->output.len > CONN_HIGH_WATER / 2)
		conn->was_high = true;
	if (conn->write_waits != 0)
		update_wanted(conn);
	else
		defer(conn);
	return GP_OK;
}

size_t conn_output_len(const struct conn *conn)
{
	return conn->output.len;
}

void conn_finish(struct conn *conn)
{
	if (conn->is_finishing || conn->has_ended)
		return;
	conn->is_finishing = true;
	conn->is_paused = false;
	buf_clear(&conn->input);
	conn->view = slice_of(NULL, 0);
	loop_timer_set(&conn->timer, CONN_FLUSH_MS);
	defer(conn);
}

static enum gp_err starttls(struct conn *conn)
{
	GP_ASSERT(conn->phase == PHASE_PLAIN);
	conn->phase = PHASE_LAST_PLAIN;
	conn->plain_left = conn->output.len;
	defer(conn);
	return GP_OK;
}

enum gp_err conn_starttls_server(struct conn *conn, struct tls_ctx *ctx)
{
	if (conn->has_ended || conn->is_finishing)
		return GP_ERR_CLOSED;
	if (conn_input(conn).len > 0)
		return GP_ERR_PROTOCOL;
	conn->tls = tls_stream_new_server(ctx, conn->fd);
	return starttls(conn);
}

enum gp_err conn_starttls_client(struct conn *conn, struct tls_ctx *ctx, const char *server_name)
{
	enum gp_err err;

	if (conn->has_ended || conn->is_finishing)
		return GP_ERR_CLOSED;
	if (conn_input(conn).len > 0)
		return GP_ERR_PROTOCOL;
	err = tls_stream_new_client(ctx, conn->fd, server_name, &conn->tls);
	return err == GP_OK ? starttls(conn) : err;
}

bool conn_is_tls(const struct conn *conn)
{
	return conn->phase == PHASE_TLS;
}

const char *conn_tls_version(const struct conn *conn)
{
	return conn_is_tls(conn) ? tls_stream_version(conn->tls) : "";
}

const char *conn_tls_cipher(const struct conn *conn)
{
	return conn_is_tls(conn) ? tls_stream_cipher(conn->tls) : "";
}

const char *conn_sni(const struct conn *conn)
{
	return conn->tls != NULL ? tls_stream_sni(conn->tls) : "";
}

const char *conn_tls_error(const struct conn *conn)
{
	return conn->tls != NULL ? tls_stream_error(conn->tls) : "";
}

void conn_set_deadline(struct conn *conn, int64_t ms)
{
	if (conn->is_finishing || conn->has_ended)
		return;
	if (ms > 0)
		loop_timer_set(&conn->timer, ms);
	else
		loop_timer_clear(&conn->timer);
}
