/* SPDX-License-Identifier: ISC */
#include "core/portal.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "core/core.h"

void portal_init(struct core *core)
{
	map_init(&core->portal.by_key);
	TAILQ_INIT(&core->portal.all);
	/* What a vault has noted of a session must not fit one that is opened after a restart. */
	core->portal.last_number = rand_u64() >> PORTAL_NUMBER_SPARE;
}

void portal_fini(struct core *core)
{
	while (!TAILQ_EMPTY(&core->portal.all)) {
		struct portal_session *session = TAILQ_FIRST(&core->portal.all);

		portal_end(core, &session);
	}
	map_fini(&core->portal.by_key);
}

const char *portal_state_name(enum portal_state state)
{
	switch (state) {
	case PORTAL_PENDING:
		return "pending";
	case PORTAL_RECOVERY:
		return "recovery";
	case PORTAL_SIGNED_IN:
		return "signed_in";
	}
	return "?";
}

/* Ids are random: their keyed hash finds them, and tells nobody what they are. */
static void key_of(
	const struct core *core, struct slice cookie, unsigned char out[static SIGNIN_TAG_SIZE])
{
	signin_tag(core->windows.tag_key, SLICE_LIT("portal"), cookie, SLICE_LIT(""), out);
}

/* A fresh id: text for the browser, hash for us. */
static void name_anew(
	struct core *core, struct portal_session *session, char cookie[static PORTAL_COOKIE_SIZE])
{
	unsigned char id[PORTAL_ID_SIZE];
	struct buf text;
	enum gp_err err;

	rand_bytes(id, sizeof id);
	buf_init_secret(&text, PORTAL_COOKIE_SIZE);
	err = encode_base64url(slice_of(id, sizeof id), &text);
	GP_ASSERT(err == GP_OK && slice_copy(buf_slice(&text), cookie, PORTAL_COOKIE_SIZE));
	key_of(core, buf_slice(&text), session->key);
	map_add(&core->portal.by_key, &session->node, slice_of(session->key, sizeof session->key));
	buf_fini(&text);
	mem_wipe(id, sizeof id);
}

void portal_end(struct core *core, struct portal_session **psession)
{
	struct portal_session *session = *psession;

	*psession = NULL;
	log_info("portal_end", LOG_UINT("portal", session->number),
		LOG_STR("account", session->address),
		LOG_STR("state", portal_state_name(session->state)));
	map_remove(&core->portal.by_key, &session->node);
	TAILQ_REMOVE(&core->portal.all, session, link);
	mem_free(session->address);
	mem_free(session->domains);
	mem_free(session->client_name);
	mem_free(session);
}

static bool is_over(const struct core *core, const struct portal_session *session)
{
	int64_t now = clock_steady();

	return now - session->used >= (int64_t)core->config->portal_idle * 1000 ||
	       now - session->began >= (int64_t)core->config->portal_lifetime * 1000;
}

void portal_sweep(struct core *core)
{
	struct portal_session *session = TAILQ_FIRST(&core->portal.all);

	while (session != NULL) {
		struct portal_session *next = TAILQ_NEXT(session, link);

		if (is_over(core, session))
			portal_end(core, &session);
		session = next;
	}
}

/* One more of the account is to be in the state: the oldest gives way. Those that only wait for a
 * code push out no others: who has nothing but the password could do that. */
static void make_room(struct core *core, uint64_t account, bool is_pending)
{
	size_t max = is_pending ? PORTAL_ACCOUNT_PENDING_MAX : PORTAL_ACCOUNT_MAX;
	struct portal_session *session = NULL;
	struct portal_session *oldest = NULL;
	size_t count = 0;

	TAILQ_FOREACH (session, &core->portal.all, link) {
		if (session->account != account || (session->state == PORTAL_PENDING) != is_pending)
			continue;
		count++;
		if (oldest == NULL || session->began < oldest->began)
			oldest = session;
	}
	if (count >= max)
		portal_end(core, &oldest);
}

struct portal_session *portal_open(struct core *core, const struct portal_account *account,
	enum portal_state state, char cookie[static PORTAL_COOKIE_SIZE])
{
	struct portal_session *session = NULL;

	make_room(core, account->account, state == PORTAL_PENDING);
	if (core->portal.by_key.count >= PORTAL_SESSIONS_MAX) {
		session = TAILQ_FIRST(&core->portal.all);
		portal_end(core, &session);
	}
	session = mem_new(1, sizeof *session);
	session->number = ++core->portal.last_number;
	session->state = state;
	session->account = account->account;
	session->role = account->role;
	session->address = slice_dup(account->address);
	session->domains = slice_dup(account->domains);
	session->client_name = slice_dup(account->client_name);
	session->source = account->source;
	session->since = clock_wall();
	session->began = session->used = clock_steady();
	name_anew(core, session, cookie);
	TAILQ_INSERT_TAIL(&core->portal.all, session, link);
	core->stats.portal_sessions_total++;
	log_info("portal_open", LOG_UINT("portal", session->number),
		LOG_STR("account", session->address), LOG_STR("state", portal_state_name(state)));
	return session;
}

void portal_enter(struct core *core, struct portal_session *session, enum portal_state state,
	char cookie[static PORTAL_COOKIE_SIZE])
{
	if (session->state == PORTAL_PENDING)
		make_room(core, session->account, false);
	map_remove(&core->portal.by_key, &session->node);
	session->state = state;
	name_anew(core, session, cookie);
	log_info("portal_step", LOG_UINT("portal", session->number),
		LOG_STR("account", session->address), LOG_STR("state", portal_state_name(state)));
}

struct portal_session *portal_find(struct core *core, struct slice cookie)
{
	unsigned char key[SIGNIN_TAG_SIZE];
	struct portal_session *session = NULL;
	struct map_node *node = NULL;

	if (cookie.len != PORTAL_COOKIE_SIZE - 1)
		return NULL;
	key_of(core, cookie, key);
	node = map_find(&core->portal.by_key, slice_of(key, sizeof key));
	if (node == NULL)
		return NULL;
	session = MAP_ENTRY(node, struct portal_session, node);
	if (is_over(core, session))
		portal_end(core, &session);
	return session;
}

struct portal_session *portal_find_number(struct core *core, uint64_t number)
{
	struct portal_session *session = NULL;

	TAILQ_FOREACH (session, &core->portal.all, link) {
		if (session->number == number)
			return session;
	}
	return NULL;
}

void portal_note_use(struct core *core, struct portal_session *session, const struct caller *caller)
{
	session->used = clock_steady();
	session->source = ip_source(&caller->source);
	TAILQ_REMOVE(&core->portal.all, session, link);
	TAILQ_INSERT_TAIL(&core->portal.all, session, link);
}

void portal_speak_for(const struct portal_session *session, struct caller *caller)
{
	caller->portal = session->number;
	caller->account = session->account;
	caller->address = slice_str(session->address);
	caller->actor = caller->address;
	switch (session->state) {
	case PORTAL_PENDING:
		caller->role = ROLE_PENDING;
		break;
	case PORTAL_RECOVERY:
		caller->role = ROLE_RECOVERY;
		break;
	case PORTAL_SIGNED_IN:
		caller->role = session->role;
		caller->domains = slice_str(session->domains);
		break;
	}
}

void portal_end_others(struct core *core, uint64_t account, uint64_t number)
{
	struct portal_session *session = TAILQ_FIRST(&core->portal.all);

	while (session != NULL) {
		struct portal_session *next = TAILQ_NEXT(session, link);

		if (session->account == account && session->number != number)
			portal_end(core, &session);
		session = next;
	}
}

void portal_apply(struct core *core, const struct ipc_op_done *done, uint64_t asking)
{
	switch ((enum ipc_effect)done->effect) {
	case IPC_EFFECT_PASSWORD:
	case IPC_EFFECT_BLOCKED:
	case IPC_EFFECT_TWOFACTOR:
	case IPC_EFFECT_RELEASED:
		portal_end_others(core, done->account, asking);
		break;
	case IPC_EFFECT_REMOVED:
	case IPC_EFFECT_SHUT:
	case IPC_EFFECT_ROLE:
		portal_end_others(core, done->account, 0);
		break;
	case IPC_EFFECT_NONE:
	case IPC_EFFECT_UNBLOCKED:
	case IPC_EFFECT_CONFIRMED:
	case IPC_EFFECT_SENDERS:
	case IPC_EFFECT_DEVICE:
	case IPC_EFFECT_DOMAINS:
	case IPC_EFFECT_MAX:
		break;
	}
}
