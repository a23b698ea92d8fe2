/* SPDX-License-Identifier: ISC */
#include "line.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "front/dialer.h"

enum {
	LINE_BYTES = 64 * 1024 * 1024,
};

struct conn {
	struct line *line; /* NULL: freed, until the end of the turn */
	const struct conn_ops *ops;
	void *owner;
	struct buf input;
	size_t input_max;
	size_t output_max;
	bool is_paused;
	bool is_finishing;
	bool has_news; /* input to be told of */
	bool is_ended;
	struct conn *next; /* of all that live */
};

struct line lines[LINES_MAX];
size_t lines_count;

static struct conn *conns;
static struct loop_task *tasks;

/* ---- the far ends ---- */

int line_new(void)
{
	struct line *line = &lines[lines_count];

	GP_ASSERT(lines_count < LINES_MAX);
	*line = (struct line){ .conn = NULL };
	buf_init(&line->sent, LINE_BYTES);
	buf_init(&line->got, LINE_BYTES);
	return (int)lines_count++;
}

void lines_reset(void)
{
	for (size_t i = 0; i < lines_count; i++) {
		GP_ASSERT(lines[i].conn == NULL && lines[i].dial == NULL);
		buf_fini(&lines[i].sent);
		buf_fini(&lines[i].got);
	}
	GP_ASSERT(conns == NULL && tasks == NULL);
	lines_count = 0;
}

static size_t room(const struct conn *conn)
{
	return conn->input.len < conn->input_max ? conn->input_max - conn->input.len : 0;
}

bool line_can_arrive(const struct line *line)
{
	return line->conn != NULL && !line->conn->is_paused && !line->conn->is_ended &&
	       line->sent.len > 0 && room(line->conn) > 0;
}

void line_arrive(struct line *line, size_t max)
{
	struct conn *conn = line->conn;
	struct slice bytes = buf_slice(&line->sent);

	if (max > room(conn))
		max = room(conn);
	bytes = slice_head(bytes, max);
	/* What comes behind the front's last words is read and thrown away. */
	if (!conn->is_finishing) {
		GP_ASSERT(buf_append(&conn->input, bytes) == GP_OK);
		conn->has_news = true;
	}
	buf_consume(&line->sent, bytes.len);
}

void line_take(struct line *line, struct buf *out)
{
	struct conn *conn = line->conn;

	if (line->got.len == 0)
		return;
	GP_ASSERT(buf_append(out, buf_slice(&line->got)) == GP_OK);
	buf_clear(&line->got);
	if (conn != NULL && !conn->is_ended && !conn->is_finishing)
		conn->ops->on_drained(conn, conn->owner);
}

bool line_can_close(const struct line *line)
{
	return line->conn != NULL && !line->conn->is_ended &&
	       ((line->is_closing && line->sent.len == 0 && !line->conn->is_paused) ||
		       line->is_finished);
}

void line_close(struct line *line)
{
	struct conn *conn = line->conn;

	conn->is_ended = true;
	conn->ops->on_closed(conn, CONN_END_EOF, conn->owner);
}

/* ---- net/conn.h ---- */

struct conn *conn_new(struct loop *loop, int *fd, const struct conn_ops *ops, void *owner,
	size_t input_max, size_t output_max)
{
	struct conn *conn = mem_new(1, sizeof *conn);

	(void)loop;
	conn->line = &lines[*fd];
	conn->line->conn = conn;
	conn->ops = ops;
	conn->owner = owner;
	conn->input_max = input_max;
	conn->output_max = output_max;
	buf_init(&conn->input, LINE_BYTES);
	conn->next = conns;
	conns = conn;
	*fd = -1;
	return conn;
}

void conn_free(struct conn **pconn)
{
	struct conn *conn = *pconn;

	*pconn = NULL;
	if (conn == NULL)
		return;
	conn->line->is_dropped = !conn->is_finishing;
	conn->line->conn = NULL;
	conn->line = NULL;
}

void conn_set_owner(struct conn *conn, const struct conn_ops *ops, void *owner, size_t input_max,
	size_t output_max)
{
	conn->ops = ops;
	conn->owner = owner;
	conn->input_max = input_max;
	conn->output_max = output_max;
	conn->has_news = conn->input.len > 0;
}

struct slice conn_input(const struct conn *conn)
{
	return buf_slice(&conn->input);
}

void conn_consume(struct conn *conn, size_t n)
{
	buf_consume(&conn->input, n);
}

void conn_pause(struct conn *conn)
{
	conn->is_paused = true;
}

void conn_resume(struct conn *conn)
{
	conn->is_paused = false;
	conn->has_news = conn->has_news || conn->input.len > 0;
}

enum gp_err conn_write(struct conn *conn, struct slice bytes)
{
	if (conn->is_ended)
		return GP_ERR_CLOSED;
	if (conn->line->got.len + bytes.len > conn->output_max)
		return GP_ERR_LIMIT;
	return buf_append(&conn->line->got, bytes);
}

size_t conn_output_len(const struct conn *conn)
{
	return conn->line->got.len;
}

void conn_finish(struct conn *conn)
{
	conn->is_finishing = true;
	conn->is_paused = false;
	conn->line->is_finished = true;
}

enum gp_err conn_starttls_server(struct conn *conn, struct tls_ctx *ctx)
{
	(void)conn;
	(void)ctx;
	return GP_ERR_UNSUPPORTED;
}

enum gp_err conn_starttls_client(struct conn *conn, struct tls_ctx *ctx, const char *server_name)
{
	(void)conn;
	(void)ctx;
	(void)server_name;
	return GP_ERR_UNSUPPORTED;
}

void conn_allow_early(struct conn *conn)
{
	(void)conn;
}

const char *conn_tls_version(const struct conn *conn)
{
	(void)conn;
	return "";
}

const char *conn_sni(const struct conn *conn)
{
	(void)conn;
	return "";
}

const char *conn_tls_error(const struct conn *conn)
{
	(void)conn;
	return "";
}

void conn_set_deadline(struct conn *conn, int64_t ms)
{
	(void)conn;
	(void)ms;
}

/* ---- event/loop.h: no time passes ---- */

void loop_timer_init(struct loop *loop, struct loop_timer *timer,
	void (*on_fire)(struct loop_timer *timer), void *owner)
{
	(void)loop;
	timer->on_fire = on_fire;
	timer->owner = owner;
}

void loop_timer_set(struct loop_timer *timer, int64_t ms)
{
	(void)timer;
	(void)ms;
}

void loop_timer_clear(struct loop_timer *timer)
{
	(void)timer;
}

void loop_timer_fini(struct loop_timer *timer)
{
	(void)timer;
}

void loop_defer(
	struct loop *loop, struct loop_task *task, void (*run)(struct loop_task *task), void *owner)
{
	struct loop_task **last = &tasks;

	(void)loop;
	task->run = run;
	task->owner = owner;
	if (task->is_queued)
		return;
	task->is_queued = true;
	task->next = NULL;
	while (*last != NULL)
		last = &(*last)->next;
	*last = task;
}

static void run_tasks(void)
{
	while (tasks != NULL) {
		struct loop_task *task = tasks;

		tasks = task->next;
		task->is_queued = false;
		task->run(task);
	}
}

static void free_dead_conns(void)
{
	struct conn **link = &conns;

	while (*link != NULL) {
		struct conn *conn = *link;

		if (conn->line != NULL) {
			link = &conn->next;
			continue;
		}
		*link = conn->next;
		buf_fini(&conn->input);
		mem_free(conn);
	}
}

/* One conn that has news, NULL if none has. */
static struct conn *next_news(void)
{
	for (struct conn *conn = conns; conn != NULL; conn = conn->next) {
		if (conn->line != NULL && conn->has_news && !conn->is_paused && !conn->is_ended)
			return conn;
	}
	return NULL;
}

void turn_run(void)
{
	struct conn *conn;

	run_tasks();
	while ((conn = next_news()) != NULL) {
		conn->has_news = false;
		conn->ops->on_input(conn, conn->owner);
		run_tasks();
	}
	free_dead_conns();
}

/* ---- front/dialer.h ---- */

void dialer_init_dial(
	struct dialer *dialer, struct dial *dial, dialer_done_fn *on_done, void *owner)
{
	(void)dialer;
	dial->on_done = on_done;
	dial->owner = owner;
}

/* Mailboxes are not opened here. */
void dialer_expect(struct dial *dial)
{
	(void)dial;
	GP_ASSERT(!"a dial of a mailbox");
}

void dialer_limit(struct dial *dial, int64_t timeout_ms)
{
	(void)dial;
	(void)timeout_ms;
	GP_ASSERT(!"a dial of a mailbox");
}

void dialer_forget(struct dial *dial)
{
	(void)dial;
}

void dialer_fini_dial(struct dial *dial)
{
	for (size_t i = 0; i < lines_count; i++) {
		if (lines[i].dial == dial)
			lines[i].dial = NULL;
	}
}

void dialer_start(struct dial *dial, uint64_t generation, unsigned backend, unsigned member,
	int64_t timeout_ms)
{
	(void)generation;
	(void)member;
	(void)timeout_ms;
	dial->request = backend;
	lines[line_new()].dial = dial;
}

void line_answer_dial(struct line *line, int errno_value)
{
	struct dial *dial = line->dial;
	int fd = errno_value == 0 ? (int)(line - lines) : -1;

	line->dial = NULL;
	dial->on_done(dial, &fd, errno_value);
}
