/* SPDX-License-Identifier: ISC */
#include "config/value_text.h"

#include <string.h>

#include "base/check.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "config/value.h"

enum {
	SHOWN_MAX = 80, /* bytes of a wrong value in a message */
	NAME_MAX_LEN = 64,
	LABEL_MAX = 63,
	DOMAIN_MAX = 253,
	USER_MAX = 32,
	LOCAL_MAX = 64,
};

static bool is_label(struct slice label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.data[0] == '-' ||
		label.data[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char byte = label.data[i];

		if (!text_is_alnum(byte) && byte != '-' && byte != '_')
			return false;
	}
	return true;
}

bool value_text_is_domain(struct slice text)
{
	ptrdiff_t dot;

	if (text.len > DOMAIN_MAX)
		return false;
	while ((dot = slice_find(text, '.')) >= 0) {
		if (!is_label(slice_head(text, (size_t)dot)))
			return false;
		text = slice_from(text, (size_t)dot + 1);
	}
	return is_label(text);
}

static bool is_domain_pattern(struct slice text)
{
	return value_text_is_domain(slice_starts_nocase(text, "*.") ? slice_from(text, 2) : text);
}

bool value_text_is_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];

		if (!text_is_alnum(byte) && byte != '.' && byte != '-' && byte != '_')
			return false;
	}
	return text.len > 0 && text.len <= NAME_MAX_LEN;
}

static bool is_user(struct slice text)
{
	return text.len <= USER_MAX && value_text_is_name(text) && text.data[0] != '-';
}

static bool is_url(struct slice text)
{
	struct slice rest = slice_starts_nocase(text, "https://")  ? slice_from(text, 8)
			    : slice_starts_nocase(text, "http://") ? slice_from(text, 7)
								   : (struct slice){ NULL, 0 };

	for (size_t i = 0; i < rest.len; i++) {
		if (rest.data[i] <= 0x20 || rest.data[i] >= 0x7f || rest.data[i] == '"')
			return false;
	}
	return rest.len > 0 && rest.data[0] != '/';
}

static bool is_path(struct slice text)
{
	return text.len > 0 && text.data[0] == '/' && text_is_printable(text);
}

static bool is_address(struct slice text)
{
	struct ip ip;

	return slice_is(text, "*") || ip_parse(text, &ip) == GP_OK;
}

/* As it may stand in a RCPT: nothing in it that would have to be quoted. */
static bool is_mailbox(struct slice text)
{
	ptrdiff_t at = slice_find(text, '@');
	size_t len = at > 0 ? (size_t)at : 0;

	for (size_t i = 0; i < len; i++) {
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f ||
			strchr("<>()[]\\,;:\"", text.data[i]) != NULL)
			return false;
	}
	return len > 0 && len <= LOCAL_MAX && value_text_is_domain(slice_from(text, len + 1));
}

static bool is_host(struct slice text)
{
	struct config_host host;

	return config_host_parse(text, &host);
}

static bool is_word(struct slice text)
{
	struct buf filled;
	struct slice nothing = { NULL, 0 };
	bool is_good = text_is_printable(text);

	buf_init(&filled, text.len + 1);
	is_good = is_good && config_hook_word(text, nothing, nothing, &filled) == GP_OK;
	buf_fini(&filled);
	return is_good;
}

static bool is_text(struct slice text)
{
	return text.len > 0 && text_is_printable(text);
}

/* What a type takes and how it is called, by type. */
struct rule {
	bool (*fits)(struct slice text);
	const char *words;
};

static const struct rule rules[SCHEMA_NETWORKS + 1] = {
	[SCHEMA_TEXT] = { is_text, "text" },
	[SCHEMA_USER] = { is_user, "a user name or number" },
	[SCHEMA_DOMAIN] = { value_text_is_domain, "a host or domain name" },
	[SCHEMA_URL] = { is_url, "an http:// or https:// URL" },
	[SCHEMA_PATH] = { is_path, "an absolute path" },
	[SCHEMA_CERTIFICATE] = { value_text_is_name, "the name of a certificate section" },
	[SCHEMA_BACKEND] = { value_text_is_name, "the name of a backend section" },
	[SCHEMA_PLAN] = { value_text_is_name, "the name of a plan section" },
	[SCHEMA_ADDRESSES] = { is_address, "an IP address or \"*\"" },
	[SCHEMA_DOMAINS] = { is_domain_pattern, "a host or domain name" },
	[SCHEMA_MAILBOXES] = { is_mailbox, "an address such as staff@example.com" },
	[SCHEMA_HOSTS] = { is_host, "HOST:PORT, [IPv6]:PORT or unix:/PATH" },
	[SCHEMA_WORDS] = { is_word, "text in which {account} and {reason} are filled in" },
	[SCHEMA_NETWORKS] = { NULL, "a network such as 192.0.2.0/24, or an IP address" },
};

const char *value_text_words(enum schema_type type)
{
	GP_ASSERT(rules[type].words != NULL);
	return rules[type].words;
}

static enum gp_err wrong(const struct schema_option *option, struct slice text, struct gp_why *why)
{
	char shown[SHOWN_MAX];

	text_escape(text, shown, sizeof shown);
	return gp_why_set(why, GP_ERR_CONFIG, "\"%s\" is not %s", shown, rules[option->type].words);
}

static char **text_member(const struct schema_option *option, void *object)
{
	return (void *)((char *)object + option->offset);
}

static const void *const_member(const struct schema_option *option, const void *object)
{
	return (const char *)object + option->offset;
}

static void set_text(const struct schema_option *option, void *object, struct slice text)
{
	char **at = text_member(option, object);

	mem_free(*at);
	*at = slice_dup(text);
	if (option->type == SCHEMA_DOMAIN)
		text_lower_all(*at);
}

static enum gp_err too_many(struct gp_why *why)
{
	return gp_why_set(why, GP_ERR_CONFIG, "more than %d items", (int)VALUE_ITEMS_MAX);
}

static enum gp_err add_string(
	const struct schema_option *option, void *object, struct slice text, struct gp_why *why)
{
	struct config_strings *list = (void *)((char *)object + option->offset);
	char *item;

	if (list->count == VALUE_ITEMS_MAX)
		return too_many(why);
	list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
	item = slice_dup(text);
	if (option->type == SCHEMA_DOMAINS)
		text_lower_all(item);
	list->items[list->count++] = item;
	return GP_OK;
}

static enum gp_err add_net(
	const struct schema_option *option, void *object, struct slice text, struct gp_why *why)
{
	struct config_nets *list = (void *)((char *)object + option->offset);
	struct ip_net net;

	if (ip_net_parse(text, &net) != GP_OK) {
		ptrdiff_t slash = slice_find(text, '/');
		struct ip ip;

		if (slash <= 0 || ip_parse(slice_head(text, (size_t)slash), &ip) != GP_OK)
			return wrong(option, text, why);
		return gp_why_set(why, GP_ERR_CONFIG,
			"\"%.*s\" is not a network: wrong prefix, or bits set behind it",
			SLICE_ARG(slice_head(text, SHOWN_MAX)));
	}
	if (list->count == VALUE_ITEMS_MAX)
		return too_many(why);
	list->nets = mem_resize(list->nets, list->count + 1, sizeof *list->nets);
	list->nets[list->count++] = net;
	return GP_OK;
}

enum gp_err value_text_set(
	const struct schema_option *option, void *object, struct slice text, struct gp_why *why)
{
	if (option->type == SCHEMA_NETWORKS)
		return add_net(option, object, text, why);
	if (!rules[option->type].fits(text))
		return wrong(option, text, why);
	if (schema_is_list(option->type))
		return add_string(option, object, text, why);
	if (text.len < option->min || text.len > option->max)
		return gp_why_set(why, GP_ERR_CONFIG, "must be %llu to %llu bytes long, not %zu",
			(unsigned long long)option->min, (unsigned long long)option->max, text.len);
	set_text(option, object, text);
	return GP_OK;
}

void value_text_clear(const struct schema_option *option, void *object)
{
	void *at = (char *)object + option->offset;

	if (option->type == SCHEMA_NETWORKS) {
		struct config_nets *nets = at;

		mem_free(nets->nets);
		*nets = (struct config_nets){ NULL, 0 };
	} else if (schema_is_list(option->type)) {
		struct config_strings *strings = at;

		for (size_t i = 0; i < strings->count; i++)
			mem_free(strings->items[i]);
		mem_free(strings->items);
		*strings = (struct config_strings){ NULL, 0 };
	} else {
		mem_free(*text_member(option, object));
		*text_member(option, object) = NULL;
	}
}

bool value_text_is_unset(const struct schema_option *option, const void *object)
{
	const void *at = const_member(option, object);

	if (option->type == SCHEMA_NETWORKS)
		return ((const struct config_nets *)at)->count == 0;
	if (schema_is_list(option->type))
		return ((const struct config_strings *)at)->count == 0;
	return *(char *const *)at == NULL;
}

enum gp_err value_text_quote(const char *text, struct buf *out)
{
	enum gp_err err = buf_append_byte(out, '"');

	for (; err == GP_OK && *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			err = buf_append_byte(out, '\\');
		if (err == GP_OK)
			err = buf_append_byte(out, *text);
	}
	return err == GP_OK ? buf_append_byte(out, '"') : err;
}

static enum gp_err format_strings(const struct config_strings *list, struct buf *out)
{
	enum gp_err err = buf_append_str(out, "{");

	for (size_t i = 0; err == GP_OK && i < list->count; i++) {
		err = buf_append_str(out, i > 0 ? ", " : "");
		if (err == GP_OK)
			err = value_text_quote(list->items[i], out);
	}
	return err == GP_OK ? buf_append_str(out, "}") : err;
}

static enum gp_err format_nets(const struct config_nets *list, struct buf *out)
{
	enum gp_err err = buf_append_str(out, "{");
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; err == GP_OK && i < list->count; i++)
		err = buf_printf(
			out, "%s\"%s\"", i > 0 ? ", " : "", ip_net_format(&list->nets[i], text));
	return err == GP_OK ? buf_append_str(out, "}") : err;
}

enum gp_err value_text_format(
	const struct schema_option *option, const void *object, struct buf *out)
{
	const void *at = const_member(option, object);

	if (option->type == SCHEMA_NETWORKS)
		return format_nets(at, out);
	if (schema_is_list(option->type))
		return format_strings(at, out);
	return value_text_quote(*(char *const *)at, out);
}
