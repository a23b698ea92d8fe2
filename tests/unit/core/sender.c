/* SPDX-License-Identifier: ISC */
#include "sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"

struct world *sender_world(const char *extra)
{
	return world_new(extra, true);
}

void sender_advance(int64_t ms)
{
	clock_fake(clock_wall() + ms / 1000, clock_steady() + ms);
}

void sender_sign_in(struct world *world, uint64_t session, const char *login, const char *client)
{
	world_open(world, 0, session, SERVICE_SUBMISSION, client);
	world_signin(world, 0, session, login, "right");
	world_settle(world);
	assert_int_equal(world_answer_of(world, session)->verdict, VERDICT_OK);
}

enum permit sender_mail(struct world *world, uint64_t session, const char *sender, uint64_t size)
{
	struct ipc_message message = { .type = IPC_MAIL,
		.mail = { session, slice_str(sender), size, false } };

	world->mail_permit = PERMIT_MAX;
	world_send(world, 0, &message);
	world_settle(world);
	return world->mail_permit;
}

void sender_tell_mail(struct world *world, uint64_t session, const char *sender)
{
	struct ipc_message message = { .type = IPC_MAIL,
		.mail = { session, slice_str(sender), 0, true } };

	world_send(world, 0, &message);
}

enum permit sender_rcpt(struct world *world, uint64_t session, const char *recipient)
{
	world->rcpt_permit = PERMIT_MAX;
	world_rcpt(world, 0, session, recipient);
	return world->rcpt_permit;
}

enum permit sender_from(struct world *world, uint64_t session, const char *addresses)
{
	struct ipc_message message = { .type = IPC_FROM,
		.from = { session, slice_str(addresses) } };

	world->from_permit = PERMIT_MAX;
	world_send(world, 0, &message);
	world_settle(world);
	return world->from_permit;
}

void sender_done_one(
	struct world *world, uint64_t session, uint32_t index, enum rcpt_outcome outcome)
{
	struct ipc_message message = { .type = IPC_RCPT_DONE,
		.rcpt_done = { session, index, (uint8_t)outcome } };

	world_send(world, 0, &message);
	world_settle(world);
}

void sender_done(struct world *world, uint64_t session, bool is_accepted, uint32_t recipients)
{
	struct ipc_message message = { .type = IPC_MESSAGE_DONE,
		.message_done = { .session = session,
			.accepted = is_accepted,
			.recipients = recipients,
			.size = 1000,
			.body = SLICE_LIT("0123456789abcdef"),
			.subject = SLICE_LIT("Gr\xc3\xbc\xc3\x9f"
					     "e") } };

	world_send(world, 0, &message);
	world_settle(world);
}

unsigned sender_send_new(struct world *world, uint64_t session, unsigned count)
{
	static unsigned next;
	unsigned passed = 0;
	char recipient[64];

	if (sender_mail(world, session, "alice@example.test", 0) != PERMIT_YES)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(recipient, sizeof recipient, "r%u@elsewhere.test", next++);
		passed += sender_rcpt(world, session, recipient) == PERMIT_YES;
	}
	sender_done(world, session, passed > 0, passed);
	return passed;
}

struct sending_account *sender_account_of(struct world *world)
{
	struct sending_unit *unit = sending_unit_find_account(world->core, WORLD_RIGHT_ACCOUNT);

	assert_non_null(unit);
	return unit->of;
}

unsigned sender_spent(struct world *world)
{
	const struct quota *quota =
		&sender_account_of(world)->unit.meter.quotas[SENDING_LIMIT_RECIPIENTS_HOUR];

	assert_int_equal(quota->reserved, 0);
	return tally_sum(&quota->spent, TALLY_HOUR, sending_now(world->core));
}
