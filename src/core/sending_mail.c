/* SPDX-License-Identifier: ISC */
/* MAIL, its leases, and the From: field: whose name is used. */
#include "core/sending_mail.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/sending_session.h"

static struct sending_session *begin(struct core *core, struct session *session)
{
	struct sending_session *self = session->sending;

	if (self != NULL)
		return self;
	self = mem_new(1, sizeof *self);
	self->core = core;
	self->session = session;
	session->sending = self;
	return self;
}

/* ---- MAIL ---- */

bool sending_mail_is_waiting(const struct session *session)
{
	return session->sending != NULL && session->sending->is_waiting;
}

/* An address that does not canonicalise may still be listed. */
static bool is_own(const struct sending_session *self, struct slice address)
{
	const struct session *session = self->session;
	struct signin_names domains = domains_names(self->core, session->listener, SLICE_LIT(""));
	struct sending_names names =
		sending_account_names(sending_session_account(self), slice_str(session->address));
	char canonical[SIGNIN_LOGIN_SIZE];

	/* Without a domain it is what the next hop makes of it. */
	if (address.len > 0 && slice_find(address, '@') < 0)
		return false;
	if (address.len > 0 && signin_canonical(address, &domains, canonical))
		address = slice_str(canonical);
	return sending_identity_is_own(&names, address);
}

static void note_forged(struct sending_session *self, struct slice address)
{
	struct core *core = self->core;
	struct sending_account *account = sending_session_account(self);
	const struct sending_policy *policy = &core->sending.policy;
	struct sending_part *part = sending_session_part(self);
	int64_t now = sending_now(core);
	struct sending_facts facts;
	bool counts;

	core->stats.sending_not_own++;
	if (policy->mode == CONFIG_SENDING_OFF)
		return;
	counts = profile_forged(&account->profile, profile_tag(core->sending.key, address), now);
	profile_look(&account->profile, policy, &self->try, now, &facts);
	if (part != NULL && counts)
		sending_part_add(part, SENDING_PART_FORGED);
	if (part != NULL && facts.is_new_network)
		sending_part_add(part, SENDING_PART_ELSEWHERE);
	sending_account_touch(account);
}

static void prepare_try(struct sending_session *self)
{
	const struct session *session = self->session;
	const struct sending *sending = &self->core->sending;
	struct slice name = slice_str(session->client_name);
	bool is_old =
		session->known_since != 0 && clock_wall() - session->known_since >= SENDING_KNOWN_S;

	self->try = (struct profile_try){
		.client = name.len > 0 ? profile_tag(sending->key, name) : 0,
		.source = session->client,
		.country = session->country,
		.is_known_place =
			is_old || sending_gate_is_trusted(&sending->policy, &session->client),
	};
}

static uint64_t size_limit(const struct sending_session *self)
{
	struct sending_sender sender = sending_session_sender(self);

	return sending_gate_size(sender.scopes, self->core->config->message_size);
}

static enum permit judge_mail(struct sending_session *self)
{
	struct core *core = self->core;
	bool is_noted = false;

	if (sending_session_is_blocked(self)) {
		self->vain[SENT_BLOCKED].recipients++;
		return PERMIT_BLOCKED;
	}
	prepare_try(self);
	if (!is_own(self, slice_str(self->sender))) {
		note_forged(self, slice_str(self->sender));
		if (core->config->sending_mode != CONFIG_SENDING_OBSERVE)
			return PERMIT_NOT_OWN;
		is_noted = true;
	}
	if (self->size > size_limit(self))
		return PERMIT_SIZE;
	/* Of a MAIL without RCPT core does not hear by a lease. */
	if (!self->is_leased)
		self->has_lease = !is_noted;
	return PERMIT_YES;
}

static void answer_mail(struct sending_session *self, enum permit permit)
{
	struct core *core = self->core;
	struct session *session = self->session;
	uint64_t size = permit == PERMIT_YES ? size_limit(self) : 0;
	char *recipient = self->recipient;
	bool is_leased = self->is_leased;

	self->is_waiting = false;
	self->is_open = permit == PERMIT_YES;
	self->permit = permit;
	self->recipient = NULL;
	if (permit != PERMIT_YES)
		sending_session_close(self);
	if (!is_leased)
		mail_reply_sender(core, session, permit, size, self->has_lease);
	if (recipient != NULL)
		sending_mail_on_rcpt(core, session, slice_str(recipient));
	mem_free(recipient);
}

static void try_mail(struct sending_session *self);

static void on_ready(struct sending_waiter *waiter, bool ok)
{
	struct sending_session *self = waiter->owner;
	struct session *session = self->session;
	bool is_gone = sending_session_account(self)->is_gone;

	if (session->state != SESSION_SIGNED_IN) {
		sending_session_close(self);
	} else if (ok) {
		try_mail(self);
	} else {
		answer_mail(self, PERMIT_TEMPORARY);
		if (is_gone)
			session_close(self->core, session, CLOSE_ACCOUNT_REMOVED, 0);
	}
}

/* All are asked for at once; the first that is missing is waited for. */
static void try_mail(struct sending_session *self)
{
	struct sending_unit *missing = NULL;

	for (unsigned kind = 0; kind < SENDING_SCOPES; kind++) {
		struct sending_unit *unit = self->units[kind];

		if (unit != NULL && !sending_unit_want(unit) && missing == NULL)
			missing = unit;
	}
	if (missing == NULL) {
		answer_mail(self, judge_mail(self));
	} else if (sending_unit_is_loading(missing)) {
		self->waiter.on_ready = on_ready;
		self->waiter.owner = self;
		sending_unit_wait(missing, &self->waiter);
	} else {
		answer_mail(self, PERMIT_TEMPORARY);
	}
}

void sending_mail_on_mail(struct core *core, struct session *session, const struct ipc_mail *mail)
{
	struct sending_session *self = begin(core, session);

	sending_session_abandon(self);
	self->sender = slice_dup(mail->sender);
	self->size = mail->size;
	self->is_leased = mail->is_leased;
	self->has_lease = self->has_lease && mail->is_leased;
	self->is_waiting = true;
	if (sending_session_hold(self))
		try_mail(self);
	else
		answer_mail(self, PERMIT_TEMPORARY);
}

void sending_mail_on_resume(struct core *core, struct session *session)
{
	struct sending_unit *unit = sending_unit_hold_account(core, session->account);

	if (unit != NULL)
		(void)sending_unit_want(unit);
	sending_unit_drop(&unit);
}

/* ---- leases ---- */

static void end_lease(struct map_node *node, void *arg)
{
	const uint64_t *account = arg;
	struct session *session = MAP_ENTRY(node, struct session, node);
	struct ipc_message message = { .type = IPC_LEASE_END,
		.lease_end = { .session = session->id } };

	if (session->sending == NULL || !session->sending->has_lease ||
		(*account != 0 && session->account != *account))
		return;
	session->sending->has_lease = false;
	front_send(session->front, &message);
}

void sending_mail_end_leases(struct core *core, uint64_t account)
{
	map_each(&core->sessions.by_id, end_lease, &account);
}

/* ---- From: ---- */

void sending_mail_on_from(struct core *core, struct session *session, struct slice addresses)
{
	struct sending_session *self = session->sending;
	enum permit permit = PERMIT_YES;

	if (self == NULL || !self->is_open) {
		mail_reply_from(core, session, PERMIT_TEMPORARY);
		return;
	}
	/* One that names nobody, or what we cannot read, is no address of the account. */
	do {
		ptrdiff_t comma = slice_find(addresses, ',');
		struct slice address = comma < 0 ? addresses : slice_head(addresses, (size_t)comma);

		addresses = slice_from(addresses, comma < 0 ? addresses.len : (size_t)comma + 1);
		address = slice_trim(address);
		if (address.len > 0 && is_own(self, address))
			continue;
		note_forged(self, address);
		if (core->config->sending_mode != CONFIG_SENDING_OBSERVE)
			permit = PERMIT_NOT_OWN;
	} while (permit == PERMIT_YES && addresses.len > 0);
	mail_reply_from(core, session, permit);
}
