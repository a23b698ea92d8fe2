/* SPDX-License-Identifier: ISC */
#include "cli/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "ipc/message.h"

enum {
	SILENCE_MAX = 120, /* seconds without a packet */
	REQUEST = 1        /* there is one request a connection */
};

/* ---- packets ---- */

enum gp_err client_open(const char *path, int *ret_fd, struct gp_why *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval silence = { .tv_sec = SILENCE_MAX };
	int fd;

	if (!slice_copy(slice_str(path), address.sun_path, sizeof address.sun_path))
		return gp_why_set(why, GP_ERR_CONFIG, "%s: too long for a socket", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return gp_why_set(why, GP_ERR_IO, "socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) == 0) {
		*ret_fd = fd;
		return GP_OK;
	}
	if (errno == ENOENT || errno == ECONNREFUSED)
		(void)gp_why_set(why, GP_ERR_CLOSED,
			"nothing listens on %s: is gatepostd running? (systemctl status gatepost)",
			path);
	else
		(void)gp_why_set(why, GP_ERR_IO, "%s: %s%s", path, strerror(errno),
			errno == EACCES ? "; only root may ask" : "");
	(void)close(fd);
	if (errno == EACCES)
		return GP_ERR_DENIED;
	return errno == ENOENT || errno == ECONNREFUSED ? GP_ERR_CLOSED : GP_ERR_IO;
}

static enum gp_err send_packet(int fd, struct slice packet, int passed)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec part = { .iov_len = packet.len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	memcpy(&part.iov_base, &packet.data, sizeof part.iov_base); /* sendmsg() only reads it */
	if (passed >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof control.room;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof passed);
		memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
	}
	do {
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)packet.len ? GP_OK : GP_ERR_CLOSED;
}

static enum gp_err receive_packet(int fd, struct buf *packet)
{
	ssize_t got;

	buf_clear(packet);
	if (buf_reserve(packet, IPC_PACKET_MAX) != GP_OK)
		return GP_ERR_LIMIT;
	do {
		got = recv(fd, buf_tail(packet), IPC_PACKET_MAX, MSG_TRUNC);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return GP_ERR_TIMEOUT;
	if (got <= 0)
		return GP_ERR_CLOSED;
	if (got > IPC_PACKET_MAX)
		return GP_ERR_PROTOCOL;
	buf_added(packet, (size_t)got);
	return GP_OK;
}

static int append_json(const char *bytes, size_t len, void *out)
{
	return buf_append(out, slice_of(bytes, len)) == GP_OK ? 0 : -1;
}

static enum gp_err send_op(int fd, enum ops_id op, const json_t *values, int passed)
{
	struct ipc_message message = { .type = IPC_OP };
	struct buf arguments;
	struct buf packet;
	enum gp_err err = GP_ERR_LIMIT;

	buf_init_secret(&arguments, IPC_PACKET_MAX);
	buf_init_secret(&packet, IPC_PACKET_MAX);
	if (json_dump_callback(values, append_json, &arguments, JSON_COMPACT) == 0) {
		message.op = (struct ipc_op){ .request = REQUEST,
			.name = slice_str(ops_entry(op)->name),
			.arguments = buf_slice(&arguments) };
		err = ipc_encode(&message, &packet);
	}
	if (err == GP_OK)
		err = send_packet(fd, buf_slice(&packet), passed);
	buf_fini(&arguments);
	buf_fini(&packet);
	return err;
}

static enum gp_err take_row(struct slice text, const struct client_ops *ops, void *owner)
{
	json_t *row = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(row)) {
		json_decref(row);
		return GP_ERR_PROTOCOL;
	}
	ops->on_row(row, owner);
	json_decref(row);
	return GP_OK;
}

/* One message; *ret_done when it was the last. */
static enum gp_err take_message(const struct ipc_message *message, const struct client_ops *ops,
	void *owner, struct client_end *end, bool *ret_done)
{
	if (!ipc_is_permitted(message->type, IPC_ROLE_CORE, IPC_ROLE_CLI))
		return GP_ERR_PROTOCOL;
	if (message->type == IPC_OP_ROW)
		return take_row(message->op_row.row, ops, owner);
	if (message->type == IPC_OP_PROGRESS) {
		ops->on_progress(message->op_progress.done, message->op_progress.total, owner);
		return GP_OK;
	}
	if (message->type != IPC_OP_DONE)
		return GP_ERR_PROTOCOL;
	end->err = (enum gp_err)message->op_done.err;
	if (!slice_copy(message->op_done.why, end->why, sizeof end->why))
		return GP_ERR_PROTOCOL;
	*ret_done = true;
	return GP_OK;
}

static void set_end(struct client_end *end, enum gp_err err)
{
	const char *why = gp_err_text(err);

	end->err = err;
	if (err == GP_ERR_LIMIT)
		why = "the arguments are too long";
	else if (err == GP_ERR_CLOSED)
		why = "gatepostd closed the connection; whether it did what was asked is not "
		      "known";
	else if (err == GP_ERR_TIMEOUT)
		why = "gatepostd does not answer";
	(void)snprintf(end->why, sizeof end->why, "%s", why);
}

struct client_end client_run(int fd, enum ops_id op, const json_t *values, int passed,
	const struct client_ops *ops, void *owner)
{
	struct client_end end = { .err = GP_OK };
	struct ipc_message message;
	struct buf packet;
	bool is_done = false;
	enum gp_err err = send_op(fd, op, values, passed);

	buf_init_secret(&packet, IPC_PACKET_MAX);
	while (err == GP_OK && !is_done) {
		err = receive_packet(fd, &packet);
		if (err == GP_OK)
			err = ipc_decode(buf_slice(&packet), &message);
		if (err == GP_OK)
			err = take_message(&message, ops, owner, &end, &is_done);
	}
	if (err != GP_OK)
		set_end(&end, err);
	else if (end.err != GP_OK && end.why[0] == '\0')
		set_end(&end, end.err);
	buf_fini(&packet);
	return end;
}
