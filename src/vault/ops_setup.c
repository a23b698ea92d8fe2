/* SPDX-License-Identifier: ISC */
/*
 * Setting up a device by a link that is good once and for minutes: its owner asks for it at the
 * portal, and opens it there or, as a QR code, on the telephone, which is signed in nowhere. The
 * device password is made when the link is used, so nothing that waits could be read.
 */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/rand.h"
#include "crypt/cms.h"
#include "crypt/once.h"
#include "crypt/qr.h"
#include "setup/profile.h"
#include "store/store_setup.h"
#include "vault/case.h"
#include "vault/desk.h"

enum {
	LINK_LIFETIME = 5 * 60, /* s */
	URL_MAX = 512,
	SVG_MAX = 12 * 1024, /* the rest of a row is for the link */
	SIGNED_MAX = 128 * 1024,
	PART_BYTES = 6 * 1024, /* of a profile in one row; a multiple of 3 */
};

static const char link_purpose[] = "gatepost setup link";

/* ---- asking for one ---- */

/* Behind the #, which no browser sends and no log keeps. */
static enum gp_err write_url(const struct desk_op *op, const char *token, struct buf *out)
{
	const char *base = op->vault->config->portal_url;
	bool is_open = base[0] != '\0' && base[strlen(base) - 1] == '/';

	return buf_printf(out, "%s%s#setup=%s", base, is_open ? "" : "/", token);
}

static enum gp_err show_link(struct desk_op *op, const char *token, int64_t expires_at)
{
	char expires[CLOCK_TEXT_SIZE];
	struct buf url;
	struct buf svg;
	enum gp_err err;

	buf_init_secret(&url, URL_MAX);
	buf_init_secret(&svg, SVG_MAX);
	err = write_url(op, token, &url);
	if (err == GP_OK)
		err = qr_svg(buf_slice(&url), &svg);
	if (err == GP_OK)
		err = desk_row(op, json_pack("{s:s, s:o, s:o, s:s}", "token", token, "url",
					   json_stringn(buf_slice(&url).data, url.len), "svg",
					   json_stringn(buf_slice(&svg).data, svg.len),
					   "expires_at", clock_format(expires_at, expires)));
	buf_fini(&url);
	buf_fini(&svg);
	return err;
}

enum gp_err op_self_setup_begin(struct desk_op *op)
{
	struct store_setup_link link = { .account = 0 };
	struct store_account account = { 0 };
	char token[ONCE_TOKEN_SIZE];
	uint8_t tag[ONCE_TAG_SIZE];
	int64_t now = clock_wall();
	enum gp_err err = desk_check_device_name(op, link.name);

	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = case_check_roots(op);
	if (err == GP_OK)
		err = desk_self(op, &account);
	mem_wipe(account.password, sizeof account.password);
	if (err != GP_OK)
		return err;
	once_make_token(token);
	once_tag(secret_slice(op->vault->pepper), link_purpose, 0, slice_str(token), tag);
	link.account = account.id;
	link.expires_at = now + LINK_LIFETIME;
	err = store_setup_add(op->vault->store, &link, tag, now);
	if (err == GP_OK)
		err = show_link(op, token, link.expires_at);
	mem_wipe(token, sizeof token);
	return err;
}

/* ---- following it ---- */

struct visit {
	uint8_t tag[ONCE_TAG_SIZE];
	struct store_setup_link link;
	struct store_account account; /* without its hash */
	struct offers offers;
	unsigned scopes;
};

/* What the device will need: the mailbox, by IMAP wherever that is served, and sending. */
static enum gp_err find_offers(struct desk_op *op, struct visit *visit)
{
	struct slice address = slice_str(visit->account.address);
	ptrdiff_t at = slice_find_last(address, '@');
	bool has_imap;

	visit->offers = offer_read(op->vault->config, slice_from(address, (size_t)(at + 1)));
	has_imap = offer_list(&visit->offers, PROTOCOL_IMAP).count > 0;
	if (!has_imap && offer_list(&visit->offers, PROTOCOL_POP3).count == 0)
		return gp_why_set(&op->why, GP_ERR_UNSUPPORTED, "no mailbox can be read here");
	visit->scopes = (has_imap ? SCOPE_IMAP : SCOPE_POP3) | SCOPE_SMTP;
	return GP_OK;
}

/*
 * GP_ERR_NOT_FOUND: it was good once, so it is no guess. GP_ERR_DENIED: there never was such a
 * link, or it is long over.
 */
static enum gp_err find_link(struct desk_op *op, struct visit *visit)
{
	struct slice token = slice_str(desk_string(op, "token"));
	struct store_setup_link *link = &visit->link;
	enum gp_err err = once_is_token(token) ? GP_OK : GP_ERR_NOT_FOUND;

	once_tag(secret_slice(op->vault->pepper), link_purpose, 0, token, visit->tag);
	if (err == GP_OK)
		err = store_setup_find(op->vault->store, visit->tag, link);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, GP_ERR_DENIED, "there is no such link");
	if (err == GP_OK && (link->used_at != 0 || link->expires_at <= clock_wall()))
		return gp_why_set(&op->why, GP_ERR_NOT_FOUND,
			"this link was used, or is over: ask for a new one");
	if (err == GP_OK)
		err = store_account_get(op->vault->store, link->account, &visit->account);
	mem_wipe(visit->account.password, sizeof visit->account.password);
	if (err == GP_OK && visit->account.is_off)
		return gp_why_set(&op->why, GP_ERR_NOT_FOUND, "the account is switched off");
	if (err != GP_OK)
		return err;
	op->account = visit->account.id;
	memcpy(op->subject, visit->account.address, sizeof op->subject);
	return find_offers(op, visit);
}

enum gp_err op_setup_show(struct desk_op *op)
{
	struct visit visit = { .scopes = 0 };
	char expires[CLOCK_TEXT_SIZE];
	enum gp_err err = find_link(op, &visit);

	if (err != GP_OK)
		return err;
	return desk_row(op, json_pack("{s:s, s:s, s:s}", "address", visit.account.address, "name",
				    visit.link.name, "expires_at",
				    clock_format(visit.link.expires_at, expires)));
}

/* Uses the link up and makes the device password that is what it was for. */
static enum gp_err use_link(
	struct desk_op *op, struct visit *visit, char password[static DEVICE_PASSWORD_TEXT_SIZE])
{
	enum gp_err err = find_link(op, visit);

	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = store_setup_use(op->vault->store, visit->tag, clock_wall());
	if (err == GP_ERR_NOT_FOUND && op->why.text[0] == '\0')
		return gp_why_set(&op->why, err, "this link was used just now");
	if (err == GP_OK)
		err = desk_add_device(
			op, &visit->account, visit->link.name, visit->scopes, password);
	return err;
}

static json_t *services_json(const struct offers *offers)
{
	json_t *services = json_array();

	for (unsigned i = 0; i < SERVICE_MAX; i++) {
		enum service service = (enum service)i;
		const char *tls = service_is_tls(service) ? "tls" : "starttls";

		if (offers->ports[i] == 0 || service == SERVICE_SMTP || service == SERVICE_HTTPS)
			continue;
		GP_ASSERT(
			json_array_append_new(services,
				json_pack("{s:s, s:s, s:i, s:s}", "service", service_name(service),
					"protocol", protocol_name(service_protocol(service)),
					"port", (int)offers->ports[i], "tls", tls)) == 0);
	}
	return services;
}

enum gp_err op_setup_use(struct desk_op *op)
{
	struct visit visit = { .scopes = 0 };
	char password[DEVICE_PASSWORD_TEXT_SIZE] = "";
	json_t *settings = NULL;
	json_t *row = NULL;
	enum gp_err err = use_link(op, &visit, password);

	if (err == GP_OK) {
		row = desk_device_json(op, &visit.account, visit.link.name, visit.scopes, password);
		settings = json_pack("{s:s, s:s, s:o}", "login", visit.account.address, "hostname",
			visit.offers.hostname, "services", services_json(&visit.offers));
		GP_ASSERT(
			row != NULL && settings != NULL && json_object_update(row, settings) == 0);
		json_decref(settings);
		err = desk_row(op, row);
	}
	mem_wipe(password, sizeof password);
	return err;
}

/* ---- as a profile ---- */

static enum gp_err write_profile(
	struct desk_op *op, const struct visit *visit, const char *password, struct buf *out)
{
	uint8_t ids[2][PROFILE_ID_SIZE];
	const struct profile_facts facts = { .offers = &visit->offers,
		.address = slice_str(visit->account.address),
		.password = slice_str(password),
		.profile_id = ids[0],
		.account_id = ids[1] };
	struct buf plain;
	enum gp_err err;

	rand_bytes(ids, sizeof ids);
	buf_init_secret(&plain, PROFILE_MAX);
	err = profile_write(&facts, &plain);
	if (err == GP_ERR_NOT_FOUND)
		err = gp_why_set(&op->why, GP_ERR_UNSUPPORTED, "nothing can be sent from here");
	if (err == GP_OK)
		err = cms_sign(secret_slice(op->vault->signing_chain),
			secret_slice(op->vault->signing_key), buf_slice(&plain), out, &op->why);
	buf_fini(&plain);
	return err;
}

/* A long chain of certificates makes it longer than a row can be. */
static enum gp_err send_parts(struct desk_op *op, struct slice bytes)
{
	struct buf text;
	enum gp_err err = GP_OK;

	buf_init_secret(&text, 2 * PART_BYTES);
	for (; err == GP_OK && bytes.len > 0; bytes = slice_from(bytes, PART_BYTES)) {
		buf_clear(&text);
		err = encode_base64(slice_head(bytes, PART_BYTES), &text);
		if (err == GP_OK)
			err = desk_row(
				op, json_pack("{s:s%}", "part", buf_slice(&text).data, text.len));
	}
	buf_fini(&text);
	return err;
}

enum gp_err op_setup_profile(struct desk_op *op)
{
	struct visit visit = { .scopes = 0 };
	char password[DEVICE_PASSWORD_TEXT_SIZE] = "";
	struct buf profile;
	enum gp_err err;

	if (op->vault->signing_chain == NULL || op->vault->signing_key == NULL)
		return gp_why_set(&op->why, GP_ERR_UNSUPPORTED, "there is no certificate");
	buf_init_secret(&profile, SIGNED_MAX);
	err = use_link(op, &visit, password);
	if (err == GP_OK)
		err = write_profile(op, &visit, password, &profile);
	if (err == GP_OK)
		err = send_parts(op, buf_slice(&profile));
	mem_wipe(password, sizeof password);
	buf_fini(&profile);
	return err;
}
