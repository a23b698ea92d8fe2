/* SPDX-License-Identifier: ISC */
#include "vault/case_row.h"

#include "base/check.h"
#include "base/text.h"
#include "policy/sending.h"
#include "store/store_case_sent.h"
#include "vault/sending_state.h"

void case_row_add_reasons(const struct store_case *found, json_t *row)
{
	struct sending_verdict verdict = { .sum = 0 };
	json_t *reasons = json_array();

	(void)sending_read(slice_str(found->reason), &verdict);
	for (enum sending_reason i = 0; i < SENDING_REASON_MAX; i++) {
		if (verdict.points[i] > 0)
			GP_ASSERT(json_array_append_new(
					  reasons, json_pack("{s:s, s:s, s:i}", "reason",
							   sending_reason_name(i), "why",
							   sending_reason_words(i), "points",
							   (int)verdict.points[i])) == 0);
	}
	GP_ASSERT(json_object_set_new(row, "points", json_integer(verdict.sum)) == 0);
	GP_ASSERT(json_object_set_new(row, "reasons", reasons) == 0);
}

json_t *case_row_of(const struct store_case *found)
{
	bool needs_staff = found->is_repeat || found->is_for_staff;
	bool is_kept = found->closed_at == 0 && found->outcome[0] != '\0';
	json_t *row = json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:s, s:b, s:b}", "id",
		(json_int_t)found->id, "address", found->address, "kind", found->kind, "opened_at",
		desk_json_time(found->opened_at), "began_at", desk_json_time(found->began_at),
		"reason", desk_json_text(slice_str(found->reason)), "opened_by", found->opened_by,
		"is_repeat", (int)found->is_repeat, "needs_staff", (int)(needs_staff && !is_kept));
	json_t *ending = json_pack("{s:s, s:o, s:s, s:o, s:o, s:s, s:s}", "answer", found->answer,
		"answered_at", desk_json_time(found->answered_at), "proof", found->proof,
		"proof_at", desk_json_time(found->proof_at), "closed_at",
		desk_json_time(found->closed_at), "closed_by", found->closed_by, "outcome",
		found->outcome);

	GP_ASSERT(row != NULL && ending != NULL);
	GP_ASSERT(json_object_update(row, ending) == 0);
	json_decref(ending);
	case_row_add_reasons(found, row);
	return row;
}

static json_t *sum_json(const struct store_sent_sum *sum)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "messages", (json_int_t)sum->messages,
		"recipients", (json_int_t)sum->recipients, "strangers", (json_int_t)sum->strangers,
		"stopped", (json_int_t)sum->stopped);
}

struct walk {
	struct desk_op *op;
	const struct store_case *found;
	json_t *list;
};

/* What tells the owner's places from a thief's. */
static enum gp_err add_source(const struct store_sent_source *source, void *arg)
{
	struct walk *walk = arg;
	struct store *store = walk->op->vault->store;
	struct release_facts facts = { .began_at = walk->found->began_at };
	struct ip ip;
	json_t *row = NULL;
	enum gp_err err = ip_parse_source(source->source, &ip);

	if (err == GP_OK)
		err = store_case_has_source(store, walk->found->id, &ip, &facts.source_took_part);
	if (err == GP_OK)
		err = store_known_first(store, walk->found->account, &ip, &facts.source_first_at);
	if (err != GP_OK)
		return err;
	row = sum_json(&source->sum);
	GP_ASSERT(row != NULL);
	GP_ASSERT(json_object_update(
			  row, json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "source",
				       desk_json_text(source->source), "country",
				       desk_json_text(source->country), "client_name",
				       desk_json_text(source->client_name), "first_at",
				       desk_json_time(source->first_at), "last_at",
				       desk_json_time(source->last_at), "took_part",
				       (int)facts.source_took_part, "is_known",
				       (int)(facts.source_first_at > 0 &&
					       facts.source_first_at < facts.began_at))) == 0);
	GP_ASSERT(json_array_append_new(walk->list, row) == 0);
	return GP_OK;
}

enum gp_err case_row_add_sent(struct desk_op *op, const struct store_case *found, json_t *row)
{
	struct walk walk = { op, found, json_array() };
	struct store_sent_sum sum = { 0 };
	json_t *sums = NULL;
	enum gp_err err = store_sent_sum(op->vault->store, found->account, found->began_at, &sum);

	if (err == GP_OK)
		err = store_sent_each_source(op->vault->store, found->account, found->began_at,
			CASE_SOURCES_SHOWN, add_source, &walk);
	sums = sum_json(&sum);
	GP_ASSERT(json_object_update(row, sums) == 0);
	json_decref(sums);
	GP_ASSERT(json_object_set_new(row, "networks", walk.list) == 0);
	return err;
}

/* Of a damaged row, or one of another pepper, there is no subject. */
static json_t *subject_json(const struct walk *walk, struct slice sealed)
{
	struct buf text;
	json_t *subject = NULL;

	buf_init_secret(&text, SENDING_STATE_SUBJECT_MAX);
	if (sending_state_open(walk->op->vault, walk->found->account, sealed, &text) != GP_OK)
		buf_clear(&text);
	subject = desk_json_text(buf_slice(&text));
	buf_fini(&text);
	return subject;
}

static enum gp_err send_sent(const struct store_sent_row *sent, void *arg)
{
	const struct walk *walk = arg;

	return desk_row(walk->op,
		json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "id",
			(json_int_t)sent->id, "at", desk_json_time(sent->at), "source",
			desk_json_text(sent->source), "country", desk_json_text(sent->country),
			"client_name", desk_json_text(sent->client_name), "sender",
			desk_json_text(sent->sender), "subject", subject_json(walk, sent->subject),
			"recipients", (json_int_t)sent->recipients, "strangers",
			(json_int_t)sent->strangers, "size", (json_int_t)sent->size, "outcome",
			desk_json_text(sent->outcome)));
}

enum gp_err case_row_send_sent(struct desk_op *op, const struct store_case *found)
{
	struct walk walk = { op, found, NULL };
	uint64_t limit = 0;
	uint64_t before = 0;
	enum gp_err err = desk_limit(op, &limit);

	if (err == GP_OK)
		err = desk_number(op, "before", 0, &before);
	if (err != GP_OK)
		return err;
	return store_sent_each(
		op->vault->store, found->account, found->began_at, before, limit, send_sent, &walk);
}
