/* SPDX-License-Identifier: ISC */
/*
 * Can a client tell by the time it takes why it was not let in? The vault's whole work for one
 * sign-in (look-up, known source, check) is timed for an unknown name, a wrong password, the right
 * one of an account with 2FA, and a guess that core wants not to be made: in random order, so that
 * what the machine does meanwhile meets all alike. Two kinds are compared by the Mann-Whitney U
 * test; p is the chance that times so far apart come from one source.
 *
 *	timing [TRIES [MEMORY_KIB]]	2000 of each kind, 1024 KiB
 *
 * Ends with 1 if a p is 0.01 or less. No test of the suite: what a busy machine says is no verdict.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "vault/verify.h"

enum kind {
	UNKNOWN,
	WRONG,
	TWOFACTOR,
	UNCHECKED,
	KINDS
};

static const char *const names[KINDS] = { "unknown name", "wrong password", "right, but 2FA",
	"not checked" };
static const char *const logins[KINDS] = { "nobody@example.test", "alice@example.test",
	"carol@example.test", "alice@example.test" };
static const enum reason reasons[KINDS] = { REASON_UNKNOWN_ACCOUNT, REASON_WRONG_PASSWORD,
	REASON_TWOFACTOR, REASON_UNCHECKED };

struct sample {
	double us;
	enum kind kind;
};

static void must(enum gp_err err, const char *what)
{
	if (err == GP_OK)
		return;
	(void)fprintf(stderr, "timing: %s: %s\n", what, gp_err_text(err));
	exit(2);
}

static void add(struct vault *vault, const char *address, bool has_twofactor)
{
	struct store_account account = { .role = "user" };
	uint64_t id = 0;

	GP_ASSERT(slice_copy(slice_str(address), account.address, sizeof account.address));
	must(pwhash_make(&vault->policy, SLICE_LIT("correct horse"), account.password), "hash");
	must(store_account_add(vault->store, &account, 1, &id), "account");
	if (has_twofactor)
		must(store_account_set_twofactor(vault->store, id, 1), "2FA");
}

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double try_once(struct vault *vault, enum kind kind)
{
	static const struct ip source = { IP_V4, { 192, 0, 2, 1 } };
	const struct verify_question question = { .protocol = PROTOCOL_IMAP,
		.login = slice_str(logins[kind]),
		.secret = slice_str(kind == TWOFACTOR ? "correct horse" : "wrong, horse!"),
		.is_unchecked = kind == UNCHECKED };
	double start = now_us();
	struct store_account account = { 0 };
	struct verify_answer answer;
	bool is_known = false;
	enum gp_err err = store_account_find(vault->store, question.login, &account);

	if (err != GP_ERR_NOT_FOUND)
		must(err, "look-up");
	must(store_known_find(vault->store, account.id, &source, 1, &is_known), "known source");
	verify_check(vault, &question, &answer);
	start = now_us() - start;
	GP_ASSERT(answer.reason == reasons[kind]);
	return start;
}

static int by_time(const void *a, const void *b)
{
	const struct sample *first = a;
	const struct sample *second = b;

	return (first->us > second->us) - (first->us < second->us);
}

/* Two-sided p, by the normal approximation; times to the nanosecond have hardly a tie. Sorted. */
static double mann_whitney(
	const struct sample *samples, size_t count, enum kind a, enum kind b, double n)
{
	double rank = 0;
	double sum = 0;
	double z;

	for (size_t i = 0; i < count; i++) {
		if (samples[i].kind != a && samples[i].kind != b)
			continue;
		rank++;
		if (samples[i].kind == a)
			sum += rank;
	}
	z = (sum - n * (n + 1) / 2 - n * n / 2) / sqrt(n * n * (2 * n + 1) / 12);
	return erfc(fabs(z) / sqrt(2));
}

static double median(const struct sample *samples, size_t count, enum kind kind, size_t n)
{
	size_t seen = 0;

	for (size_t i = 0; i < count; i++) {
		if (samples[i].kind == kind && ++seen == n / 2 + 1)
			return samples[i].us;
	}
	return 0;
}

static int report(struct sample *samples, size_t n)
{
	size_t count = n * KINDS;
	int status = 0;

	qsort(samples, count, sizeof *samples, by_time);
	for (unsigned kind = 0; kind < KINDS; kind++)
		(void)printf("%-16s median %9.2f us\n", names[kind],
			median(samples, count, (enum kind)kind, n));
	for (unsigned a = 0; a < KINDS; a++) {
		for (unsigned b = a + 1; b < KINDS; b++) {
			double p =
				mann_whitney(samples, count, (enum kind)a, (enum kind)b, (double)n);

			(void)printf("%-16s %-16s p = %.4f\n", names[a], names[b], p);
			if (p <= 0.01)
				status = 1;
		}
	}
	return status;
}

static struct sample *measure(struct vault *vault, size_t n)
{
	size_t count = n * KINDS;
	struct sample *samples = mem_new(count, sizeof *samples);

	for (size_t i = 0; i < count; i++) {
		size_t other = rand_u64() % (i + 1);

		samples[i] = samples[other];
		samples[other].kind = (enum kind)(i % KINDS);
	}
	for (unsigned i = 0; i < 10 * KINDS; i++)
		(void)try_once(vault, (enum kind)(i % KINDS));
	for (size_t i = 0; i < count; i++)
		samples[i].us = try_once(vault, samples[i].kind);
	return samples;
}

int main(int argc, char **argv)
{
	unsigned long long tries = 2000, memory = 1024;
	char folder[] = "/tmp/gatepost-timing-XXXXXX";
	struct vault vault = { .lane = IPC_LANE_SLOW };
	struct gp_why why = { "" };
	struct sample *samples = NULL;
	char *path = NULL;
	uint64_t id = 0;
	int status;

	if ((argc > 1 && !slice_to_u64(slice_str(argv[1]), 1000000, &tries)) || tries == 0 ||
		(argc > 2 && !slice_to_u64(slice_str(argv[2]), 1048576, &memory)) ||
		mkdtemp(folder) == NULL) {
		(void)fprintf(stderr, "usage: timing [TRIES [MEMORY_KIB]]\n");
		return 2;
	}
	log_set_level(LOG_LEVEL_ERROR);
	path = mem_printf("%s/gatepost.db", folder);
	must(store_create(path, &why), path);
	must(store_open(path, &vault.store, &why), path);
	must(pwhash_policy_init(&vault.policy, (unsigned)memory, 1), "Argon2id");
	must(store_domain_add(vault.store, SLICE_LIT("example.test"), SLICE_LIT(""), 1, &id),
		"domain");
	add(&vault, "alice@example.test", false);
	add(&vault, "carol@example.test", true);
	samples = measure(&vault, tries);
	status = report(samples, tries);
	mem_free(samples);
	store_close(&vault.store);
	for (size_t i = 0; i < 3; i++) {
		static const char *const ends[] = { "", "-wal", "-shm" };
		char *file = mem_printf("%s%s", path, ends[i]);

		(void)unlink(file);
		mem_free(file);
	}
	(void)rmdir(folder);
	mem_free(path);
	return status;
}
