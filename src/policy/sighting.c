/* SPDX-License-Identifier: ISC */
#include "policy/sighting.h"

#include "base/check.h"
#include "base/text.h"

const char *sighting_name(enum sighting sighting)
{
	static const char *const names[SIGHTING_MAX] = {
#define SIGHTING_TEXT(name, text) [name] = (text),
		SIGHTING_LIST(SIGHTING_TEXT)
#undef SIGHTING_TEXT
	};

	return sighting < SIGHTING_MAX ? names[sighting] : "?";
}

/* "santa" of "santa@north.test", "santa%north.test" and "NORTH\santa". */
static struct slice person_of(struct slice login)
{
	ptrdiff_t start = slice_find(login, '\\');
	size_t len = 0;

	login = slice_trim(slice_from(login, (size_t)(start + 1)));
	while (len < login.len && login.data[len] != '@' && login.data[len] != '%')
		len++;
	return slice_head(login, len);
}

static bool contains(struct slice text, const char *part)
{
	for (size_t i = 0; i < text.len; i++) {
		if (slice_starts_nocase(slice_from(text, i), part))
			return true;
	}
	return false;
}

/* detail: the TLS library's words. An alert is the other side's word. */
static enum sighting of_tls(struct slice detail)
{
	static const struct {
		const char *part;
		enum sighting sighting;
	} words[] = {
		{ "unsupported protocol", SIGHTING_TLS_OLD },
		{ "protocol version", SIGHTING_TLS_OLD },
		{ "version too low", SIGHTING_TLS_OLD },
		{ "no shared cipher", SIGHTING_TLS_OLD },
		{ "unknown ca", SIGHTING_CERTIFICATE },
		{ "alert bad certificate", SIGHTING_CERTIFICATE },
		{ "alert certificate", SIGHTING_CERTIFICATE },
	};

	for (size_t i = 0; i < GP_ARRAY_LEN(words); i++) {
		if (contains(detail, words[i].part))
			return words[i].sighting;
	}
	return SIGHTING_TLS_FAILED;
}

static enum sighting of_note(const struct sighting_event *event)
{
	static const enum sighting told[REASON_MAX] = {
		[REASON_NO_TLS] = SIGHTING_NO_TLS,
		[REASON_MECHANISM] = SIGHTING_MECHANISM,
		[REASON_TLS_ON_PLAIN_PORT] = SIGHTING_TLS_ON_PLAIN,
		[REASON_PLAIN_ON_TLS_PORT] = SIGHTING_PLAIN_ON_TLS,
		[REASON_HTTP] = SIGHTING_HTTP,
		[REASON_SIGNIN_REQUIRED] = SIGHTING_SIGNIN_REQUIRED,
		[REASON_LIMIT] = SIGHTING_LIMIT,
		[REASON_BANNED] = SIGHTING_BANNED,
	};

	if (event->reason == REASON_LEFT)
		return event->tls.len > 0 ? SIGHTING_LEFT : SIGHTING_LEFT_PLAIN;
	if (event->reason == REASON_TLS_FAILED)
		return of_tls(event->detail);
	return event->reason < REASON_MAX ? told[event->reason] : SIGHTING_NOTHING;
}

enum sighting sighting_of_stranger(const struct sighting_event *event, struct slice address)
{
	struct slice person = person_of(event->login);

	if (event->mechanism == MECHANISM_NONE && event->login.len == 0)
		return of_note(event);
	if (event->mechanism == MECHANISM_NONE || event->mechanism == MECHANISM_FORM ||
		(event->verdict != VERDICT_DENY && event->verdict != VERDICT_DENY_BANNED))
		return SIGHTING_NOTHING;
	return person.len > 0 && slice_equal_nocase(person, person_of(address)) ? SIGHTING_NAME
										: SIGHTING_NOTHING;
}

const char *sighting_name_form(struct slice login, struct slice address)
{
	ptrdiff_t at = slice_find_last(address, '@');

	if (slice_equal_nocase(login, address))
		return "full";
	if (at > 0 && slice_equal_nocase(login, slice_head(address, (size_t)at)))
		return "local";
	return "other";
}
