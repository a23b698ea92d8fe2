/* SPDX-License-Identifier: ISC */
/* The desk vault's part of sending, played: one answer for every account but for its profile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "world.h"

enum {
	SPENT_AGO = 60
};

static void reply(struct world_peer *peer, const struct ipc_message *message)
{
	assert_int_equal(chan_send(peer->chan, message, -1), GP_OK);
}

static struct world_profile *profile_of(struct world *world, uint64_t account)
{
	size_t i = 0;

	while (i < WORLD_PROFILES - 1 && world->profiles[i].account != 0 &&
		world->profiles[i].account != account)
		i++;
	assert_true(world->profiles[i].account == 0 || world->profiles[i].account == account);
	world->profiles[i].account = account;
	return &world->profiles[i];
}

void world_free_profiles(struct world *world)
{
	for (size_t i = 0; i < WORLD_PROFILES; i++)
		mem_free(world->profiles[i].bytes);
}

static void send_name(struct world_peer *vault, uint64_t request, const char *name, bool is_listed)
{
	struct ipc_message message = { .type = IPC_SENDER_ROW,
		.sender_row = { request, is_listed, slice_str(name) } };

	if (name != NULL)
		reply(vault, &message);
}

static void send_profile(struct world_peer *vault, uint64_t account)
{
	const struct world_profile *profile = profile_of(vault->world, account);
	struct ipc_message message = { .type = IPC_PROFILE_PART };
	struct slice rest = slice_of(profile->bytes, profile->len);

	message.profile_part.account = account;
	message.profile_part.is_first = true;
	while (rest.len > 0) {
		message.profile_part.bytes = slice_head(rest, IPC_PROFILE_PART_MAX);
		rest = slice_from(rest, message.profile_part.bytes.len);
		message.profile_part.is_last = rest.len == 0;
		reply(vault, &message);
		message.profile_part.is_first = false;
	}
}

static void send_spent(struct world_peer *vault, uint64_t request)
{
	struct ipc_message message = { .type = IPC_SPENT_ROW };

	message.spent_row = (struct ipc_spent_row){ request, clock_wall() - SPENT_AGO, 1,
		vault->world->spent, 0 };
	if (vault->world->spent > 0)
		reply(vault, &message);
}

void world_on_sending_load(struct world_peer *vault, const struct ipc_sending_load *load)
{
	struct world *world = vault->world;
	struct ipc_message message = { .type = IPC_SENDING_LOADED };
	bool is_account = load->what == IPC_SENDING_ACCOUNT || load->what == IPC_SENDING_NAMES;

	world->sending_loads += load->what == IPC_SENDING_ACCOUNT;
	world->name_loads += load->what == IPC_SENDING_NAMES;
	if (world->is_sending_mute)
		return;
	if (is_account) {
		send_name(vault, load->request, world->alias, false);
		send_name(vault, load->request, world->listed, true);
	}
	if (load->what == IPC_SENDING_ACCOUNT)
		send_profile(vault, load->account);
	if (load->what != IPC_SENDING_NAMES)
		send_spent(vault, load->request);
	message.sending_loaded = (struct ipc_sending_loaded){ load->request,
		!world->is_sending_failing && world->account_err != GP_ERR_STORE,
		world->account_err == GP_OK, world->is_account_blocked, SLICE_LIT("") };
	reply(vault, &message);
}

void world_on_profile_part(struct world_peer *vault, const struct ipc_profile_part *part)
{
	struct world *world = vault->world;
	struct world_profile *profile = profile_of(world, part->account);
	struct ipc_message message = { .type = IPC_PROFILE_KEPT };

	if (profile->bytes == NULL)
		profile->bytes = mem_new(WORLD_PROFILE_MAX, 1);
	if (part->is_first)
		profile->len = 0;
	assert_true(profile->len + part->bytes.len <= WORLD_PROFILE_MAX);
	memcpy(profile->bytes + profile->len, part->bytes.data, part->bytes.len);
	profile->len += part->bytes.len;
	if (!part->is_last)
		return;
	world->profiles_kept += !world->is_profile_failing;
	message.profile_kept =
		(struct ipc_profile_kept){ part->account, !world->is_profile_failing, true };
	reply(vault, &message);
}

void world_on_sent(struct world *world, const struct ipc_sent *sent)
{
	struct world_sent *kept = &world->sent[world->sent_count++];

	assert_true(world->sent_count <= WORLD_SENT_MAX);
	*kept = (struct world_sent){ .session = sent->session,
		.account = sent->account,
		.client = sent->client,
		.recipients = sent->recipients,
		.strangers = sent->strangers,
		.outcome = (enum sent_outcome)sent->outcome };
	assert_true(slice_copy(sent->sender, kept->sender, sizeof kept->sender));
	assert_true(slice_copy(sent->subject, kept->subject, sizeof kept->subject));
}
