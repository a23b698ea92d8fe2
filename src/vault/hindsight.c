/* SPDX-License-Identifier: ISC */
#include "vault/hindsight.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "vault/vault.h"

static struct hindsight_job *first_job(struct hindsight *hindsight)
{
	return hindsight->count > 0 ? &hindsight->jobs[hindsight->first] : NULL;
}

static void drop_first(struct hindsight *hindsight)
{
	struct hindsight_job *job = first_job(hindsight);

	secret_free(&job->secret);
	mem_wipe(job, sizeof *job);
	hindsight->first = (hindsight->first + 1) % HINDSIGHT_JOBS;
	hindsight->count--;
}

/* A secret does not wait for ever. */
static void drop_old(struct hindsight *hindsight)
{
	struct hindsight_job *job;

	while ((job = first_job(hindsight)) != NULL &&
		clock_steady() - job->taken_at > HINDSIGHT_KEEP_MS)
		drop_first(hindsight);
}

/* ---- what is taken ---- */

/* Is it time to compare this one? From now on it is not, for a day. */
static bool note(struct hindsight *hindsight, const struct hindsight_case *refused)
{
	struct {
		uint64_t login;
		int64_t password_at;
		struct ip source;
		uint8_t protocol;
	} key;
	struct hindsight_place *place;
	int64_t now = clock_wall();
	uint64_t hash;

	memset(&key, 0, sizeof key);
	key.login = map_hash(refused->login);
	key.password_at = refused->password_at;
	key.source = refused->source;
	key.protocol = (uint8_t)refused->protocol;
	hash = map_hash(slice_of(&key, sizeof key));
	place = &hindsight->places[hash % HINDSIGHT_PLACES];
	if (place->hash == hash && place->at != 0 && now - place->at < HINDSIGHT_AGAIN_S &&
		now >= place->at)
		return false;
	*place = (struct hindsight_place){ .hash = hash, .at = now };
	return true;
}

void hindsight_take(struct vault *vault, const struct hindsight_case *refused)
{
	struct hindsight *hindsight = &vault->hindsight;
	struct hindsight_job *job;

	drop_old(hindsight);
	if (hindsight->count == HINDSIGHT_JOBS || !note(hindsight, refused))
		return;
	job = &hindsight->jobs[(hindsight->first + hindsight->count++) % HINDSIGHT_JOBS];
	*job = (struct hindsight_job){ .secret = secret_new(refused->secret),
		.account = refused->account,
		.password_at = refused->password_at,
		.source = refused->source,
		.protocol = refused->protocol,
		.session = refused->session,
		.taken_at = clock_steady() };
	loop_timer_set(&hindsight->timer, HINDSIGHT_REST_MS);
}

/* ---- the work ---- */

static enum gp_err take_hash(const char *hash, int64_t changed_at, void *arg)
{
	struct hindsight_job *job = arg;

	if (job->hash_count == STORE_OLD_PASSWORDS)
		return GP_OK;
	job->changed_at[job->hash_count] = changed_at;
	memcpy(job->hashes[job->hash_count++], hash, strlen(hash) + 1);
	return GP_OK;
}

/* Another vault may have compared it today, or this one before a restart. */
static enum gp_err load(struct vault *vault, struct hindsight_job *job)
{
	int64_t last = 0;
	enum gp_err err =
		store_finding_last(vault->store, job->account, &job->source, job->protocol, &last);

	if (err == GP_OK)
		job->is_settled = last != 0 && last >= job->password_at && clock_wall() >= last &&
				  clock_wall() - last < HINDSIGHT_AGAIN_S;
	if (err == GP_OK && !job->is_settled)
		err = store_old_password_each(vault->store, job->account, take_hash, job);
	return err;
}

static void compare(struct vault *vault, struct hindsight_job *job)
{
	bool has_hash = job->step < job->hash_count && !job->is_settled && job->found == 0;
	const char *hash = has_hash ? job->hashes[job->step] : NULL;
	bool matches = false;
	enum gp_err err = pwhash_verify(&vault->policy, hash, secret_slice(job->secret), &matches);

	if (err != GP_OK)
		job->is_settled = true;
	else if (matches)
		job->found = job->changed_at[job->step];
}

static void finish(struct vault *vault, const struct hindsight_job *job)
{
	const struct store_finding finding = { .account = job->account,
		.source = job->source,
		.protocol = job->protocol,
		.session = job->session,
		.at = clock_wall(),
		.changed_at = job->found };
	enum gp_err err;

	if (job->is_settled || job->hash_count == 0)
		return;
	record_flush(vault);
	store_set_wait(vault->store, HINDSIGHT_WAIT_MS);
	err = store_finding_set(vault->store, &finding);
	store_set_wait(vault->store, VAULT_LANE_WAIT_MS);
	if (err != GP_OK)
		log_info("finding_dropped", LOG_STR("error", gp_err_text(err)));
}

bool hindsight_step(struct vault *vault)
{
	struct hindsight *hindsight = &vault->hindsight;
	struct hindsight_job *job;

	drop_old(hindsight);
	job = first_job(hindsight);
	if (job == NULL)
		return false;
	if (job->step == 0 && load(vault, job) != GP_OK)
		job->is_settled = true;
	compare(vault, job);
	if (++job->step == STORE_OLD_PASSWORDS) {
		finish(vault, job);
		drop_first(hindsight);
	}
	return true;
}

static void on_rested(struct loop_timer *timer)
{
	if (hindsight_step(timer->owner))
		loop_timer_set(timer, HINDSIGHT_REST_MS);
}

void hindsight_rest(struct vault *vault)
{
	if (vault->hindsight.count > 0)
		loop_timer_set(&vault->hindsight.timer, HINDSIGHT_REST_MS);
}

void hindsight_init(struct vault *vault)
{
	loop_timer_init(vault->loop, &vault->hindsight.timer, on_rested, vault);
}

void hindsight_fini(struct vault *vault)
{
	while (vault->hindsight.count > 0)
		drop_first(&vault->hindsight);
	loop_timer_fini(&vault->hindsight.timer);
}
