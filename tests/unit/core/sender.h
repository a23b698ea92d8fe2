/* SPDX-License-Identifier: ISC */
/* An account that sends, in the world of core: one step each, until nothing moves any more. */
#ifndef GP_TESTS_CORE_SENDER_H
#define GP_TESTS_CORE_SENDER_H

#include "core/sending_account.h"
#include "world.h"

/* Ten recipients an hour for an account; "wide" has fifteen. */
#define SENDER_TIGHT                                                                         \
	"sending_plan = tight\nplan tight { recipients_hour = 10 messages_hour = 0 "         \
	"new_recipients_day = 0 recipients_day = 0 messages_day = 0 message_size = 5000 }\n" \
	"plan wide { recipients_hour = 15 messages_hour = 0 new_recipients_day = 0 "         \
	"recipients_day = 0 messages_day = 0 }\n"

#define SENDER_HOME "198.51.100.7"

enum {
	SENDER_HOUR_MS = 3600 * 1000
};

struct world *sender_world(const char *extra);
void sender_advance(int64_t ms);
void sender_sign_in(struct world *world, uint64_t session, const char *login, const char *client);
enum permit sender_mail(struct world *world, uint64_t session, const char *sender, uint64_t size);
/* By a lease, as sent right before its first RCPT: no answer. */
void sender_tell_mail(struct world *world, uint64_t session, const char *sender);
enum permit sender_rcpt(struct world *world, uint64_t session, const char *recipient);
enum permit sender_from(struct world *world, uint64_t session, const char *addresses);
void sender_done_one(
	struct world *world, uint64_t session, uint32_t index, enum rcpt_outcome outcome);
void sender_done(struct world *world, uint64_t session, bool is_accepted, uint32_t recipients);
/* One message to so many new recipients; how many were let through. */
unsigned sender_send_new(struct world *world, uint64_t session, unsigned count);
struct sending_account *sender_account_of(struct world *world);
/* Recipients of the hour; none may be reserved. */
unsigned sender_spent(struct world *world);

#endif
