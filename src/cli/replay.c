/* SPDX-License-Identifier: ISC */
#include "cli/replay.h"

#include <bsd/sys/queue.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "cli/replay_line.h"
#include "policy/sending_identity.h"

enum {
	DAY = 86400,
	NAME_MAX_LEN = 320,
	QUEUE_ID_SIZE = 33,
	SHOWN_SIZE = 400,
};

/* A message between its submission and its last delivery. */
struct pending {
	struct map_node node;
	TAILQ_ENTRY(pending) link;
	char queue_id[QUEUE_ID_SIZE];
	struct replay_account *account;
	struct ip source;
	char sender[NAME_MAX_LEN + 1];
	bool is_begun; /* a recipient was judged */
};

TAILQ_HEAD(pending_list, pending);

struct replay {
	const struct config *config;
	struct replay_options options;
	struct sending_policy policy;
	uint64_t key[2];
	struct map accounts;
	struct map messages;
	struct pending_list oldest;
	struct replay_year year;
	struct replay_totals totals;
};

/* What all recipients of a message have in common. */
struct mail {
	struct replay_account *account;
	int64_t at;
	struct slice sender;
	struct ip source;
	uint32_t client;
	bool is_first; /* the next recipient is the first one */
};

struct replay *replay_new(const struct config *config, const struct replay_options *options)
{
	struct replay *replay = mem_new(1, sizeof *replay);

	replay->config = config;
	replay->options = *options;
	sending_policy_init(&replay->policy, config);
	replay->policy.mode = CONFIG_SENDING_ENFORCE; /* what would have happened */
	rand_bytes(replay->key, sizeof replay->key);
	map_init(&replay->accounts);
	map_init(&replay->messages);
	TAILQ_INIT(&replay->oldest);
	return replay;
}

static void free_account(struct map_node *node, void *owner)
{
	struct replay_account *account = MAP_ENTRY(node, struct replay_account, node);
	struct replay *replay = owner;

	map_remove(&replay->accounts, node);
	profile_fini(&account->profile);
	mem_free(account->name);
	mem_free(account);
}

static void free_pending(struct replay *replay, struct pending *pending)
{
	map_remove(&replay->messages, &pending->node);
	TAILQ_REMOVE(&replay->oldest, pending, link);
	mem_free(pending);
}

void replay_free(struct replay **preplay)
{
	struct replay *replay = *preplay;

	if (replay == NULL)
		return;
	*preplay = NULL;
	while (!TAILQ_EMPTY(&replay->oldest))
		free_pending(replay, TAILQ_FIRST(&replay->oldest));
	map_each(&replay->accounts, free_account, replay);
	map_fini(&replay->accounts);
	map_fini(&replay->messages);
	mem_free(replay);
}

void replay_begin_file(struct replay *replay, int64_t newest)
{
	replay_year_init(&replay->year, newest);
}

/* ---- accounts ---- */

static struct replay_account *account_of(struct replay *replay, struct slice typed)
{
	char name[NAME_MAX_LEN + 1];
	struct replay_account *account;
	struct map_node *node;
	ptrdiff_t at;

	if (!slice_copy(typed, name, sizeof name) || !text_is_printable(typed))
		return NULL;
	text_lower_all(name);
	node = map_find(&replay->accounts, slice_str(name));
	if (node != NULL)
		return MAP_ENTRY(node, struct replay_account, node);
	if (replay->accounts.count >= REPLAY_ACCOUNTS_MAX) {
		replay->totals.left_out++;
		return NULL;
	}
	account = mem_new(1, sizeof *account);
	account->name = mem_strdup(name);
	account->gravest = SENDING_PASS;
	at = slice_find_last(slice_str(name), '@');
	account->plan = config_account_plan(
		replay->config, slice_from(slice_str(name), at >= 0 ? (size_t)at + 1 : 0));
	map_add(&replay->accounts, &account->node, slice_str(account->name));
	return account;
}

static bool is_learning(const struct replay *replay, int64_t at)
{
	return at < replay->totals.first_at + replay->options.learn_days * DAY;
}

/* A login without domain is the local part, whatever the domain. */
static bool is_own_sender(const struct replay_account *account, struct slice sender)
{
	struct sending_names names = { .account = slice_str(account->name), .separator = '+' };
	ptrdiff_t at = slice_find_last(sender, '@');

	if (slice_find(names.account, '@') < 0 && at >= 0)
		sender = slice_head(sender, (size_t)at);
	return sending_identity_is_own(&names, sender);
}

/* Learns the address while the log's first days last. */
static bool may_send_as(struct replay *replay, struct replay_account *account, struct slice sender,
	int64_t at, uint32_t *ret_tag)
{
	uint32_t tag = profile_tag(replay->key, sender);

	*ret_tag = tag;
	if (is_own_sender(account, sender))
		return true;
	for (size_t i = 0; i < REPLAY_SENDERS; i++) {
		if (account->senders[i] == tag)
			return true;
	}
	if (!is_learning(replay, at))
		return false;
	account->senders[account->senders_next] = tag;
	account->senders_next = (account->senders_next + 1) % REPLAY_SENDERS;
	return true;
}

/* ---- what comes of a recipient ---- */

static json_t *shown(struct slice text)
{
	char out[SHOWN_SIZE];

	text_escape(text, out, sizeof out);
	return json_string(out);
}

static void tell(const struct replay *replay, const struct mail *mail, struct slice recipient,
	const char *outcome, const struct sending_verdict *verdict)
{
	char why[SENDING_TEXT_SIZE];
	json_t *line;

	if (replay->options.each == NULL)
		return;
	line = json_pack("{s:I, s:s, s:o, s:o, s:s, s:i, s:s}", "t", (json_int_t)mail->at,
		"account", mail->account->name, "sender", shown(mail->sender), "recipient",
		shown(recipient), "outcome", outcome, "points", (int)verdict->sum, "why",
		sending_explain(verdict, why));
	(void)json_dumpf(line, replay->options.each, JSON_COMPACT);
	(void)fputc('\n', replay->options.each);
	json_decref(line);
}

static void note_grave(
	struct replay_account *account, const struct sending_verdict *verdict, int64_t at)
{
	if (verdict->outcome < account->gravest) {
		account->gravest = verdict->outcome;
		account->why = *verdict;
		account->why_at = at;
	}
	if (verdict->outcome == SENDING_ASK && account->asked_at == 0)
		account->asked_at = at;
	if (verdict->outcome == SENDING_BLOCK && account->blocked_at == 0)
		account->blocked_at = at;
}

static void count(const struct replay *replay, const struct mail *mail, struct slice recipient,
	const struct sending_answer *answer)
{
	struct replay_counts *counts = &mail->account->counts;

	if (answer->is_limited)
		counts->limited++;
	else if (answer->outcome == SENDING_BLOCK)
		counts->blocked++;
	else if (answer->outcome == SENDING_ASK)
		counts->asked++;
	else if (answer->outcome == SENDING_SLOW)
		counts->slowed++;
	if (answer->outcome == SENDING_PASS) {
		counts->passed++;
		counts->strangers += answer->amount.strangers;
	} else {
		tell(replay, mail, recipient,
			answer->is_limited ? "limit" : sending_outcome_name(answer->outcome),
			&answer->verdict);
	}
	note_grave(mail->account, &answer->verdict, mail->at);
}

static void take_result(struct replay_account *account, const struct profile_try *try,
	enum replay_result result, int64_t at)
{
	if (result == REPLAY_UNKNOWN)
		profile_refused_unknown(&account->profile, try->recipient, at);
	else if (result == REPLAY_SPAM)
		profile_refused_spam(&account->profile, at);
}

static void learn(const struct replay *replay, const struct mail *mail,
	const struct profile_try *try, enum replay_result result)
{
	struct profile *profile = &mail->account->profile;
	struct sending_facts facts;

	profile_look(profile, &replay->policy, try, mail->at, &facts);
	profile_note(profile, try, &facts, SENDING_PASS, mail->at);
	if (result == REPLAY_SENT)
		profile_delivered(profile, try, mail->at);
	take_result(mail->account, try, result, mail->at);
}

static void judge(struct replay *replay, struct mail *mail, struct slice recipient,
	const struct profile_try *try, enum replay_result result)
{
	struct replay_account *account = mail->account;
	struct sending_sender sender = { .profile = &account->profile,
		.scopes = { { account->plan, &account->meter } } };
	struct sending_answer answer;
	int64_t asked_at = account->profile.asked_at;

	if (replay->options.answer_s > 0 && asked_at != 0 &&
		mail->at >= asked_at + replay->options.answer_s)
		profile_confirm(&account->profile, mail->at);
	sending_gate_recipient(&replay->policy, &sender, try, mail->is_first, mail->at, &answer);
	count(replay, mail, recipient, &answer);
	if (answer.outcome != SENDING_PASS)
		return;
	mail->is_first = false;
	if (result == REPLAY_SENT)
		sending_gate_delivered(&replay->policy, &sender, try, &answer.amount, mail->at);
	else
		sending_gate_returned(&sender, &answer.amount);
	take_result(account, try, result, mail->at);
}

/* Was the sender refused, or the account before? */
static bool is_refused(struct replay *replay, const struct mail *mail, struct slice recipient)
{
	static const struct sending_verdict none;
	struct replay_account *account = mail->account;
	uint32_t tag;

	if (account->blocked_at != 0) {
		account->counts.blocked++;
		tell(replay, mail, recipient, "blocked", &account->why);
		return true;
	}
	if (may_send_as(replay, account, mail->sender, mail->at, &tag))
		return false;
	profile_forged(&account->profile, tag, mail->at);
	account->counts.forged++;
	tell(replay, mail, recipient, "forged", &none);
	return true;
}

static void take_recipient(
	struct replay *replay, struct mail *mail, struct slice recipient, enum replay_result result)
{
	struct profile_try try = {
		.recipient = profile_tag(replay->key, recipient),
		.client = mail->client,
		.source = mail->source,
		.is_known_place = sending_gate_is_trusted(&replay->policy, &mail->source),
	};

	if (!is_learning(replay, mail->at))
		mail->account->counts.recipients++;
	if (is_refused(replay, mail, recipient))
		return;
	if (is_learning(replay, mail->at))
		learn(replay, mail, &try, result);
	else
		judge(replay, mail, recipient, &try, result);
}

static void begin_mail(struct replay *replay, const struct mail *mail)
{
	if (!is_learning(replay, mail->at))
		mail->account->counts.messages++;
}

static void note_time(struct replay *replay, int64_t at)
{
	if (replay->totals.first_at == 0 || at < replay->totals.first_at)
		replay->totals.first_at = at;
	if (at > replay->totals.last_at)
		replay->totals.last_at = at;
}

/* ---- lines of a Postfix log ---- */

static struct pending *find_pending(const struct replay *replay, struct slice queue_id)
{
	struct map_node *node = map_find(&replay->messages, queue_id);

	return node != NULL ? MAP_ENTRY(node, struct pending, node) : NULL;
}

static void on_submitted(struct replay *replay, const struct replay_line *line)
{
	struct replay_account *account = account_of(replay, line->account);
	struct pending *pending = find_pending(replay, line->queue_id);

	if (account == NULL)
		return;
	if (pending != NULL) /* its end was not logged */
		free_pending(replay, pending);
	if (replay->messages.count >= REPLAY_PENDING_MAX)
		free_pending(replay, TAILQ_FIRST(&replay->oldest));
	pending = mem_new(1, sizeof *pending);
	pending->account = account;
	pending->source = line->source;
	(void)slice_copy(line->queue_id, pending->queue_id, sizeof pending->queue_id);
	map_add(&replay->messages, &pending->node, slice_str(pending->queue_id));
	TAILQ_INSERT_TAIL(&replay->oldest, pending, link);
}

static void on_delivery(
	struct replay *replay, const struct replay_line *line, struct pending *pending)
{
	struct mail mail = { .account = pending->account,
		.at = line->at,
		.sender = slice_str(pending->sender),
		.source = pending->source,
		.is_first = !pending->is_begun };

	if (line->result == REPLAY_DEFERRED) /* its last word will come */
		return;
	if (!pending->is_begun)
		begin_mail(replay, &mail);
	pending->is_begun = true;
	take_recipient(replay, &mail, line->recipient, line->result);
}

static void on_forged(struct replay *replay, const struct replay_line *line)
{
	struct replay_account *account = account_of(replay, line->account);

	if (account == NULL || is_learning(replay, line->at))
		return;
	account->counts.forged++;
	profile_forged(&account->profile, profile_tag(replay->key, line->sender), line->at);
}

static void take_log(struct replay *replay, struct slice text)
{
	struct replay_line line;
	struct pending *pending = NULL;

	replay_line_parse(text, &replay->year, &line);
	if (line.kind == REPLAY_NOTHING)
		return;
	note_time(replay, line.at);
	if (line.kind != REPLAY_SUBMITTED && line.kind != REPLAY_FORGED) {
		pending = find_pending(replay, line.queue_id);
		if (pending == NULL)
			return;
	}
	switch (line.kind) {
	case REPLAY_SUBMITTED:
		on_submitted(replay, &line);
		break;
	case REPLAY_QUEUED:
		(void)slice_copy(line.sender, pending->sender, sizeof pending->sender);
		break;
	case REPLAY_DELIVERY:
		on_delivery(replay, &line, pending);
		break;
	case REPLAY_REMOVED:
		free_pending(replay, pending);
		break;
	case REPLAY_FORGED:
		on_forged(replay, &line);
		break;
	case REPLAY_NOTHING:
		break;
	}
}

/* ---- JSON lines ---- */

static void take_json(struct replay *replay, struct slice text)
{
	struct replay_json json;
	struct mail mail = { .is_first = true };
	unsigned strangers = 0;

	if (!replay_json_parse(text, &json)) {
		replay->totals.not_understood++;
		return;
	}
	mail.account = account_of(replay, json.account);
	mail.at = json.at;
	mail.sender = json.sender;
	mail.source = json.source;
	mail.client = json.client.len > 0 ? profile_tag(replay->key, json.client) : 0;
	if (mail.account != NULL) {
		uint64_t before = mail.account->counts.strangers;

		note_time(replay, json.at);
		begin_mail(replay, &mail);
		for (size_t i = 0; i < json.count; i++) {
			struct slice recipient = replay_json_recipient(&json, i);

			if (recipient.len > 0)
				take_recipient(replay, &mail, recipient, json.result);
		}
		strangers = (unsigned)(mail.account->counts.strangers - before);
		if (json.body.len > 0)
			profile_sent_body(&mail.account->profile,
				profile_tag(replay->key, json.body), strangers, json.at);
	}
	replay_json_fini(&json);
}

void replay_take(struct replay *replay, struct slice line)
{
	line = slice_trim(line);
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	replay->totals.lines++;
	if (line.len > 0 && line.data[0] == '{')
		take_json(replay, line);
	else
		take_log(replay, line);
}

/* ---- what came of it ---- */

struct replay_totals replay_totals(const struct replay *replay)
{
	return replay->totals;
}

static int compare(const void *a, const void *b)
{
	const struct replay_account *first = *(const struct replay_account *const *)a;
	const struct replay_account *second = *(const struct replay_account *const *)b;

	if (first->gravest != second->gravest)
		return first->gravest < second->gravest ? -1 : 1;
	return strcmp(first->name, second->name);
}

struct gathering {
	const struct replay_account **accounts;
	size_t count;
};

static void gather(struct map_node *node, void *owner)
{
	struct gathering *gathering = owner;

	gathering->accounts[gathering->count++] = MAP_ENTRY(node, struct replay_account, node);
}

const struct replay_account **replay_accounts(const struct replay *replay, size_t *ret_count)
{
	struct gathering gathering = { mem_new(replay->accounts.count + 1, sizeof(void *)), 0 };
	struct map accounts = replay->accounts; /* visited only */

	map_each(&accounts, gather, &gathering);
	qsort(gathering.accounts, gathering.count, sizeof *gathering.accounts, compare);
	*ret_count = gathering.count;
	return gathering.accounts;
}
