/* SPDX-License-Identifier: ISC */
#include "ipc/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "ipc/message.h"

enum {
	CONTROL_FDS = 4, /* room for more than the one that is allowed, to see and close them */
};

/* Where one packet lands. */
struct landing {
	struct packet *packet;
	struct iovec vector;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
};

static struct {
	struct packet_list list;
	size_t count;
} spare = { .list = STAILQ_HEAD_INITIALIZER(spare.list) };

struct packet *packet_new(size_t len)
{
	struct packet *packet = STAILQ_FIRST(&spare.list);

	if (len == IPC_PACKET_MAX && packet != NULL) {
		STAILQ_REMOVE_HEAD(&spare.list, link);
		spare.count--;
	} else {
		packet = mem_new(1, sizeof *packet + len);
		packet->room = len;
		packet->fd = -1;
	}
	return packet;
}

/* One that is in no list. */
static void release(struct packet *packet)
{
	if (packet->fd >= 0)
		(void)close(packet->fd);
	mem_wipe(packet->bytes, packet->len);
	packet->fd = -1;
	packet->is_broken = false;
	packet->len = 0;
	if (packet->room == IPC_PACKET_MAX && spare.count < PACKET_SPARE) {
		STAILQ_INSERT_HEAD(&spare.list, packet, link);
		spare.count++;
	} else {
		mem_free(packet);
	}
}

void packet_drop(struct packet_list *list)
{
	struct packet *packet = STAILQ_FIRST(list);

	STAILQ_REMOVE_HEAD(list, link);
	release(packet);
}

void packet_drop_all(struct packet_list *list)
{
	while (!STAILQ_EMPTY(list))
		packet_drop(list);
}

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

static void land(struct packet *packet, struct mmsghdr *header)
{
	bool is_alone = take_fds(&header->msg_hdr, &packet->fd);

	packet->len = header->msg_len;
	packet->is_broken = !is_alone ||
			    (header->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
			    (packet->len == 0 && packet->fd >= 0);
}

static int receive(int fd, struct mmsghdr *headers)
{
	int count;

	/* Of a peer that went without having read what we sent, the first call tells that alone,
	 * and the next ones what it has left behind. */
	do
		count = recvmmsg(fd, headers, PACKET_BATCH, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	while (count < 0 && (errno == EINTR || errno == ECONNRESET));
	return count;
}

enum gp_err packet_receive(int fd, struct packet_list *list)
{
	struct landing landings[PACKET_BATCH];
	struct mmsghdr headers[PACKET_BATCH];
	enum gp_err err = GP_OK;
	int count;

	for (size_t i = 0; i < PACKET_BATCH; i++) {
		struct landing *landing = &landings[i];

		landing->packet = packet_new(IPC_PACKET_MAX);
		landing->vector = (struct iovec){ landing->packet->bytes, IPC_PACKET_MAX };
		headers[i].msg_hdr = (struct msghdr){ .msg_iov = &landing->vector,
			.msg_iovlen = 1,
			.msg_control = landing->control,
			.msg_controllen = sizeof landing->control };
	}
	count = receive(fd, headers);
	if (count < PACKET_BATCH)
		err = count >= 0 || errno == EAGAIN ? GP_ERR_AGAIN : GP_ERR_CLOSED;
	for (int i = 0; i < PACKET_BATCH; i++) {
		struct packet *packet = landings[i].packet;

		if (i < count)
			land(packet, &headers[i]);
		/* An empty packet is how the end looks. */
		if (i < count && packet->len == 0 && !packet->is_broken)
			err = GP_ERR_CLOSED;
		if (i < count && err != GP_ERR_CLOSED)
			STAILQ_INSERT_TAIL(list, packet, link);
		else
			release(packet);
	}
	return err;
}
