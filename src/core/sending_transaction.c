/* SPDX-License-Identifier: ISC */
/* From the first RCPT to the end of a transaction. */
#include "base/check.h"
#include "base/mem.h"
#include "core/sending_case.h"
#include "core/sending_mail.h"
#include "core/sending_session.h"

enum {
	TRIES_STEP = 8
};

static const struct config_plan no_limits; /* all 0 */

struct sending_account *sending_session_account(const struct sending_session *self)
{
	return self->units[SENDING_SCOPE_ACCOUNT]->of;
}

bool sending_session_is_blocked(const struct sending_session *self)
{
	return self->session->block == SESSION_BLOCK_YES ||
	       (self->units[SENDING_SCOPE_ACCOUNT] != NULL &&
		       sending_session_account(self)->is_blocked);
}

/* ---- what it is measured by ---- */

struct slice sending_session_domain(const struct session *session)
{
	struct slice address = slice_str(session->address);

	return slice_from(address, (size_t)(slice_find_last(address, '@') + 1));
}

static const struct config_plan *plan_of(
	const struct sending_session *self, enum sending_scope_kind kind)
{
	const struct config *config = self->core->config;
	struct slice domain = sending_session_domain(self->session);
	struct slice route = slice_str(self->session->route);

	switch (kind) {
	case SENDING_SCOPE_ACCOUNT:
		if (route.len == 0 && self->units[kind] != NULL)
			route = slice_str(sending_session_account(self)->route);
		return config_account_plan(config, route.len > 0 ? route : domain);
	case SENDING_SCOPE_DOMAIN:
		return config_domain_plan(config, domain);
	case SENDING_SCOPE_SOURCE:
		return config_source_plan(config);
	case SENDING_SCOPES:
		break;
	}
	return NULL;
}

struct sending_part *sending_session_part(const struct sending_session *self)
{
	return sending_parts_get(&sending_session_account(self)->parts, &self->session->source->ip,
		sending_now(self->core));
}

struct sending_sender sending_session_sender(const struct sending_session *self)
{
	struct sending_sender sender = { .profile = &sending_session_account(self)->profile };

	for (unsigned kind = 0; kind < SENDING_SCOPES; kind++) {
		const struct config_plan *plan = NULL;

		if (!self->is_metered[kind])
			continue;
		plan = plan_of(self, (enum sending_scope_kind)kind);
		sender.scopes[kind] = (struct sending_scope){ plan != NULL ? plan : &no_limits,
			&self->units[kind]->meter };
	}
	return sender;
}

/* false: there is no room for more accounts now. */
bool sending_session_hold(struct sending_session *self)
{
	struct core *core = self->core;
	const struct session *session = self->session;
	struct sending_unit **units = self->units;

	units[SENDING_SCOPE_ACCOUNT] = sending_unit_hold_account(core, session->account);
	if (units[SENDING_SCOPE_ACCOUNT] == NULL)
		return false;
	self->is_metered[SENDING_SCOPE_ACCOUNT] = true;
	self->is_metered[SENDING_SCOPE_DOMAIN] = plan_of(self, SENDING_SCOPE_DOMAIN) != NULL;
	self->is_metered[SENDING_SCOPE_SOURCE] = plan_of(self, SENDING_SCOPE_SOURCE) != NULL &&
						 session->source->ip.family != IP_NONE;
	if (self->is_metered[SENDING_SCOPE_DOMAIN])
		units[SENDING_SCOPE_DOMAIN] =
			sending_unit_hold_domain(core, sending_session_domain(session));
	if (self->is_metered[SENDING_SCOPE_SOURCE])
		units[SENDING_SCOPE_SOURCE] = sending_unit_hold_source(core, &session->source->ip);
	return (units[SENDING_SCOPE_DOMAIN] != NULL) == self->is_metered[SENDING_SCOPE_DOMAIN] &&
	       (units[SENDING_SCOPE_SOURCE] != NULL) == self->is_metered[SENDING_SCOPE_SOURCE];
}

/* ---- the end of a transaction ---- */

void sending_session_close(struct sending_session *self)
{
	sending_unit_cancel(&self->waiter);
	for (unsigned kind = 0; kind < SENDING_SCOPES; kind++)
		sending_unit_drop(&self->units[kind]);
	mem_free(self->sender);
	mem_free(self->recipient);
	mem_free(self->tries);
	self->sender = self->recipient = NULL;
	self->tries = NULL;
	self->count = self->room = self->live = 0;
	self->is_waiting = self->is_open = self->has_message = self->is_spam = false;
	self->delivered = self->refused = (struct sent_sum){ 0 };
}

static void add_sum(struct sent_sum *sum, const struct sent_try *try)
{
	sum->recipients++;
	sum->strangers += try->is_stranger;
}

/* Of one recipient, once. The message itself is counted with the first that is delivered. */
static void end_try(struct sending_session *self, struct sent_try *try, bool is_delivered)
{
	struct core *core = self->core;
	struct sending_sender sender = sending_session_sender(self);
	struct sending_amount amount = { .recipients = 1, .strangers = try->is_stranger };
	struct profile_try facts = self->try;

	try->is_ended = true;
	self->live--;
	if (!is_delivered) {
		sending_gate_returned(&sender, &amount);
		add_sum(&self->refused, try);
		return;
	}
	amount.messages = self->has_message;
	self->has_message = false;
	facts.recipient = try->recipient;
	sending_gate_delivered(&core->sending.policy, &sender, &facts, &amount, sending_now(core));
	add_sum(&self->delivered, try);
	core->stats.recipients_metered++;
}

static void end_tries(struct sending_session *self, bool is_delivered)
{
	struct sending_sender sender = sending_session_sender(self);

	for (size_t i = 0; i < self->count; i++) {
		if (!self->tries[i].is_ended)
			end_try(self, &self->tries[i], is_delivered);
	}
	if (self->has_message)
		sending_gate_returned(&sender, &(struct sending_amount){ .messages = 1 });
	self->has_message = false;
}

/* Everything still reserved is given back. */
void sending_session_abandon(struct sending_session *self)
{
	bool has_sent = false;

	if (!self->is_open) {
		sending_session_close(self);
		return;
	}
	end_tries(self, false);
	has_sent = self->delivered.recipients > 0;
	if (has_sent)
		sending_tell_done(
			self->core, self->session, self->sender, &self->delivered, true, NULL);
	if (self->count > 0)
		sending_account_touch(sending_session_account(self));
	sending_session_close(self);
}

void sending_mail_end(struct core *core, struct session *session)
{
	struct sending_session *self = session->sending;

	(void)core;
	if (self == NULL)
		return;
	sending_session_abandon(self);
	for (unsigned outcome = 0; outcome < SENT_MAX; outcome++)
		sending_tell_vain(core, session, (enum sent_outcome)outcome, &self->vain[outcome]);
	session->sending = NULL;
	mem_free(self);
}

/* ---- RCPT ---- */

static void reserve(struct sending_session *self, const struct profile_try *try,
	const struct sending_answer *answer)
{
	if (self->count == self->room) {
		self->room += self->room + TRIES_STEP;
		self->tries = mem_resize(self->tries, self->room, sizeof *self->tries);
	}
	self->live++;
	self->tries[self->count++] = (struct sent_try){ .recipient = try->recipient,
		.is_stranger = answer->amount.strangers > 0 };
	self->has_message |= answer->amount.messages > 0;
}

/* What would have been done, in the shadow. */
static void count_shadow(struct stats *stats, enum sending_outcome outcome)
{
	stats->sending_would_slow += outcome == SENDING_SLOW;
	stats->sending_would_ask += outcome == SENDING_ASK;
	stats->sending_would_block += outcome == SENDING_BLOCK;
}

/* outcome: of what is not let through. */
static enum permit refuse(struct sending_session *self, const struct sending_answer *answer)
{
	struct core *core = self->core;
	struct sending_account *account = sending_session_account(self);
	enum sent_outcome outcome = SENT_SLOWED;
	enum permit permit = PERMIT_SLOW;

	if (answer->is_limited) {
		outcome = SENT_LIMITED;
		permit = PERMIT_LIMIT;
		core->stats.sending_limited++;
	} else if (answer->outcome == SENDING_SLOW) {
		core->stats.sending_slowed++;
	} else if (answer->outcome == SENDING_ASK) {
		outcome = SENT_ASKED;
		permit = PERMIT_ASKED;
		core->stats.sending_asked++;
	} else {
		outcome = SENT_BLOCKED;
		permit = PERMIT_BLOCKED;
		core->stats.sending_blocked++;
		account->is_blocked = true;
		sending_mail_end_leases(core, account->unit.account);
	}
	self->vain[outcome].recipients++;
	self->vain[outcome].strangers += answer->amount.strangers;
	return permit;
}

/* A question that was asked already is not asked with each recipient, unless the vault may not know
 * of it: core was restarted since. */
static void open_case(struct sending_session *self, const struct sending_answer *answer)
{
	struct sending_account *account = sending_session_account(self);
	bool is_new = answer->outcome == SENDING_BLOCK ||
		      (answer->outcome == SENDING_ASK && !account->has_asked);

	if (answer->is_limited || !is_new)
		return;
	account->has_asked = true;
	sending_case_open(account, answer->outcome, &answer->verdict, self->session);
}

static void judge_recipient(
	struct sending_session *self, struct slice recipient, const struct config_backend *backend)
{
	struct core *core = self->core;
	const struct sending_policy *policy = &core->sending.policy;
	struct sending_account *account = sending_session_account(self);
	struct sending_sender sender = sending_session_sender(self);
	struct sending_answer answer;
	char words[SENDING_WORDS_SIZE];

	sender.part = sending_session_part(self);
	self->try.recipient = profile_tag(core->sending.key, recipient);
	sending_gate_recipient(policy, &sender, &self->try,
		!self->has_message && self->delivered.recipients == 0, sending_now(core), &answer);
	if (policy->mode == CONFIG_SENDING_OBSERVE) {
		/* Nobody was asked, so nobody's answer is awaited. */
		account->profile.asked_at = 0;
		count_shadow(&core->stats, answer.verdict.outcome);
	}
	if (answer.outcome == SENDING_PASS) {
		reserve(self, &self->try, &answer);
		mail_permit_recipient(core, self->session, backend,
			answer.amount.strangers > 0 && policy->mode != CONFIG_SENDING_OFF);
		return;
	}
	enum permit permit = refuse(self, &answer);

	open_case(self, &answer);
	sending_account_touch(account);
	mail_reply_recipient(core, self->session, permit, NULL,
		permit == PERMIT_LIMIT ? sending_tell_limit(&answer.shortage, words)
				       : self->session->address);
}

void sending_mail_on_end(struct core *core, struct session *session, enum filter filter)
{
	struct sending_session *self = session->sending;
	const struct sending_policy *policy = &core->sending.policy;
	struct sending_sender sender;
	struct sending_answer answer;
	enum permit permit = PERMIT_YES;

	/* Of a transaction that the last core knew. */
	if (self == NULL || !self->is_open) {
		mail_reply_end(core, session, PERMIT_TEMPORARY);
		return;
	}
	sender = sending_session_sender(self);
	sender.part = sending_session_part(self);
	sending_gate_message(
		policy, &sender, &self->try, filter == FILTER_BAD, sending_now(core), &answer);
	if (policy->mode == CONFIG_SENDING_OBSERVE)
		count_shadow(&core->stats, answer.verdict.outcome);
	if (answer.outcome != SENDING_PASS) {
		permit = refuse(self, &answer);
		open_case(self, &answer);
	}
	if (sending_session_is_blocked(self))
		permit = PERMIT_BLOCKED;
	core->stats.filter_refused += permit != PERMIT_YES;
	sending_account_touch(sending_session_account(self));
	mail_reply_end(core, session, permit);
}

static const struct config_backend *backend_of(const struct sending_session *self)
{
	const struct session *session = self->session;
	const char *route = session->route;

	if (route == NULL || route[0] == '\0')
		route = sending_session_account(self)->route;
	return domains_backend(self->core, route, session->address, PROTOCOL_SMTP);
}

void sending_mail_on_rcpt(struct core *core, struct session *session, struct slice recipient)
{
	struct sending_session *self = session->sending;
	const struct config_backend *backend = NULL;

	if (sending_mail_is_waiting(session)) {
		if (self->recipient == NULL)
			self->recipient = slice_dup(recipient);
		else
			front_cut(session->front, "RCPT while RCPT is asked", session->id);
		return;
	}
	if (self == NULL || !self->is_open) {
		bool is_blocked = session->block == SESSION_BLOCK_YES ||
				  (self != NULL && self->permit == PERMIT_BLOCKED);

		mail_reply_recipient(core, session, is_blocked ? PERMIT_BLOCKED : PERMIT_TEMPORARY,
			NULL, session->address);
		return;
	}
	backend = backend_of(self);
	if (sending_session_is_blocked(self)) {
		self->vain[SENT_BLOCKED].recipients++;
		mail_reply_recipient(core, session, PERMIT_BLOCKED, NULL, session->address);
	} else if (backend == NULL || self->live >= core->config->message_recipients ||
		   self->count >= SENDING_MAIL_TRIES_MAX) {
		mail_reply_recipient(core, session, PERMIT_TEMPORARY, NULL, NULL);
	} else {
		judge_recipient(self, recipient, backend);
	}
}

/* ---- what the next hop said ---- */

static void note_part(struct sending_session *self, enum sending_part_count what)
{
	struct sending_part *part = sending_session_part(self);

	if (part != NULL)
		sending_part_add(part, what);
}

static void note_unknown(struct sending_session *self, uint32_t recipient)
{
	if (profile_refused_unknown(
		    &sending_session_account(self)->profile, recipient, sending_now(self->core)))
		note_part(self, SENDING_PART_UNKNOWN);
}

static void note_spam(struct sending_session *self)
{
	if (self->is_spam)
		return;
	self->is_spam = true;
	profile_refused_spam(&sending_session_account(self)->profile, sending_now(self->core));
	note_part(self, SENDING_PART_SPAM);
}

void sending_mail_on_rcpt_done(
	struct core *core, struct session *session, const struct ipc_rcpt_done *done)
{
	struct sending_session *self = session->sending;
	struct sent_try *try = NULL;

	/* Of a transaction that the last core knew. */
	if (self == NULL || !self->is_open)
		return;
	if (done->index >= self->count || self->tries[done->index].is_ended) {
		front_cut(session->front, "outcome of no recipient", session->id);
		return;
	}
	try = &self->tries[done->index];
	end_try(self, try, done->outcome == RCPT_DELIVERED);
	if (core->sending.policy.mode == CONFIG_SENDING_OFF)
		return;
	if (done->outcome == RCPT_UNKNOWN)
		note_unknown(self, try->recipient);
	else if (done->outcome == RCPT_SPAM)
		note_spam(self);
}

static void learn(struct sending_session *self, const struct ipc_message_done *done)
{
	struct profile *profile = &sending_session_account(self)->profile;
	struct core *core = self->core;
	int64_t now = sending_now(core);

	if (core->sending.policy.mode == CONFIG_SENDING_OFF)
		return;
	if (done->is_spam)
		note_spam(self);
	if (done->body.len > 0 && self->delivered.strangers > 0)
		profile_sent_body(profile, profile_tag(core->sending.key, done->body),
			self->delivered.strangers, now);
}

/* Nothing was reserved here for what the next hop has taken. */
static void add_late(
	struct core *core, struct session *session, const struct ipc_message_done *done)
{
	const struct config_plan *source_plan = config_source_plan(core->config);
	struct sending_amount amount = { 1, done->recipients, 0 };
	struct sent_sum sum = { .recipients = done->recipients };
	struct sending_unit *units[SENDING_SCOPES] = { sending_unit_hold_account(
		core, session->account) };

	if (amount.recipients > core->config->message_recipients)
		amount.recipients = core->config->message_recipients;
	if (config_domain_plan(core->config, sending_session_domain(session)) != NULL)
		units[1] = sending_unit_hold_domain(core, sending_session_domain(session));
	if (source_plan != NULL && session->source->ip.family != IP_NONE)
		units[2] = sending_unit_hold_source(core, &session->source->ip);
	for (unsigned i = 0; i < SENDING_SCOPES; i++) {
		if (units[i] != NULL)
			sending_unit_add_late(units[i], &amount, sending_now(core));
		sending_unit_drop(&units[i]);
	}
	core->stats.recipients_metered += amount.recipients;
	sending_tell_done(core, session, "", &sum, true, done);
}

void sending_mail_on_done(
	struct core *core, struct session *session, const struct ipc_message_done *done)
{
	struct sending_session *self = session->sending;

	if (self == NULL || !self->is_open) {
		if (done->accepted && done->recipients > 0)
			add_late(core, session, done);
		return;
	}
	end_tries(self, done->accepted);
	learn(self, done);
	if (self->delivered.recipients > 0)
		sending_tell_done(core, session, self->sender, &self->delivered, true, done);
	else if (self->refused.recipients > 0 && (done->size > 0 || done->is_spam))
		sending_tell_done(core, session, self->sender, &self->refused, false, done);
	sending_account_touch(sending_session_account(self));
	sending_session_close(self);
}
