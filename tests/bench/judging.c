/* SPDX-License-Identifier: ISC */
/*
 * What it costs to judge one recipient, with very many accounts known:
 *
 *	judging [ACCOUNTS [RECIPIENTS]]		1,000,000 and 2,000,000
 *
 * Every account has a history of 30 days and is at rest in packed form, as the store has it. Then
 * recipients are asked for: hot, by 1,000 accounts that are held ready in memory; and cold, by
 * accounts drawn from all, each unpacked for one recipient and packed again, the worst there is.
 * Prints the CPU time of this process for each, and bytes of memory of an account.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/mem.h"
#include "policy/sending_gate.h"

enum {
	DAY = 86400,
	T0 = 1800000000 / DAY * DAY,
	HOT = 1000,
	CONTACTS = 60,
	HISTORIES = 10000, /* different ones; further accounts have copies */
};

struct resting {
	char *bytes;
	size_t len;
};

static const char config_text[] = "hostname = mail.example.test\nlistener smtp { }\n"
				  "backend smtp { hosts = 127.0.0.1:1025 }\n"
				  "route \"*\" { smtp = smtp }\n";

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

static double cpu_seconds(void)
{
	struct timespec now;

	GP_ASSERT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void one(const struct sending_policy *policy, const struct sending_sender *sender,
	uint64_t *seed, int64_t now)
{
	struct profile_try try = { .recipient = (uint32_t)(draw(seed) % CONTACTS + 1) * 2654435761U,
		.client = (uint32_t)(draw(seed) % 2 + 1),
		.source = { .family = IP_V4, .bytes = { 203, (uint8_t)(draw(seed) % 2) } } };
	struct sending_answer answer;

	if (draw(seed) % 20 == 0)
		try.recipient = (uint32_t)draw(seed) | 1;
	sending_gate_recipient(policy, sender, &try, true, now, &answer);
	if (answer.outcome == SENDING_PASS)
		sending_gate_delivered(policy, sender, &try, &answer.amount, now);
}

static void rest(const struct profile *profile, struct resting *ret_resting)
{
	struct buf packed;

	buf_init(&packed, PROFILE_PACKED_MAX);
	GP_ASSERT(profile_pack(profile, &packed) == GP_OK);
	mem_free(ret_resting->bytes);
	ret_resting->bytes = mem_strndup(buf_slice(&packed).data, packed.len);
	ret_resting->len = packed.len;
	buf_fini(&packed);
}

static void make_history(const struct sending_policy *policy, const struct config *config,
	uint64_t *seed, struct profile *profile)
{
	struct sending_meter meter = { 0 };
	struct sending_sender sender = { .profile = profile,
		.scopes = { { &config->default_plan, &meter } } };

	for (int64_t day = 0; day < 30; day++) {
		for (unsigned i = 0; i < 3; i++)
			one(policy, &sender, seed, T0 + day * DAY + (int64_t)(draw(seed) % DAY));
	}
}

static void run_hot(const struct sending_policy *policy, const struct config *config,
	const struct resting *all, size_t count, size_t recipients)
{
	struct profile *profiles = mem_new(HOT, sizeof *profiles);
	struct sending_meter *meters = mem_new(HOT, sizeof *meters);
	uint64_t seed = 7;
	size_t bytes = 0;
	double began;

	for (size_t i = 0; i < HOT; i++) {
		const struct resting *from = &all[draw(&seed) % count];

		GP_ASSERT(profile_unpack(slice_of(from->bytes, from->len), &profiles[i]) == GP_OK);
	}
	began = cpu_seconds();
	for (size_t i = 0; i < recipients; i++) {
		size_t k = draw(&seed) % HOT;
		struct sending_sender sender = { .profile = &profiles[k],
			.scopes = { { &config->default_plan, &meters[k] } } };

		one(policy, &sender, &seed, T0 + 30 * DAY + (int64_t)(i / 100));
	}
	printf("hot:  %.2f us of CPU for a recipient\n",
		(cpu_seconds() - began) * 1e6 / (double)recipients);
	for (size_t i = 0; i < HOT; i++) {
		bytes += profile_bytes(&profiles[i]) + sizeof *meters;
		profile_fini(&profiles[i]);
	}
	printf("active account: %zu bytes (profile %zu, meter %zu, the rest its recipients)\n",
		bytes / HOT, sizeof *profiles, sizeof *meters);
	mem_free(profiles);
	mem_free(meters);
}

static void run_cold(const struct sending_policy *policy, const struct config *config,
	struct resting *all, size_t count, size_t recipients)
{
	uint64_t seed = 9;
	double began = cpu_seconds();

	for (size_t i = 0; i < recipients; i++) {
		struct resting *account = &all[draw(&seed) % count];
		struct sending_meter meter = { 0 };
		struct profile profile;
		struct sending_sender sender = { .profile = &profile,
			.scopes = { { &config->default_plan, &meter } } };

		GP_ASSERT(
			profile_unpack(slice_of(account->bytes, account->len), &profile) == GP_OK);
		one(policy, &sender, &seed, T0 + 30 * DAY + (int64_t)(i / 100));
		rest(&profile, account);
		profile_fini(&profile);
	}
	printf("cold: %.2f us of CPU for a recipient, unpacked and packed again\n",
		(cpu_seconds() - began) * 1e6 / (double)recipients);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	size_t recipients = argc > 2 ? strtoul(argv[2], NULL, 10) : 2000000;
	struct config_error error = { "" };
	struct config *config = NULL;
	struct sending_policy policy;
	struct resting *all;
	uint64_t seed = 1;
	size_t bytes = 0;

	if (count == 0 || recipients == 0 ||
		config_parse(slice_str(config_text), "judging", &config, &error) != GP_OK)
		return EXIT_FAILURE;
	sending_policy_init(&policy, config);
	all = mem_new(count, sizeof *all);
	for (size_t i = 0; i < count; i++) {
		struct profile profile = { 0 };

		if (i < HISTORIES) {
			make_history(&policy, config, &seed, &profile);
			rest(&profile, &all[i]);
			profile_fini(&profile);
		} else {
			all[i].len = all[i % HISTORIES].len;
			all[i].bytes = mem_strndup(all[i % HISTORIES].bytes, all[i].len);
		}
		bytes += all[i].len;
	}
	printf("%zu accounts at rest, %zu bytes each\n", count, bytes / count);
	run_hot(&policy, config, all, count, recipients);
	run_cold(&policy, config, all, count, recipients);
	for (size_t i = 0; i < count; i++)
		mem_free(all[i].bytes);
	mem_free(all);
	config_free(&config);
	return EXIT_SUCCESS;
}
