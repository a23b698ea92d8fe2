/* SPDX-License-Identifier: ISC */
#include "vault/audit.h"

#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/secret.h"
#include "vault/desk.h"

enum {
	NUMBER_SIZE = 8,
	HEX_SIZE = 2 * CHAIN_SIZE,
	PARTS = 7,
};

_Static_assert((int)CHAIN_SIZE == (int)STORE_LINK_SIZE, "the store keeps links");

static const uint8_t nothing[CHAIN_SIZE];

static struct slice number(uint64_t value, uint8_t out[static NUMBER_SIZE])
{
	for (unsigned i = 0; i < NUMBER_SIZE; i++)
		out[i] = (uint8_t)(value >> 8 * i);
	return slice_of(out, NUMBER_SIZE);
}

static struct store_audit_link link_of(const struct vault *vault,
	const uint8_t before[static CHAIN_SIZE], const struct store_audit *audit)
{
	struct store_audit_link link = { .is_there = true };
	uint8_t numbers[3][NUMBER_SIZE];
	const struct slice parts[PARTS] = { number(audit->id, numbers[0]),
		number((uint64_t)audit->at, numbers[1]), audit->actor, audit->operation,
		number(audit->account_id, numbers[2]), audit->account, audit->detail };

	chain_link(secret_slice(vault->pepper), "gatepost audit", before, parts, PARTS, link.bytes);
	return link;
}

static struct store_audit_link seal_of(
	const struct vault *vault, const struct store_audit_head *head)
{
	struct store_audit_link seal = { .is_there = true };
	uint8_t numbers[2][NUMBER_SIZE];
	const struct slice parts[] = { number(head->first, numbers[0]),
		number(head->last, numbers[1]) };

	chain_link(secret_slice(vault->pepper), "gatepost audit head", head->hash.bytes, parts, 2,
		seal.bytes);
	return seal;
}

static bool is_link(const struct store_audit_link *a, const struct store_audit_link *b)
{
	return a->is_there && b->is_there &&
	       secret_equal(slice_of(a->bytes, CHAIN_SIZE), slice_of(b->bytes, CHAIN_SIZE));
}

/* A chain without records has a head without a seal: it was made where there is no key. */
static bool is_sealed(const struct vault *vault, const struct store_audit_head *head)
{
	struct store_audit_link seal = seal_of(vault, head);

	if (head->last == head->first)
		return !head->hash.is_there && !head->seal.is_there;
	return is_link(&head->seal, &seal);
}

/* ---- writing ---- */

static enum gp_err append(struct vault *vault, struct store_audit *audit)
{
	struct store_audit_head head = { 0 };
	enum gp_err err = store_audit_head_get(vault->store, &head);

	if (err == GP_OK) {
		audit->id = head.last + 1;
		audit->hash = link_of(vault, head.hash.bytes, audit);
		err = store_audit_add(vault->store, audit);
	}
	if (err == GP_OK) {
		head.last = audit->id;
		head.hash = audit->hash;
		head.seal = seal_of(vault, &head);
		err = store_audit_head_set(vault->store, &head);
	}
	if (err == GP_ERR_NOT_FOUND || err == GP_ERR_EXISTS) {
		log_error("audit_broken", LOG_STR("error", gp_err_text(err)));
		return GP_ERR_STORE;
	}
	if (err == GP_OK) {
		vault->audit.record = audit->id;
		memcpy(vault->audit.hash, audit->hash.bytes, CHAIN_SIZE);
	}
	return err;
}

enum gp_err audit_append(struct vault *vault, struct store_audit *audit)
{
	bool is_own = !store_is_in_transaction(vault->store);
	enum gp_err err = is_own ? store_begin(vault->store, STORE_DURABLE) : GP_OK;

	if (err != GP_OK)
		return err;
	err = append(vault, audit);
	if (!is_own)
		return err;
	if (err == GP_OK)
		err = store_commit(vault->store);
	else
		store_rollback(vault->store);
	audit_on_end(vault, err == GP_OK);
	return err;
}

void audit_on_end(struct vault *vault, bool is_kept)
{
	struct audit_pending *pending = &vault->audit;
	char hex[HEX_SIZE + 1];

	if (pending->record != 0 && is_kept)
		log_info("audit", LOG_UINT("record", pending->record),
			LOG_STR("hash", desk_hex(pending->hash, hex)));
	*pending = (struct audit_pending){ 0 };
}

/* ---- looking ---- */

struct walk {
	const struct vault *vault;
	const struct store_audit_head *head;
	struct audit_report *report;
	struct store_audit_link before;
	uint64_t next;
	uint64_t noted;
	const uint8_t *noted_hash;
};

/* Ends the walk: there is no more to find behind the first fault. */
static enum gp_err found(struct walk *walk, enum audit_fault fault, uint64_t record)
{
	walk->report->fault = fault;
	walk->report->record = record;
	return GP_ERR_AGAIN;
}

static enum gp_err check_record(const struct store_audit *audit, void *arg)
{
	struct walk *walk = arg;
	struct store_audit_link link;

	if (audit->id <= walk->head->first) {
		walk->report->earlier++;
		/* It was in the chain, whatever the head says now. */
		return audit->hash.is_there ? found(walk, AUDIT_HEAD, audit->id) : GP_OK;
	}
	if (audit->id > walk->head->last)
		return found(walk, AUDIT_ADDED, audit->id);
	if (audit->id != walk->next)
		return found(walk, AUDIT_MISSING, walk->next);
	link = link_of(walk->vault, walk->before.bytes, audit);
	if (!is_link(&audit->hash, &link))
		return found(walk, AUDIT_CHANGED, audit->id);
	if (audit->id == walk->noted && memcmp(link.bytes, walk->noted_hash, CHAIN_SIZE) != 0)
		return found(walk, AUDIT_OTHER, audit->id);
	walk->before = link;
	walk->next++;
	walk->report->records++;
	return GP_OK;
}

enum gp_err audit_verify(struct vault *vault, uint64_t noted, const uint8_t hash[static CHAIN_SIZE],
	struct audit_report *ret_report)
{
	struct store_audit_head head = { 0 };
	struct audit_report report = { .fault = AUDIT_WHOLE };
	struct walk walk = {
		.vault = vault, .head = &head, .report = &report, .noted = noted, .noted_hash = hash
	};
	enum gp_err err = store_audit_head_get(vault->store, &head);

	if (err != GP_OK && err != GP_ERR_NOT_FOUND)
		return err;
	if (err == GP_ERR_NOT_FOUND || !is_sealed(vault, &head)) {
		report.fault = AUDIT_HEAD;
		*ret_report = report;
		return GP_OK;
	}
	walk.next = head.first + 1;
	err = store_audit_walk(vault->store, check_record, &walk);
	if (err == GP_OK && walk.next <= head.last)
		err = found(&walk, AUDIT_TRUNCATED, walk.next);
	else if (err == GP_OK && head.last > head.first && !is_link(&head.hash, &walk.before))
		err = found(&walk, AUDIT_HEAD, 0);
	else if (err == GP_OK && noted >= walk.next)
		err = found(&walk, AUDIT_TRUNCATED, noted);
	if (err != GP_OK && err != GP_ERR_AGAIN)
		return err;
	report.last = head.last;
	memcpy(report.hash, head.hash.is_there ? head.hash.bytes : nothing, CHAIN_SIZE);
	*ret_report = report;
	return GP_OK;
}
