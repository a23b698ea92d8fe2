/* SPDX-License-Identifier: ISC */
#include "proto/smtp_xclient.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"

enum attribute {
	ATTRIBUTE_NAME,
	ATTRIBUTE_REVERSE_NAME,
	ATTRIBUTE_PORT,
	ATTRIBUTE_PROTO,
	ATTRIBUTE_HELO,
	ATTRIBUTE_LOGIN,
	ATTRIBUTE_ADDR,
	ATTRIBUTE_MAX
};

static const char *const attribute_names[ATTRIBUTE_MAX] = {
	[ATTRIBUTE_NAME] = "NAME",
	[ATTRIBUTE_REVERSE_NAME] = "REVERSE_NAME",
	[ATTRIBUTE_PORT] = "PORT",
	[ATTRIBUTE_PROTO] = "PROTO",
	[ATTRIBUTE_HELO] = "HELO",
	[ATTRIBUTE_LOGIN] = "LOGIN",
	[ATTRIBUTE_ADDR] = "ADDR",
};

static const char unavailable[] = "[UNAVAILABLE]";

struct smtp_xclient {
	char *values[ATTRIBUTE_MAX]; /* xtext */
	char *helo;                  /* raw; NULL: not fit for EHLO */
	unsigned offered;            /* bits */
	unsigned next;               /* attribute to tell next */
};

/* "NAME=" and value must fit into a command of their own. */
static size_t value_max(enum attribute attribute)
{
	return SMTP_XCLIENT_LINE_MAX - strlen("XCLIENT =\r\n") - strlen(attribute_names[attribute]);
}

static char *xtext(enum attribute attribute, const char *text)
{
	struct slice rest = slice_str(text);
	char *value = NULL;
	struct buf out;
	enum gp_err err = rest.len > 0 ? GP_OK : GP_ERR_NOT_FOUND;

	buf_init(&out, value_max(attribute));
	for (; rest.len > 0 && err == GP_OK; rest = slice_from(rest, 1)) {
		unsigned char byte = (unsigned char)rest.data[0];

		if (byte < '!' || byte > '~' || byte == '+' || byte == '=')
			err = buf_printf(&out, "+%02X", byte);
		else
			err = buf_append_byte(&out, (char)byte);
	}
	value = err == GP_OK ? slice_dup(buf_slice(&out)) : mem_strdup(unavailable);
	buf_fini(&out);
	return value;
}

static char *address_value(const char *address)
{
	if (address != NULL && strchr(address, ':') != NULL)
		return mem_printf("IPV6:%s", address);
	return mem_strdup(address != NULL ? address : unavailable);
}

/* A domain or an address literal, as the next hop will want it. */
static bool is_helo(const char *helo)
{
	if (helo == NULL || helo[0] == '\0' || strlen(helo) > 255)
		return false;
	for (; *helo != '\0'; helo++) {
		if (!text_is_alnum(*helo) && strchr("-._[]:", *helo) == NULL)
			return false;
	}
	return true;
}

struct smtp_xclient *smtp_xclient_new(const struct smtp_client_identity *identity)
{
	struct smtp_xclient *xclient = mem_new(1, sizeof *xclient);
	char *port = mem_printf("%u", (unsigned)identity->port);

	xclient->values[ATTRIBUTE_NAME] = mem_strdup(unavailable);
	xclient->values[ATTRIBUTE_REVERSE_NAME] = mem_strdup(unavailable);
	xclient->values[ATTRIBUTE_PORT] = xtext(ATTRIBUTE_PORT, identity->port != 0 ? port : NULL);
	xclient->values[ATTRIBUTE_PROTO] = xtext(ATTRIBUTE_PROTO, identity->proto);
	xclient->values[ATTRIBUTE_HELO] = xtext(ATTRIBUTE_HELO, identity->helo);
	xclient->values[ATTRIBUTE_LOGIN] = xtext(ATTRIBUTE_LOGIN, identity->login);
	xclient->values[ATTRIBUTE_ADDR] = address_value(identity->address);
	xclient->helo = is_helo(identity->helo) ? mem_strdup(identity->helo) : NULL;
	mem_free(port);
	return xclient;
}

void smtp_xclient_free(struct smtp_xclient **pxclient)
{
	if (*pxclient == NULL)
		return;
	for (size_t i = 0; i < ATTRIBUTE_MAX; i++)
		mem_free((*pxclient)->values[i]);
	mem_free((*pxclient)->helo);
	mem_free(*pxclient);
	*pxclient = NULL;
}

void smtp_xclient_set_offer(struct smtp_xclient *xclient, struct slice keywords)
{
	xclient->offered = 0;
	for (struct slice word = slice_word(&keywords); word.len > 0;
		word = slice_word(&keywords)) {
		for (unsigned i = 0; i < ATTRIBUTE_MAX; i++) {
			if (slice_is_nocase(word, attribute_names[i]))
				xclient->offered |= 1U << i;
		}
	}
}

bool smtp_xclient_append_next(struct smtp_xclient *xclient, struct buf *out)
{
	unsigned next = xclient->next;
	struct buf line;
	bool is_there;

	buf_init(&line, SMTP_XCLIENT_LINE_MAX - 2);
	for (; next < ATTRIBUTE_MAX; next++) {
		if ((xclient->offered & (1U << next)) == 0)
			continue;
		/* What does not fit begins the next command. */
		if (buf_printf(&line, "%s %s=%s", line.len == 0 ? "XCLIENT" : "",
			    attribute_names[next], xclient->values[next]) != GP_OK)
			break;
	}
	is_there = line.len > 0 && buf_room(out) >= line.len + 2 &&
		   buf_append(out, buf_slice(&line)) == GP_OK &&
		   buf_append_str(out, "\r\n") == GP_OK;
	if (is_there)
		xclient->next = next;
	buf_fini(&line);
	return is_there;
}

bool smtp_xclient_has_more(const struct smtp_xclient *xclient)
{
	return xclient->offered >> xclient->next != 0;
}

bool smtp_xclient_has_address(const struct smtp_xclient *xclient)
{
	return (xclient->offered & (1U << ATTRIBUTE_ADDR)) != 0;
}

const char *smtp_xclient_helo(const struct smtp_xclient *xclient)
{
	return xclient->helo;
}
