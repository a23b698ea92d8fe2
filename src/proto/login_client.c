/* SPDX-License-Identifier: ISC */
#include "proto/login_client.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/text.h"

enum {
	SEND_MAX = 1024,
	MESSAGE_MAX = LOGIN_CLIENT_TOKEN_MAX + 4 * SASL_LOGIN_MAX,
};

/* In every protocol these stand in lines, in quotes or between spaces. */
static bool is_sayable(struct slice text)
{
	return text_is_printable(text) && slice_find(text, '"') < 0 && slice_find(text, '\\') < 0 &&
	       slice_find(text, ' ') < 0;
}

static bool keep(struct slice text, char *out, size_t size)
{
	return is_sayable(text) && slice_copy(text, out, size);
}

void login_client_init(
	struct login_client *client, const struct login_client_conf *conf, size_t line_max)
{
	*client = (struct login_client){
		.credential = conf->credential,
		.want_starttls = conf->want_starttls,
		.tell_client = conf->tell_client,
		.client_port = conf->client_port,
		.local_port = conf->local_port,
	};
	buf_init_secret(&client->secret, LOGIN_CLIENT_TOKEN_MAX);
	buf_init_secret(&client->output, LOGIN_CLIENT_OUTPUT_MAX);
	buf_init_secret(&client->line, line_max);
	buf_init(&client->text, REPLY_LINE_MAX);
	client->is_misused = !sasl_is_login(conf->address) ||
			     !slice_copy(conf->address, client->address, sizeof client->address) ||
			     !slice_copy(conf->user, client->user, sizeof client->user) ||
			     slice_find(conf->secret, '\0') >= 0 ||
			     buf_append(&client->secret, conf->secret) != GP_OK;
	if (!keep(conf->client_address, client->client_address, sizeof client->client_address) ||
		!keep(conf->local_address, client->local_address, sizeof client->local_address) ||
		!keep(conf->session, client->session, sizeof client->session))
		client->is_misused = true;
}

void login_client_fini(struct login_client *client)
{
	buf_fini(&client->secret);
	buf_fini(&client->output);
	buf_fini(&client->line);
	buf_fini(&client->text);
}

bool login_client_read_line(struct login_client *client, struct slice *rest, struct slice *ret_line)
{
	ptrdiff_t end = slice_find(*rest, '\n');
	struct slice part = end >= 0 ? slice_head(*rest, (size_t)end + 1) : *rest;
	struct slice line;

	if (slice_find(part, '\0') >= 0 || buf_append(&client->line, part) != GP_OK) {
		login_client_fail(client, "the backend sent a line that is none");
		return false;
	}
	*rest = slice_from(*rest, part.len);
	if (end < 0)
		return false;
	line = buf_slice(&client->line);
	if (line.len < 2 || line.data[line.len - 2] != '\r') {
		login_client_fail(client, "the backend sent a bare line feed");
		return false;
	}
	*ret_line = slice_head(line, line.len - 2);
	return true;
}

void login_client_drop_line(struct login_client *client)
{
	buf_clear(&client->line);
	buf_trim(&client->line);
}

void login_client_send(struct login_client *client, const char *format, ...)
{
	char text[SEND_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	GP_ASSERT(len >= 0 && (size_t)len < sizeof text);
	login_client_send_bytes(client, slice_of(text, (size_t)len));
}

void login_client_send_bytes(struct login_client *client, struct slice bytes)
{
	if (buf_append(&client->output, bytes) != GP_OK)
		login_client_fail(client, "the backend does not read");
}

enum login_mechanism login_client_choose(
	const struct login_client *client, bool has_oauthbearer, bool has_xoauth2, bool has_plain)
{
	if (client->credential != LOGIN_TOKEN)
		return has_plain ? LOGIN_MECHANISM_PLAIN : LOGIN_MECHANISM_NONE;
	if (has_oauthbearer)
		return LOGIN_MECHANISM_OAUTHBEARER;
	return has_xoauth2 ? LOGIN_MECHANISM_XOAUTH2 : LOGIN_MECHANISM_NONE;
}

const char *login_mechanism_name(enum login_mechanism mechanism)
{
	static const char *const names[] = { "", "OAUTHBEARER", "XOAUTH2", "PLAIN" };

	return names[mechanism];
}

const char *login_mechanism_failure_answer(enum login_mechanism mechanism)
{
	/* RFC 7628 section 3.2.3: ^A; XOAUTH2: an empty line. */
	static const char *const answers[] = { NULL, "AQ==", "", NULL };

	return answers[mechanism];
}

/* A saslname of RFC 5801: comma and equals sign are escaped. */
static enum gp_err append_saslname(struct buf *out, const char *name)
{
	enum gp_err err = GP_OK;

	for (; err == GP_OK && *name != '\0'; name++) {
		if (*name == ',')
			err = buf_append_str(out, "=2C");
		else if (*name == '=')
			err = buf_append_str(out, "=3D");
		else
			err = buf_append_byte(out, *name);
	}
	return err;
}

/* RFC 7628 section 3.1; host and port are optional and say nothing that the backend does not know.
 */
static enum gp_err append_oauthbearer(const struct login_client *client, struct buf *out)
{
	if (buf_append_str(out, "n,a=") != GP_OK ||
		append_saslname(out, client->address) != GP_OK ||
		buf_append_str(out, ",\001auth=Bearer ") != GP_OK ||
		buf_append(out, buf_slice(&client->secret)) != GP_OK)
		return GP_ERR_LIMIT;
	return buf_append_str(out, "\001\001");
}

static enum gp_err append_xoauth2(const struct login_client *client, struct buf *out)
{
	if (buf_append_str(out, "user=") != GP_OK ||
		buf_append_str(out, client->address) != GP_OK ||
		buf_append_str(out, "\001auth=Bearer ") != GP_OK ||
		buf_append(out, buf_slice(&client->secret)) != GP_OK)
		return GP_ERR_LIMIT;
	return buf_append_str(out, "\001\001");
}

/* A master signs in as itself and acts for the mailbox; a person just signs in. */
static enum gp_err append_plain(const struct login_client *client, struct buf *out)
{
	bool is_master = client->credential == LOGIN_MASTER;

	if (buf_append_str(out, is_master ? client->address : "") != GP_OK ||
		buf_append_byte(out, '\0') != GP_OK ||
		buf_append_str(out, is_master ? client->user : client->address) != GP_OK ||
		buf_append_byte(out, '\0') != GP_OK)
		return GP_ERR_LIMIT;
	return buf_append(out, buf_slice(&client->secret));
}

enum gp_err login_client_sasl(
	const struct login_client *client, enum login_mechanism mechanism, struct buf *out)
{
	enum gp_err err = GP_ERR_UNSUPPORTED;
	struct buf message;

	GP_ASSERT(out->secret);
	buf_init_secret(&message, MESSAGE_MAX);
	switch (mechanism) {
	case LOGIN_MECHANISM_OAUTHBEARER:
		err = append_oauthbearer(client, &message);
		break;
	case LOGIN_MECHANISM_XOAUTH2:
		err = append_xoauth2(client, &message);
		break;
	case LOGIN_MECHANISM_PLAIN:
		err = append_plain(client, &message);
		break;
	case LOGIN_MECHANISM_NONE:
		break;
	}
	if (err == GP_OK)
		err = encode_base64(buf_slice(&message), out);
	buf_fini(&message);
	return err;
}

void login_client_forget(struct login_client *client)
{
	buf_fini(&client->secret);
}

void login_client_set_event(
	struct login_client *client, enum engine_event_type event, struct slice words)
{
	client->event = event;
	buf_clear(&client->text);
	GP_ASSERT(buf_append(&client->text, slice_head(words, REPLY_LINE_MAX)) == GP_OK);
}

void login_client_fail(struct login_client *client, const char *words)
{
	login_client_set_event(client, ENGINE_EVENT_FAILED, slice_str(words));
}

bool login_client_has_word(struct slice list, const char *word)
{
	while (list.len > 0) {
		if (slice_is_nocase(slice_word(&list), word))
			return true;
	}
	return false;
}
