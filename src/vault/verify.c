/* SPDX-License-Identifier: ISC */
/*
 *	verify_check
 *	  |- check_device	the form says: device password
 *	  `- check_main		any other secret
 *
 * In both the secret is judged before the account's state, and the state before the scope, so that
 * no reason but the true one can be seen by someone who does not have the secret.
 */
#include "vault/verify.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypt/device_password.h"
#include "crypt/jwt.h"

/* Our own fault, whatever it was: nothing is counted against anyone. */
static void fault(struct verify_answer *out, const char *what, enum gp_err err)
{
	log_error("verify_failed", LOG_STR("at", what), LOG_STR("error", gp_err_text(err)));
	out->reason = REASON_STORE;
	out->compared = false;
}

static enum reason judge_device(const struct store_account *account,
	const struct store_device *device, enum protocol protocol)
{
	if (account->is_off)
		return REASON_ACCOUNT_OFF;
	/* A device password is for mail programs: it does not open the portal. */
	if (protocol == PROTOCOL_HTTP || (device->scopes & (unsigned)protocol_scope(protocol)) == 0)
		return REASON_DEVICE_SCOPE;
	return REASON_OK;
}

/* For an unknown name the account is 0, which has no device: the same tag and look-up. */
static void check_device(
	struct vault *vault, const struct verify_question *question, struct verify_answer *out)
{
	uint8_t tag[DEVICE_PASSWORD_TAG_SIZE];
	struct store_device device;
	enum gp_err err;

	device_password_tag(secret_slice(vault->pepper), out->account.id, question->secret, tag);
	err = store_device_find(vault->store, out->account.id, tag, &device);
	mem_wipe(tag, sizeof tag);
	if (err != GP_OK && err != GP_ERR_NOT_FOUND) {
		fault(out, "device", err);
		return;
	}
	out->compared = true;
	if (out->account.id == 0) {
		out->reason = REASON_UNKNOWN_ACCOUNT;
	} else if (err == GP_ERR_NOT_FOUND) {
		out->reason = REASON_WRONG_DEVICE;
	} else {
		out->reason = judge_device(&out->account, &device, question->protocol);
		out->device = device.id;
	}
}

static enum reason judge_main(
	const struct store_account *account, bool matches, enum protocol protocol)
{
	if (account->id == 0)
		return REASON_UNKNOWN_ACCOUNT;
	if (account->password[0] == '\0')
		return REASON_NO_PASSWORD;
	if (!matches)
		return REASON_WRONG_PASSWORD;
	if (account->is_off)
		return REASON_ACCOUNT_OFF;
	if (account->twofactor_at != 0 && protocol != PROTOCOL_HTTP)
		return REASON_TWOFACTOR;
	return REASON_OK;
}

/* The only moment when the password of an old hash is at hand. Fails without harm. */
static void rehash(struct vault *vault, const struct store_account *account, struct slice secret)
{
	char hash[PWHASH_SIZE];
	enum gp_err err = pwhash_make(&vault->policy, secret, hash);

	if (err == GP_OK) {
		record_flush(vault);
		store_set_wait(vault->store, VAULT_REHASH_WAIT_MS);
		err = store_account_rehash(vault->store, account->id, account->password, hash);
		store_set_wait(vault->store, VAULT_LANE_WAIT_MS);
	}
	mem_wipe(hash, sizeof hash);
	if (err == GP_OK)
		log_info("rehashed", LOG_STR("account", account->address));
	else
		log_warn("rehash_postponed", LOG_STR("account", account->address),
			LOG_STR("error", gp_err_text(err)));
}

static void check_main(
	struct vault *vault, const struct verify_question *question, struct verify_answer *out)
{
	const struct store_account *account = &out->account;
	bool has_hash = account->password[0] != '\0' && !question->is_unchecked;
	const char *hash = has_hash ? account->password : NULL;
	bool matches = false;
	enum gp_err err = pwhash_verify(&vault->policy, hash, question->secret, &matches);

	if (err != GP_OK) {
		fault(out, "password", err);
		return;
	}
	if (question->is_unchecked) {
		out->reason = account->id == 0 ? REASON_UNKNOWN_ACCOUNT : REASON_UNCHECKED;
		return;
	}
	out->compared = true;
	out->reason = judge_main(account, matches, question->protocol);
	if (matches && pwhash_needs_rehash(&vault->policy, hash))
		rehash(vault, account, question->secret);
}

void verify_check(
	struct vault *vault, const struct verify_question *question, struct verify_answer *out)
{
	enum gp_err err;

	*out = (struct verify_answer){ .reason = REASON_STORE };
	err = store_account_find(vault->store, question->login, &out->account);
	if (err != GP_OK && err != GP_ERR_NOT_FOUND)
		fault(out, "account", err);
	else if (device_password_is_form(question->secret))
		check_device(vault, question, out);
	else
		check_main(vault, question, out);
	mem_wipe(out->account.password, sizeof out->account.password);
}

static enum gp_err make_token(
	const struct vault *vault, uint64_t session, const char *address, struct buf *token)
{
	const struct jwt_claims claims = { .issuer = vault->config->hostname,
		.subject = slice_str(address),
		.session = session,
		/* Who checks it has the machine's clock. */
		.now = clock_wall() - clock_shifted() / 1000,
		.lifetime = vault->config->token_lifetime };

	/* Without a key: no backend of this configuration takes tokens. */
	if (vault->token_key == NULL)
		return GP_OK;
	return jwt_sign(secret_slice(vault->token_key), &claims, token);
}

void verify_on_lookup(struct vault *vault, const struct ipc_lookup *message)
{
	struct ipc_message reply = { .type = IPC_LOOKUP_REPLY,
		.lookup_reply = { .request = message->request, .reason = REASON_STORE } };
	struct ipc_lookup_reply *body = &reply.lookup_reply;
	struct store_account account = { 0 };
	enum gp_err err = store_account_find(vault->store, message->login, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_ERR_NOT_FOUND)
		err = GP_OK;
	if (err == GP_OK)
		err = store_known_find(vault->store, account.id, &message->source, message->since,
			&body->is_known);
	if (err == GP_OK) {
		body->reason = REASON_OK;
		body->account = account.id;
	} else {
		log_error("lookup_failed", LOG_STR("error", gp_err_text(err)));
	}
	if (vault_send(vault, &reply) != GP_OK)
		log_warn("lookup_unheard", LOG_UINT("request", message->request));
}

/* A main password that is wrong may be one that the account had before. One that is right and yet
 * refused is not looked at, but has the same work done: else the vault's rest would tell of it. */
static void look_back(
	struct vault *vault, const struct ipc_verify *message, const struct verify_answer *answer)
{
	bool is_right = answer->reason == REASON_TWOFACTOR || answer->reason == REASON_ACCOUNT_OFF;
	const struct hindsight_case refused = { .account = is_right ? 0 : answer->account.id,
		.password_at = answer->account.password_at,
		.login = message->login,
		.secret = is_right ? SLICE_LIT("none of its own") : message->secret,
		.source = message->source,
		.protocol = (enum protocol)message->protocol,
		.session = message->session };

	if (is_right || answer->reason == REASON_WRONG_PASSWORD ||
		answer->reason == REASON_NO_PASSWORD ||
		(answer->reason == REASON_UNKNOWN_ACCOUNT && answer->compared))
		hindsight_take(vault, &refused);
}

/* A role this program does not know may do no more than one's own. */
static enum role role_of(const struct store_account *account)
{
	enum role role = role_by_name(slice_str(account->role));

	return role > ROLE_USER && role <= ROLE_ADMIN ? role : ROLE_USER;
}

void verify_on_message(struct vault *vault, const struct ipc_verify *message)
{
	struct ipc_message reply = { .type = IPC_VERIFY_REPLY,
		.verify_reply = { .request = message->request } };
	const struct verify_question question = { .protocol = (enum protocol)message->protocol,
		.login = message->login,
		.secret = message->secret,
		.is_unchecked = message->unchecked };
	struct ipc_verify_reply *body = &reply.verify_reply;
	struct verify_answer answer;
	char domains[STORE_DOMAINS_SIZE] = "";
	struct buf token;

	buf_init_secret(&token, JWT_SIZE_MAX);
	hindsight_rest(vault);
	verify_check(vault, &question, &answer);
	if (answer.reason == REASON_OK && question.protocol == PROTOCOL_HTTP &&
		store_account_domains(vault->store, answer.account.id, domains) != GP_OK) {
		log_error("domains_failed", LOG_ID("session", message->session));
		answer.reason = REASON_STORE;
	}
	if (answer.reason == REASON_OK && question.protocol == PROTOCOL_SMTP &&
		store_known_first(vault->store, answer.account.id, &message->source,
			&body->known_since) != GP_OK) {
		log_error("known_failed", LOG_ID("session", message->session));
		answer.reason = REASON_STORE;
	}
	if (answer.reason == REASON_OK && question.protocol != PROTOCOL_HTTP &&
		make_token(vault, message->session, answer.account.address, &token) != GP_OK) {
		log_error("token_failed", LOG_ID("session", message->session));
		answer.reason = REASON_VAULT;
	}
	body->reason = (uint8_t)answer.reason;
	body->compared = answer.compared;
	body->account = answer.account.id;
	body->device = answer.device;
	if (answer.reason == REASON_OK) {
		body->is_blocked = answer.account.blocked_at != 0;
		body->has_twofactor = answer.account.twofactor_at != 0;
		body->role = (uint8_t)role_of(&answer.account);
		body->domains = slice_str(domains);
		body->address = slice_str(answer.account.address);
		body->route = slice_str(answer.account.route);
		body->token = buf_slice(&token);
	}
	if (vault_send(vault, &reply) != GP_OK)
		log_warn("verify_unheard", LOG_ID("session", message->session));
	buf_fini(&token);
	if (!device_password_is_form(message->secret))
		look_back(vault, message, &answer);
}
