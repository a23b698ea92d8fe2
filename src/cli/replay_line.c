/* SPDX-License-Identifier: ISC */
#include "cli/replay_line.h"

#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

static struct slice none(void)
{
	return (struct slice){ NULL, 0 };
}

/* Offset of the text, or -1. */
static ptrdiff_t find(struct slice text, struct slice wanted)
{
	const char *at = text.len > 0 ? memmem(text.data, text.len, wanted.data, wanted.len) : NULL;

	return at != NULL ? at - text.data : -1;
}

static bool has_nocase(struct slice text, const char *wanted)
{
	for (; text.len > 0; text = slice_from(text, 1)) {
		if (slice_starts_nocase(text, wanted))
			return true;
	}
	return false;
}

/* ---- time ---- */

/* Cuts a number of 1 to 9 digits from the front. */
static bool take_number(struct slice *rest, int *ret_number)
{
	int number = 0;
	size_t digits = 0;

	while (digits < rest->len && digits < 9 && text_is_digit(rest->data[digits]))
		number = number * 10 + (rest->data[digits++] - '0');
	*rest = slice_from(*rest, digits);
	*ret_number = number;
	return digits > 0;
}

static bool take_byte(struct slice *rest, char byte)
{
	if (rest->len == 0 || rest->data[0] != byte)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

static bool take_clock(struct slice *rest, struct tm *tm)
{
	return take_number(rest, &tm->tm_hour) && take_byte(rest, ':') &&
	       take_number(rest, &tm->tm_min) && take_byte(rest, ':') &&
	       take_number(rest, &tm->tm_sec) && tm->tm_hour < 24 && tm->tm_min < 60 &&
	       tm->tm_sec <= 60;
}

static bool is_date(const struct tm *tm)
{
	return tm->tm_year >= 70 && tm->tm_year < 1100 && tm->tm_mon >= 0 && tm->tm_mon < 12 &&
	       tm->tm_mday >= 1 && tm->tm_mday <= 31;
}

/* "2026-01-31T14:05:09.123456+01:00 ". */
static bool take_rfc3339(struct slice *rest, int64_t *ret_at)
{
	struct tm tm = { 0 };
	int ignored;
	int hours = 0;
	int minutes = 0;
	int sign = 0;

	if (!take_number(rest, &tm.tm_year) || !take_byte(rest, '-') ||
		!take_number(rest, &tm.tm_mon) || !take_byte(rest, '-') ||
		!take_number(rest, &tm.tm_mday) || !take_byte(rest, 'T') || !take_clock(rest, &tm))
		return false;
	if (take_byte(rest, '.') && !take_number(rest, &ignored))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (!is_date(&tm))
		return false;
	if (!take_byte(rest, 'Z')) {
		sign = take_byte(rest, '+') ? 1 : take_byte(rest, '-') ? -1 : 0;
		if (sign == 0 || !take_number(rest, &hours) || !take_byte(rest, ':') ||
			!take_number(rest, &minutes) || hours > 23 || minutes > 59)
			return false;
	}
	*ret_at = timegm(&tm) - sign * (hours * 3600 + minutes * 60);
	return take_byte(rest, ' ');
}

void replay_year_init(struct replay_year *year, int64_t newest)
{
	char text[CLOCK_TEXT_SIZE];
	struct slice rest = slice_str(clock_format(newest, text));
	int month = 1;
	int day = 1;

	*year = (struct replay_year){ .year = 1970 };
	if (take_number(&rest, &year->year) && take_byte(&rest, '-') &&
		take_number(&rest, &month) && take_byte(&rest, '-') && take_number(&rest, &day))
		year->month = -((month - 1) * 32 + day);
}

/* The first line lies before the newest one; after that December to January is a new year. */
static int year_of(struct replay_year *year, const struct tm *tm)
{
	if (year->month <= 0 && tm->tm_mon * 32 + tm->tm_mday > -year->month + 1)
		year->year--;
	if (year->month == 12 && tm->tm_mon == 0)
		year->year++;
	if (year->month == 1 && tm->tm_mon == 11) /* lines out of order */
		year->year--;
	year->month = tm->tm_mon + 1;
	return year->year;
}

/* "Jan 31 14:05:09 ", "Jan  1 ...". */
static bool take_syslog(struct slice *rest, struct replay_year *year, int64_t *ret_at)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	ptrdiff_t at = rest->len >= 4 ? find(slice_str(months), slice_head(*rest, 3)) : -1;
	struct tm tm = { 0 };

	if (at < 0 || at % 3 != 0)
		return false;
	tm.tm_mon = (int)at / 3;
	*rest = slice_from(*rest, 3);
	while (take_byte(rest, ' '))
		;
	if (!take_number(rest, &tm.tm_mday) || !take_byte(rest, ' ') || !take_clock(rest, &tm) ||
		!take_byte(rest, ' ') || tm.tm_mday < 1 || tm.tm_mday > 31)
		return false;
	tm.tm_year = year_of(year, &tm) - 1900;
	*ret_at = timegm(&tm);
	return is_date(&tm);
}

/* ---- results ---- */

/* "5.1.1" of an enhanced code. */
static enum replay_result of_code(struct slice code, struct slice text)
{
	static const char *const spam[] = { "spam", "junk", "bulk mail", "reputation", "blocklist",
		"blacklist", "phish" };

	if (code.len < 3 || code.data[1] != '.')
		return REPLAY_REFUSED;
	if (code.data[0] == '2')
		return REPLAY_SENT;
	if (code.data[0] == '4')
		return REPLAY_DEFERRED;
	if (code.data[2] == '1' && (code.len == 3 || code.data[3] == '.'))
		return REPLAY_UNKNOWN;
	for (size_t i = 0; i < GP_ARRAY_LEN(spam); i++) {
		if (has_nocase(text, spam[i]))
			return REPLAY_SPAM;
	}
	return REPLAY_REFUSED;
}

enum replay_result replay_result_parse(struct slice text)
{
	static const struct {
		const char *word;
		enum replay_result result;
	} words[] = { { "sent", REPLAY_SENT }, { "delivered", REPLAY_SENT }, { "ok", REPLAY_SENT },
		{ "unknown", REPLAY_UNKNOWN }, { "spam", REPLAY_SPAM },
		{ "refused", REPLAY_REFUSED }, { "bounced", REPLAY_REFUSED },
		{ "deferred", REPLAY_DEFERRED } };
	struct slice rest = text;
	struct slice word = slice_word(&rest);

	for (size_t i = 0; i < GP_ARRAY_LEN(words); i++) {
		if (slice_is_nocase(word, words[i].word))
			return words[i].result;
	}
	if (word.len != 3 || !text_is_digit(word.data[0]))
		return word.len == 0 ? REPLAY_SENT : REPLAY_REFUSED;
	if (word.data[0] == '2')
		return REPLAY_SENT;
	if (word.data[0] == '4')
		return REPLAY_DEFERRED;
	return of_code(slice_word(&rest), text);
}

/* ---- Postfix ---- */

/* What follows key up to the end mark, or to the end of the text; none() without the key. */
static struct slice value(struct slice text, struct slice key, struct slice end)
{
	ptrdiff_t at = find(text, key);
	ptrdiff_t stop;

	if (at < 0)
		return none();
	text = slice_from(text, (size_t)at + key.len);
	stop = find(text, end);
	return stop >= 0 ? slice_head(text, (size_t)stop) : text;
}

/* "mx.example.net[192.0.2.1]". */
static void take_source(struct slice client, struct ip *ret_source)
{
	ptrdiff_t open = slice_find_last(client, '[');
	struct slice text = open >= 0 ? slice_from(client, (size_t)open + 1) : none();
	ptrdiff_t close = slice_find(text, ']');

	if (close < 0 || ip_parse(slice_head(text, (size_t)close), ret_source) != GP_OK)
		*ret_source = (struct ip){ 0 };
}

/* "client=host[address], sasl_method=PLAIN, sasl_username=alice@example.test". */
static void parse_smtpd(struct slice text, struct replay_line *line)
{
	line->account = value(text, SLICE_LIT(", sasl_username="), SLICE_LIT(", "));
	if (line->account.len == 0)
		return;
	take_source(value(text, SLICE_LIT("client="), SLICE_LIT(", ")), &line->source);
	line->kind = REPLAY_SUBMITTED;
}

/* "RCPT from host[address]: 553 5.7.1 <x@y>: Sender address rejected: not owned by user NAME;
 * from=<x@y> to=<...> ...". */
static void parse_reject(struct slice text, struct replay_line *line)
{
	line->account = value(
		text, SLICE_LIT("Sender address rejected: not owned by user "), SLICE_LIT("; "));
	if (line->account.len == 0)
		return;
	line->sender = value(text, SLICE_LIT("; from=<"), SLICE_LIT("> "));
	take_source(value(text, SLICE_LIT(" from "), SLICE_LIT(": ")), &line->source);
	line->kind = REPLAY_FORGED;
}

/* "from=<alice@example.test>, size=1234, nrcpt=1 (queue active)", "removed". */
static void parse_qmgr(struct slice text, struct replay_line *line)
{
	struct slice size = value(text, SLICE_LIT(">, size="), SLICE_LIT(","));
	unsigned long long number = 0;

	if (slice_is(text, "removed")) {
		line->kind = REPLAY_REMOVED;
		return;
	}
	if (!slice_starts_nocase(text, "from=<") || !slice_to_u64(size, UINT32_MAX, &number))
		return;
	line->sender = value(text, SLICE_LIT("from=<"), SLICE_LIT(">, size="));
	line->size = number;
	line->kind = REPLAY_QUEUED;
}

/* "to=<b@c>, relay=..., dsn=5.1.1, status=bounced (host ... said: ...)". */
static void parse_delivery(struct slice text, struct replay_line *line)
{
	struct slice recipient = value(text, SLICE_LIT("to=<"), SLICE_LIT(">, "));
	struct slice status;
	struct slice code;

	if (!slice_starts_nocase(text, "to=<"))
		return;
	text = slice_from(text, strlen("to=<") + recipient.len); /* nothing of it is a field */
	status = value(text, SLICE_LIT(", status="), SLICE_LIT(" "));
	code = value(text, SLICE_LIT(", dsn="), SLICE_LIT(","));
	if (status.len == 0)
		return;
	line->recipient = recipient;
	line->kind = REPLAY_DELIVERY;
	if (slice_is(status, "sent"))
		line->result = REPLAY_SENT;
	else if (slice_is(status, "deferred"))
		line->result = REPLAY_DEFERRED;
	else
		line->result = of_code(code, text);
}

static bool is_queue_id(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_alnum(text.data[i]))
			return false;
	}
	return text.len >= 5 && text.len <= 32;
}

/* "postfix/submission/smtpd[1234]:" gives "smtpd"; none() if it is not Postfix. */
static struct slice program_of(struct slice tag)
{
	ptrdiff_t open = slice_find(tag, '[');
	struct slice path = slice_head(tag, open >= 0 ? (size_t)open : tag.len);
	ptrdiff_t slash = slice_find_last(path, '/');

	if (slash < 0 || !slice_starts_nocase(path, "postfix"))
		return none();
	return slice_from(path, (size_t)slash + 1);
}

void replay_line_parse(struct slice line, struct replay_year *year, struct replay_line *ret_line)
{
	struct replay_line parsed = { .kind = REPLAY_NOTHING };
	struct slice program;
	ptrdiff_t colon;
	bool has_time = line.len > 0 &&
			(text_is_digit(line.data[0]) ? take_rfc3339(&line, &parsed.at)
						     : take_syslog(&line, year, &parsed.at));

	*ret_line = (struct replay_line){ .kind = REPLAY_NOTHING };
	if (!has_time)
		return;
	(void)slice_word(&line); /* the host's name */
	program = program_of(slice_word(&line));
	line = slice_trim(line);
	if (program.len == 0)
		return;
	colon = find(line, SLICE_LIT(": "));
	if (colon < 0)
		return;
	parsed.queue_id = slice_head(line, (size_t)colon);
	line = slice_from(line, (size_t)colon + 2);
	if (slice_is(parsed.queue_id, "NOQUEUE"))
		parse_reject(line, &parsed);
	else if (!is_queue_id(parsed.queue_id))
		return;
	else if (slice_is(program, "smtpd"))
		parse_smtpd(line, &parsed);
	else if (slice_is(program, "qmgr"))
		parse_qmgr(line, &parsed);
	else
		parse_delivery(line, &parsed);
	if (parsed.kind != REPLAY_NOTHING)
		*ret_line = parsed;
}

/* ---- JSON ---- */

static struct slice text_of(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	return json_is_string(member)
		       ? slice_of(json_string_value(member), json_string_length(member))
		       : none();
}

bool replay_json_parse(struct slice line, struct replay_json *ret_json)
{
	json_t *root = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *at = json_object_get(root, "t");
	const json_t *size = json_object_get(root, "size");
	struct replay_json json = { .root = root };

	json.account = text_of(root, "account");
	if (!json_is_number(at) || json.account.len == 0 ||
		!(json_number_value(at) >= 0 && json_number_value(at) < 1e11)) {
		json_decref(root);
		return false;
	}
	json.at = (int64_t)json_number_value(at);
	json.sender = text_of(root, "sender");
	json.client = text_of(root, "client");
	json.body = text_of(root, "body");
	if (ip_parse(text_of(root, "source"), &json.source) != GP_OK)
		json.source = (struct ip){ 0 };
	if (json_is_integer(size) && json_integer_value(size) > 0)
		json.size = (uint64_t)json_integer_value(size);
	json.result = replay_result_parse(text_of(root, "result"));
	json.count = json_array_size(json_object_get(root, "recipients"));
	if (json.count > REPLAY_RECIPIENTS_MAX)
		json.count = REPLAY_RECIPIENTS_MAX;
	*ret_json = json;
	return true;
}

struct slice replay_json_recipient(const struct replay_json *json, size_t i)
{
	const json_t *one = json_array_get(json_object_get(json->root, "recipients"), i);

	return json_is_string(one) ? slice_of(json_string_value(one), json_string_length(one))
				   : none();
}

void replay_json_fini(struct replay_json *json)
{
	json_decref(json->root);
	*json = (struct replay_json){ NULL };
}
