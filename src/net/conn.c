/* SPDX-License-Identifier: ISC */
/*
 * A connection's phases, and the function behind each edge:
 *
 *	PLAIN --[starttls]--> LAST_PLAIN --[flush_last_plain]--> HANDSHAKE --[on_handshake]--> TLS
 *
 * LAST_PLAIN sends what was written before the handshake; HANDSHAKE may send some of what was
 * written since then (say_early()). From any phase: conn_finish() (nothing
 * more is read for the owner), set_end() (the socket rests, on_closed() is due) and conn_free().
 * Here are the owner's calls; conn_io.c has what the loop calls.
 */
#include "net/conn.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "net/conn_private.h"

enum {
	CONN_DIRECT_MIN = 16384, /* a write of this size does not wait for others */
};

struct conn *conn_new(struct loop *loop, int *fd, const struct conn_ops *ops, void *owner,
	size_t input_max, size_t output_max)
{
	struct conn *conn = mem_new(1, sizeof *conn);

	conn->loop = loop;
	conn->fd = *fd;
	*fd = -1;
	conn->ops = ops;
	conn->owner = owner;
	conn->read_waits = LOOP_READ;
	buf_init_secret(&conn->input, input_max);
	buf_init_secret(&conn->output, output_max);
	conn_io_start(conn);
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
	conn_io_defer(conn);
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
	conn_io_defer(conn);
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
		conn_io_defer(conn);
}

void conn_pause(struct conn *conn)
{
	conn->is_paused = true;
}

void conn_resume(struct conn *conn)
{
	conn->is_paused = false;
	conn->must_tell = true;
	conn_io_defer(conn);
}

enum gp_err conn_write(struct conn *conn, struct slice bytes)
{
	if (conn->has_ended || conn->is_finishing)
		return GP_ERR_CLOSED;
	if (bytes.len > buf_room(&conn->output))
		return GP_ERR_LIMIT;
	if (bytes.len >= CONN_DIRECT_MIN && conn->output.len == 0 &&
		(conn->phase == PHASE_PLAIN || conn->phase == PHASE_TLS))
		bytes = slice_from(bytes, conn_io_send(conn, bytes));
	if (conn->has_ended || bytes.len == 0)
		return GP_OK;
	GP_ASSERT(buf_append(&conn->output, bytes) == GP_OK);
	if (conn->output.len > CONN_HIGH_WATER / 2)
		conn->was_high = true;
	if (conn->write_waits != 0)
		conn_io_update_wanted(conn);
	else
		conn_io_defer(conn);
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
	conn_io_defer(conn);
}

static enum gp_err starttls(struct conn *conn)
{
	GP_ASSERT(conn->phase == PHASE_PLAIN);
	conn->phase = PHASE_LAST_PLAIN;
	conn->plain_left = (unsigned)conn->output.len;
	conn_io_defer(conn);
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

void conn_allow_early(struct conn *conn)
{
	GP_ASSERT(conn->phase == PHASE_LAST_PLAIN);
	conn->early_left = (unsigned)conn->output.len - conn->plain_left;
	if (conn->early_left > 0)
		tls_stream_set_early(conn->tls);
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
