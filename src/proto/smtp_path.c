/* SPDX-License-Identifier: ISC */
#include "proto/smtp_path.h"

#include <string.h>

#include "base/check.h"
#include "base/ip.h"
#include "base/text.h"
#include "proto/smtp_server.h"

static const struct smtp_fault mail_syntax = { 501, "5.5.4", "Syntax: MAIL FROM:<address>" };
static const struct smtp_fault rcpt_syntax = { 501, "5.5.4", "Syntax: RCPT TO:<address>" };
static const struct smtp_fault bad_sender = { 501, "5.1.7", "Bad sender address" };
static const struct smtp_fault bad_recipient = { 501, "5.1.3", "Bad recipient address" };
static const struct smtp_fault needs_utf8 = { 553, "5.6.7", "Address needs SMTPUTF8" };
static const struct smtp_fault unknown_param = { 555, "5.5.4", "Unknown parameter" };
static const struct smtp_fault bad_param = { 501, "5.5.4", "Bad or repeated parameter" };

static bool is_utf8_byte(char byte)
{
	return (unsigned char)byte >= 0x80;
}

static bool is_local_byte(char byte)
{
	return text_is_alnum(byte) || is_utf8_byte(byte) ||
	       (byte != '\0' && strchr(".!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

static bool is_domain_byte(char byte)
{
	return text_is_alnum(byte) || is_utf8_byte(byte) || byte == '-' || byte == '_' ||
	       byte == '.';
}

static size_t run_len(struct slice text, bool (*is_part)(char byte))
{
	size_t len = 0;

	while (len < text.len && is_part(text.data[len]))
		len++;
	return len;
}

/* The following xxx_len() give the bytes that the element takes at the start of text, 0 if none. */

static size_t quoted_len(struct slice text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.data[i] == '"')
			return i + 1;
		if (text.data[i] == '\\')
			i++;
	}
	return 0;
}

static size_t local_len(struct slice text)
{
	if (text.len > 0 && text.data[0] == '"')
		return quoted_len(text);
	return run_len(text, is_local_byte);
}

static size_t literal_len(struct slice text)
{
	ptrdiff_t close = slice_find(text, ']');
	struct slice inner;
	struct ip ip;
	bool is_v6;

	if (close < 0)
		return 0;
	inner = slice_from(slice_head(text, (size_t)close), 1);
	is_v6 = slice_starts_nocase(inner, "IPv6:");
	if (is_v6)
		inner = slice_from(inner, 5);
	if (is_v6 != (slice_find(inner, ':') >= 0) || ip_parse(inner, &ip) != GP_OK)
		return 0;
	return (size_t)close + 1;
}

static size_t domain_len(struct slice text)
{
	size_t len;
	bool is_label_start = true;

	if (text.len > 0 && text.data[0] == '[')
		return literal_len(text);
	len = run_len(text, is_domain_byte);
	for (size_t i = 0; i < len; i++) {
		if (is_label_start && text.data[i] == '.')
			return 0;
		is_label_start = text.data[i] == '.';
	}
	return is_label_start || len > SMTP_DOMAIN_MAX ? 0 : len;
}

static size_t mailbox_len(struct slice text)
{
	size_t local = local_len(text);
	size_t domain;

	if (local == 0)
		return 0;
	if (local == text.len || text.data[local] != '@')
		return slice_is_nocase(slice_head(text, local), "postmaster") ? local : 0;
	domain = domain_len(slice_from(text, local + 1));
	return domain > 0 ? local + 1 + domain : 0;
}

/* "@a,@b:" before a mailbox. false: malformed. */
static bool skip_route(struct slice *rest)
{
	while (rest->len > 0 && rest->data[0] == '@') {
		size_t len = domain_len(slice_from(*rest, 1));
		char next = len > 0 && rest->len > len + 1 ? rest->data[len + 1] : '\0';

		if (next != ',' && next != ':')
			return false;
		*rest = slice_from(*rest, len + 2);
		if (next == ':')
			return true;
		if (rest->len == 0 || rest->data[0] != '@')
			return false;
	}
	return true;
}

/* Cuts the path from the front of *rest; what follows is empty or begins with a space. */
static bool take_path(struct slice *rest, struct slice *ret_address)
{
	bool has_brackets = rest->len > 0 && rest->data[0] == '<';
	bool has_route = false;
	struct slice address;
	size_t len;

	if (has_brackets) {
		*rest = slice_from(*rest, 1);
		has_route = rest->len > 0 && rest->data[0] == '@';
		if (!skip_route(rest))
			return false;
	}
	len = mailbox_len(*rest);
	address = slice_head(*rest, len);
	*rest = slice_from(*rest, len);
	if (has_brackets) {
		if (rest->len == 0 || rest->data[0] != '>')
			return false;
		*rest = slice_from(*rest, 1);
	}
	if (rest->len > 0 && rest->data[0] != ' ')
		return false;
	/* The empty path is "<>" and nothing else. */
	if ((len == 0 && (!has_brackets || has_route)) || address.len > SMTP_SERVER_PATH_MAX)
		return false;
	*ret_address = address;
	return text_is_printable(address);
}

/* ---- parameters ---- */

static bool is_xtext(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] != '+')
			continue;
		for (int digit = 0; digit < 2; digit++) {
			char byte = ++i < value.len ? text_lower(value.data[i]) : '\0';

			if (!text_is_digit(byte) && (byte < 'a' || byte > 'f'))
				return false;
		}
	}
	return value.len > 0 && text_is_ascii(value);
}

static bool check_size(struct slice value, struct smtp_path *path)
{
	unsigned long long size = UINT64_MAX;

	if (value.len == 0 || value.len > 20 || run_len(value, text_is_digit) != value.len)
		return false;
	/* 20 digits may pass 64 bits: then no limit is great enough. */
	(void)slice_to_u64(value, UINT64_MAX, &size);
	path->size = size;
	return true;
}

static bool check_body(struct slice value, struct smtp_path *path)
{
	(void)path;
	return slice_is_nocase(value, "7BIT") || slice_is_nocase(value, "8BITMIME");
}

static bool check_smtputf8(struct slice value, struct smtp_path *path)
{
	path->has_smtputf8 = true;
	return value.data == NULL;
}

static bool check_ret(struct slice value, struct smtp_path *path)
{
	(void)path;
	return slice_is_nocase(value, "FULL") || slice_is_nocase(value, "HDRS");
}

static bool check_envid(struct slice value, struct smtp_path *path)
{
	(void)path;
	return value.len <= SMTP_ENVID_MAX && is_xtext(value);
}

/* RFC 4954 section 5: parsed and never believed. */
static bool check_auth(struct slice value, struct smtp_path *path)
{
	(void)path;
	return is_xtext(value);
}

static bool check_notify(struct slice value, struct smtp_path *path)
{
	(void)path;
	if (slice_is_nocase(value, "NEVER"))
		return true;
	for (;;) {
		ptrdiff_t comma = slice_find(value, ',');
		struct slice word = comma >= 0 ? slice_head(value, (size_t)comma) : value;

		if (!slice_is_nocase(word, "SUCCESS") && !slice_is_nocase(word, "FAILURE") &&
			!slice_is_nocase(word, "DELAY"))
			return false;
		if (comma < 0)
			return true;
		value = slice_from(value, (size_t)comma + 1);
	}
}

/* "rfc822;" xtext, or "utf-8;" with RFC 6533's own escapes. */
static bool check_orcpt(struct slice value, struct smtp_path *path)
{
	ptrdiff_t end = slice_find(value, ';');
	struct slice type = slice_head(value, end > 0 ? (size_t)end : 0);
	struct slice address = slice_from(value, type.len + 1);

	(void)path;
	if (value.len > SMTP_ORCPT_MAX || type.len == 0 || address.len == 0 ||
		slice_find(type, '+') >= 0 || !text_is_ascii(type))
		return false;
	return slice_is_nocase(type, "utf-8") || is_xtext(address);
}

struct param {
	const char *name;
	bool (*check)(struct slice value, struct smtp_path *path); /* value.data NULL: no "=" */
	bool is_dropped;
};

enum {
	PARAMS_MAX = 6
};

static const struct param mail_params[PARAMS_MAX] = {
	{ "SIZE", check_size, false },
	{ "BODY", check_body, false },
	{ "SMTPUTF8", check_smtputf8, false },
	{ "RET", check_ret, false },
	{ "ENVID", check_envid, false },
	{ "AUTH", check_auth, true },
};

static const struct param rcpt_params[PARAMS_MAX] = {
	{ "NOTIFY", check_notify, false },
	{ "ORCPT", check_orcpt, false },
};

static const struct param *find_param(const struct param *table, struct slice name)
{
	for (size_t i = 0; i < PARAMS_MAX && table[i].name != NULL; i++) {
		if (slice_is_nocase(name, table[i].name))
			return &table[i];
	}
	return NULL;
}

static const struct smtp_fault *parse_params(
	struct slice rest, const struct param *table, struct buf *params, struct smtp_path *path)
{
	unsigned seen = 0;
	size_t start = params->len;

	if (!text_is_printable(rest))
		return &bad_param;
	for (struct slice word = slice_word(&rest); word.len > 0; word = slice_word(&rest)) {
		ptrdiff_t equals = slice_find(word, '=');
		struct slice name = equals >= 0 ? slice_head(word, (size_t)equals) : word;
		struct slice value = { NULL, 0 };
		const struct param *param = find_param(table, name);

		if (param == NULL)
			return &unknown_param;
		if (equals >= 0)
			value = slice_of(name.data + name.len + 1, word.len - name.len - 1);
		if ((seen & (1U << (param - table))) != 0 || slice_find(value, '=') >= 0 ||
			!param->check(value, path))
			return &bad_param;
		seen |= 1U << (param - table);
		if (param->is_dropped)
			continue;
		if ((params->len > start && buf_append_byte(params, ' ') != GP_OK) ||
			buf_append(params, word) != GP_OK)
			return &bad_param;
	}
	return NULL;
}

/* Skips "FROM:" or "TO:" and the spaces around it. */
static bool skip_keyword(struct slice *rest, const char *keyword)
{
	*rest = slice_trim(*rest);
	if (!slice_starts_nocase(*rest, keyword))
		return false;
	*rest = slice_trim(slice_from(*rest, strlen(keyword)));
	return rest->len > 0;
}

const struct smtp_fault *smtp_path_parse_mail(
	struct slice rest, struct buf *params, struct smtp_path *ret_path)
{
	struct smtp_path path = { .size = 0 };
	const struct smtp_fault *fault;

	if (!skip_keyword(&rest, "FROM:"))
		return &mail_syntax;
	if (!take_path(&rest, &path.address) || slice_is_nocase(path.address, "postmaster"))
		return &bad_sender;
	fault = parse_params(rest, mail_params, params, &path);
	if (fault != NULL)
		return fault;
	if (!text_is_ascii(path.address) && !path.has_smtputf8)
		return &needs_utf8;
	*ret_path = path;
	return NULL;
}

const struct smtp_fault *smtp_path_parse_rcpt(
	struct slice rest, bool allow_utf8, struct buf *params, struct smtp_path *ret_path)
{
	struct smtp_path path = { .size = 0 };
	const struct smtp_fault *fault;

	if (!skip_keyword(&rest, "TO:"))
		return &rcpt_syntax;
	if (!take_path(&rest, &path.address) || path.address.len == 0)
		return &bad_recipient;
	fault = parse_params(rest, rcpt_params, params, &path);
	if (fault != NULL)
		return fault;
	if (!text_is_ascii(path.address) && !allow_utf8)
		return &needs_utf8;
	*ret_path = path;
	return NULL;
}
