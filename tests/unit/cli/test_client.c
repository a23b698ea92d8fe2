/* SPDX-License-Identifier: ISC */
/* The client against a core whose answer waits in a socketpair already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/client.h"
#include "ipc/message.h"
#include "ops/json_setup.h"

struct heard {
	unsigned rows;
	uint64_t done;
};

static void on_row(json_t *row, void *owner)
{
	struct heard *heard = owner;

	assert_int_equal(json_integer_value(json_object_get(row, "n")), heard->rows);
	heard->rows++;
}

static void on_progress(uint64_t done, uint64_t total, void *owner)
{
	struct heard *heard = owner;

	assert_int_equal(total, 10);
	heard->done = done;
}

static const struct client_ops ops = { on_row, on_progress };

static void say(int fd, const struct ipc_message *message)
{
	struct buf packet;

	buf_init(&packet, IPC_PACKET_MAX);
	assert_int_equal(ipc_encode(message, &packet), GP_OK);
	assert_int_equal(send(fd, packet.data, packet.len, 0), packet.len);
	buf_fini(&packet);
}

static void say_row(int fd, const char *row)
{
	say(fd, &(struct ipc_message){
			.type = IPC_OP_ROW, .op_row = { .request = 1, .row = slice_str(row) } });
}

static void say_done(int fd, enum gp_err err, const char *why)
{
	say(fd, &(struct ipc_message){ .type = IPC_OP_DONE,
			.op_done = { .request = 1, .err = (uint8_t)err, .why = slice_str(why) } });
}

/* What core would answer waits in the socket already; then the client is asked. */
static struct client_end ask(int fds[static 2], struct heard *heard)
{
	json_t *values = json_pack("{s:s}", "address", "a@b");
	struct client_end end = client_run(fds[0], OPS_account_show, values, -1, &ops, heard);

	json_decref(values);
	return end;
}

static void open_pair(int fds[static 2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
}

static void close_pair(int fds[static 2])
{
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void question_and_answer(void **state)
{
	char bytes[IPC_PACKET_MAX];
	struct ipc_message message;
	struct heard heard = { 0 };
	struct client_end end;
	ssize_t got;
	int fds[2];

	(void)state;
	open_pair(fds);
	say_row(fds[1], "{\"n\":0}");
	say(fds[1], &(struct ipc_message){ .type = IPC_OP_PROGRESS,
			    .op_progress = { .request = 1, .done = 4, .total = 10 } });
	say_row(fds[1], "{\"n\":1}");
	say_done(fds[1], GP_OK, "");
	end = ask(fds, &heard);
	assert_int_equal(end.err, GP_OK);
	assert_string_equal(end.why, "");
	assert_int_equal(heard.rows, 2);
	assert_int_equal(heard.done, 4);
	got = recv(fds[1], bytes, sizeof bytes, 0);
	assert_true(got > 0);
	assert_int_equal(ipc_decode(slice_of(bytes, (size_t)got), &message), GP_OK);
	assert_int_equal(message.type, IPC_OP);
	assert_true(slice_is(message.op.name, "account.show"));
	assert_true(slice_is(message.op.arguments, "{\"address\":\"a@b\"}"));
	close_pair(fds);
}

static void errors_come_with_their_reason(void **state)
{
	struct heard heard = { 0 };
	struct client_end end;
	int fds[2];

	(void)state;
	open_pair(fds);
	say_done(fds[1], GP_ERR_NOT_FOUND, "there is no account a@b");
	end = ask(fds, &heard);
	assert_int_equal(end.err, GP_ERR_NOT_FOUND);
	assert_string_equal(end.why, "there is no account a@b");
	say_done(fds[1], GP_ERR_BUSY, "");
	end = ask(fds, &heard);
	assert_int_equal(end.err, GP_ERR_BUSY);
	assert_string_equal(end.why, gp_err_text(GP_ERR_BUSY));
	close_pair(fds);
}

static void a_core_that_goes_away_is_told(void **state)
{
	struct heard heard = { 0 };
	int fds[2];

	(void)state;
	open_pair(fds);
	say_row(fds[1], "{\"n\":0}");
	assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
	assert_int_equal(ask(fds, &heard).err, GP_ERR_CLOSED);
	close_pair(fds);
}

static void nonsense_is_refused(void **state)
{
	static const char *const rows[] = { "", "[]", "{\"a\":1", "{\"a\":1,\"a\":2}", "1" };
	struct heard heard = { 0 };
	int fds[2];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(rows); i++) {
		open_pair(fds);
		say_row(fds[1], rows[i]);
		assert_int_equal(ask(fds, &heard).err, GP_ERR_PROTOCOL);
		close_pair(fds);
	}
	open_pair(fds);
	assert_int_equal(send(fds[1], "\xff", 1, 0), 1);
	assert_int_equal(ask(fds, &heard).err, GP_ERR_PROTOCOL);
	close_pair(fds);
	open_pair(fds);
	say(fds[1], &(struct ipc_message){ .type = IPC_STOP, .stop = { .grace_ms = 1 } });
	assert_int_equal(ask(fds, &heard).err, GP_ERR_PROTOCOL);
	close_pair(fds);
}

static void a_descriptor_goes_along(void **state)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	char bytes[IPC_PACKET_MAX];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof bytes };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room };
	struct heard heard = { 0 };
	json_t *values = json_object();
	int passed = -1;
	int fds[2];

	(void)state;
	open_pair(fds);
	say_done(fds[1], GP_OK, "");
	assert_int_equal(
		client_run(fds[0], OPS_account_import, values, STDIN_FILENO, &ops, &heard).err,
		GP_OK);
	assert_true(recvmsg(fds[1], &message, 0) > 0);
	assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
	memcpy(&passed, CMSG_DATA(&control.header), sizeof passed);
	assert_true(passed > 0);
	(void)close(passed);
	json_decref(values);
	close_pair(fds);
}

static void nobody_listening_is_no_riddle(void **state)
{
	struct gp_why why = { "" };
	int fd = -1;

	(void)state;
	assert_int_equal(client_open("/nonexistent/gatepost", &fd, &why), GP_ERR_CLOSED);
	assert_non_null(strstr(why.text, "is gatepostd running?"));
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_and_answer),
		cmocka_unit_test(errors_come_with_their_reason),
		cmocka_unit_test(a_core_that_goes_away_is_told),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_descriptor_goes_along),
		cmocka_unit_test(nobody_listening_is_no_riddle),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
