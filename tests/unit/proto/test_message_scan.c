/* SPDX-License-Identifier: ISC */
/* Promise: subject, From: and fingerprint are the message's, however its bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "proto/header_text.h"
#include "proto/message_scan.h"

struct seen {
	enum message_from from;
	struct buf addresses;
	struct buf subject;
	bool has_body;
	unsigned char body[SIPHASH_BYTES];
};

static void seen_fini(struct seen *seen)
{
	buf_fini(&seen->addresses);
	buf_fini(&seen->subject);
}

/* Bytes at at that may come together: a CRLF is never cut. */
static size_t piece_len(struct slice wire, size_t at, size_t size)
{
	size_t len = slice_head(slice_from(wire, at), size).len;

	return wire.data[at + len - 1] == '\r' ? len + 1 : len;
}

static void look(struct slice wire, size_t piece, struct seen *ret_seen)
{
	struct message_scan *scan = message_scan_new(true, true);

	for (size_t at = 0; at < wire.len;) {
		size_t len = piece_len(wire, at, piece);

		message_scan_add(scan, slice_head(slice_from(wire, at), len));
		at += len;
	}
	message_scan_end(scan);
	assert_true(message_scan_has_header(scan));
	buf_init(&ret_seen->addresses, MESSAGE_SCAN_ADDRESSES);
	buf_init(&ret_seen->subject, HEADER_TEXT_MAX);
	ret_seen->from = message_scan_from(scan, &ret_seen->addresses);
	message_scan_subject(scan, &ret_seen->subject);
	memset(ret_seen->body, 0, sizeof ret_seen->body);
	ret_seen->has_body = message_scan_body(scan, ret_seen->body);
	message_scan_free(&scan);
}

struct header_case {
	const char *wire;
	enum message_from from;
	const char *addresses;
	const char *subject;
};

static const struct header_case headers[] = {
	{ "From: a@x.test\r\nSubject: Hello\r\n\r\nbody\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test",
		"Hello" },
	{ "FROM:a@x.test\r\nsUBJECT:Hello\r\n\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test", "Hello" },
	{ "From \t: a@x.test\r\n\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test", "" },
	{ "From:\r\n A\r\n\t<a@x.test>\r\nSubject: one\r\n two\r\n\r\n", MESSAGE_FROM_ADDRESSES,
		"a@x.test", "one two" },
	{ "From: a@x.test", MESSAGE_FROM_ADDRESSES, "a@x.test", "" },
	{ "", MESSAGE_FROM_NOBODY, "", "" },
	{ "\r\nFrom: a@x.test\r\n", MESSAGE_FROM_NOBODY, "", "" },
	{ "From:\r\n\r\n", MESSAGE_FROM_NOBODY, "", "" },
	{ "Resent-From: a@x.test\r\nFromage: b@x.test\r\nXFrom: c@x.test\r\nFr om: "
	  "d@x.test\r\n\r\n",
		MESSAGE_FROM_NOBODY, "", "" },
	{ "Fr xom: d@x.test\r\n\r\n", MESSAGE_FROM_NOBODY, "", "" },
	{ "X : 1\r\nFrom: a@x.test\r\n\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test", "" },
	/* More than one, wherever a mail program might find it. */
	{ "From: a@x.test\r\nFrom: a@x.test\r\n\r\n", MESSAGE_FROM_BAD, "", "" },
	{ "From: a@x.test\r\nno field\r\nFROM : b@x.test\r\n\r\n", MESSAGE_FROM_BAD, "", "" },
	{ "From: a@x.test\r\n \r\nFrom: b@x.test\r\n\r\n", MESSAGE_FROM_BAD, "", "" },
	{ "From: a@x.test\r\n\r\nFrom: b@x.test\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test", "" },
	{ "From: a@x.test <b@x.test>\r\n\r\n", MESSAGE_FROM_BAD, "", "" },
	/* The dot in front is the transfer's, doubled or not. */
	{ ".From: a@x.test\r\n\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test", "" },
	{ "no field\r\n.From: a@x.test\r\n\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test", "" },
	{ "..From: a@x.test\r\n\r\n", MESSAGE_FROM_NOBODY, "", "" },
	{ "From: A\r\n. <a@x.test>\r\n\r\n", MESSAGE_FROM_ADDRESSES, "a@x.test", "" },
	{ "mbox From line: x\r\nFrom a@x.test Thu Jan 1 00:00:00\r\nFrom: b@x.test\r\n\r\n",
		MESSAGE_FROM_ADDRESSES, "b@x.test", "" },
	{ "Subject: first\r\nSubject: second\r\n\r\n", MESSAGE_FROM_NOBODY, "", "first" },
};

static void headers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(headers); i++) {
		const struct header_case *one = &headers[i];
		struct slice wire = slice_str(one->wire);

		for (size_t piece = 1; piece <= wire.len + 1; piece++) {
			struct seen seen;

			look(wire, piece, &seen);
			if (seen.from != one->from ||
				(seen.from == MESSAGE_FROM_ADDRESSES &&
					!slice_is(buf_slice(&seen.addresses), one->addresses)) ||
				!slice_is(buf_slice(&seen.subject), one->subject))
				fail_msg("%s in %zu: %d %.*s", one->wire, piece, seen.from,
					SLICE_ARG(buf_slice(&seen.addresses)));
			seen_fini(&seen);
		}
	}
}

struct text_case {
	const char *field;
	const char *text;
};

static const struct text_case texts[] = {
	{ "Hello", "Hello" },
	{ "  Hello  you ", "Hello  you" },
	{ "=?UTF-8?Q?Gr=C3=BC=C3=9Fe_an_alle?=", "Gr\u00fc\u00dfe an alle" },
	{ "=?utf-8?B?R3LDvMOfZQ==?= an alle", "Gr\u00fc\u00dfe an alle" },
	{ "=?iso-8859-1?q?Gr=FC=DFe?=", "Gr\u00fc\u00dfe" },
	{ "=?ISO-8859-15?Q?5=A4?=", "5\u20ac" },
	{ "=?windows-1252?q?=93x=94_=80?=", "\u201cx\u201d \u20ac" },
	{ "=?iso-8859-15?q?=A6=A8=B4=B8=BC=BD=BE?=", "\u0160\u0161\u017d\u017e\u0152\u0153\u0178" },
	{ "=?windows-1252?q?=8A=9A=8E=9E=8C=9C=9F?=",
		"\u0160\u0161\u017d\u017e\u0152\u0153\u0178" },
	{ "=?utf-8*de?q?=C3=BC?=", "\u00fc" },
	/* Between two words, and a character cut in two. */
	{ "=?utf-8?q?a?= =?utf-8?q?b?= c =?utf-8?q?d?=", "ab c d" },
	{ "=?utf-8?q?=C3?=\t=?utf-8?q?=BC?=", "\u00fc" },
	{ "Re: =?utf-8?q?=C3=BC?=", "Re: \u00fc" },
	/* No words. */
	{ "=?koi8-r?b?8NLJ18XU?=", "=?koi8-r?b?8NLJ18XU?=" },
	{ "=?utf-8?b?!?= x", "=?utf-8?b?!?= x" },
	{ "=?utf-8?q?open", "=?utf-8?q?open" },
	{ "=?utf-8?q?a b?=", "=?utf-8?q?a b?=" },
	{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
	{ "=?", "=?" },
	{ "=?utf-8?q?=4?= =?utf-8?q?=ZZ?=", "=4=ZZ" },
	/* Nothing in it can harm a terminal or a page. */
	{ "a\x1b[31mb\x7f", "a [31mb" },
	{ "=?utf-8?q?a=00b=0D=0Ac?=", "a b  c" },
	{ "caf\xe9 =?utf-8?q?=FF=C2=85?=", "caf? ???" },
	{ "a\x1f"
	  "b c",
		"a b c" },
	{ "caf\xc3\xa9", "caf\u00e9" },
	{ "", "" },
};

static void texts_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		struct buf out;

		buf_init(&out, HEADER_TEXT_MAX);
		header_text_decode(slice_str(texts[i].field), &out);
		if (!slice_is(buf_slice(&out), texts[i].text))
			fail_msg("%s: %.*s", texts[i].field, SLICE_ARG(buf_slice(&out)));
		buf_fini(&out);
	}
}

static void long_text_is_cut_at_a_character(void **state)
{
	static const char e_acute[] = "\u00e9";
	char field[HEADER_TEXT_MAX * 2];
	struct buf out;

	(void)state;
	for (size_t lead = 0; lead < 2; lead++) {
		memset(field, 'x', lead);
		for (size_t i = lead; i + 1 < sizeof field; i++)
			field[i] = e_acute[(i - lead) % 2];
		buf_init(&out, HEADER_TEXT_MAX);
		header_text_decode(slice_of(field, sizeof field - 1), &out);
		assert_int_equal(out.len, HEADER_TEXT_MAX - lead);
		assert_int_equal(slice_find(buf_slice(&out), '?'), -1);
		buf_fini(&out);
	}
}

/* "NAME: xxx...\r\n\r\n" with so many x. */
static char *long_header(const char *name, const char *before, size_t count, const char *behind)
{
	struct buf text;
	char *out;

	buf_init(&text, 64 * 1024);
	assert_int_equal(buf_printf(&text, "%s:%s", name, before), GP_OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_append_byte(&text, 'x'), GP_OK);
	assert_int_equal(buf_printf(&text, "%s\r\n\r\n", behind), GP_OK);
	out = slice_dup(buf_slice(&text));
	buf_fini(&text);
	return out;
}

static enum message_from from_of(const char *before, size_t count, const char *behind)
{
	char *header = long_header("From", before, count, behind);
	enum message_from from;
	struct seen seen;

	look(slice_str(header), SIZE_MAX / 2, &seen);
	from = seen.from;
	seen_fini(&seen);
	mem_free(header);
	return from;
}

static void from_has_its_limits(void **state)
{
	const size_t around = sizeof "()a@x.test" - 1;
	char list[MESSAGE_SCAN_ADDRESSES + 64] = "";

	(void)state;
	assert_int_equal(
		from_of("(", MESSAGE_SCAN_FROM - around, ")a@x.test"), MESSAGE_FROM_ADDRESSES);
	assert_int_equal(
		from_of("(", MESSAGE_SCAN_FROM - around + 1, ")a@x.test"), MESSAGE_FROM_BAD);
	/* Addresses of 16 bytes, comma included. */
	for (size_t i = 0; i < MESSAGE_SCAN_ADDRESSES / 16; i++)
		memcpy(list + 16 * i, "0123456@789.tst,", 17);
	assert_int_equal(from_of(list, 0, ""), MESSAGE_FROM_ADDRESSES);
	memcpy(list + strlen(list), "a@b", 4);
	assert_int_equal(from_of(list, 0, ""), MESSAGE_FROM_BAD);
}

static void subject_has_its_limit(void **state)
{
	char *header = long_header("Subject", "", MESSAGE_SCAN_SUBJECT + 1, "");
	struct seen seen;

	(void)state;
	look(slice_str(header), 100, &seen);
	assert_int_equal(seen.subject.len, HEADER_TEXT_MAX);
	seen_fini(&seen);
	mem_free(header);
}

/* A subject that is cut off says nothing of who sent it. */
static void long_subject_leaves_from_alone(void **state)
{
	char *header = long_header("Subject", "", MESSAGE_SCAN_SUBJECT + 1, "\r\nFrom: a@x.test");
	struct seen seen;

	(void)state;
	look(slice_str(header), 100, &seen);
	assert_int_equal(seen.from, MESSAGE_FROM_ADDRESSES);
	seen_fini(&seen);
	mem_free(header);
}

/* Before the empty line there may be more of it. */
static void header_is_over_at_the_empty_line(void **state)
{
	static const char *const lines[] = { "From: a@x.test\r\n", " \r\n", "no field\r\n" };
	struct message_scan *scan = message_scan_new(true, true);

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(lines); i++) {
		message_scan_add(scan, slice_str(lines[i]));
		assert_false(message_scan_has_header(scan));
	}
	message_scan_add(scan, SLICE_LIT("\r\n"));
	assert_true(message_scan_has_header(scan));
	message_scan_free(&scan);
	message_scan_free(&scan);
}

static void a_body_that_is_not_wanted_is_not_looked_at(void **state)
{
	unsigned char body[SIPHASH_BYTES];

	(void)state;
	for (int wants_body = 0; wants_body < 2; wants_body++) {
		struct message_scan *scan = message_scan_new(true, wants_body);
		struct buf subject;

		message_scan_add(scan, SLICE_LIT("Subject: a\r\n\r\nb\r\nFrom: b@x.test\r\n"));
		message_scan_add(scan, SLICE_LIT("c\r\n"));
		message_scan_end(scan);
		buf_init(&subject, 100);
		message_scan_subject(scan, &subject);
		assert_true(slice_is(buf_slice(&subject), "a"));
		assert_true(message_scan_has_header(scan));
		assert_int_equal(message_scan_body(scan, body), wants_body);
		buf_fini(&subject);
		message_scan_free(&scan);
	}
}

struct body_pair {
	const char *one;
	const char *other;
	bool are_alike;
};

static const struct body_pair bodies[] = {
	{ "A: 1\r\n\r\nhello\r\n", "B: 2\r\nC: 3\r\n\r\nhello\r\n", true },
	{ "\r\nhello\r\n", "A: 1\r\n\r\nhello\r\n", true },
	{ "\r\nhello\r\n", "\r\nhallo\r\n", false },
	{ "\r\nhello\r\n", "\r\nhello\r\n\r\n", false },
	{ "\r\n--b1\r\nhello\r\n--b1--\r\n", "\r\n--b22\r\nhello\r\n--b22--\r\n", true },
	{ "\r\n-b1\r\nhello\r\n", "\r\n-b2\r\nhello\r\n", false },
	{ "\r\n-\r\nhello\r\n", "\r\n\r\nhello\r\n", false },
	{ "\r\na\r\n-b1\r\n", "\r\na\r\n-b2\r\n", false },
	{ "\r\nx--b1\r\n", "\r\nx--b2\r\n", false },
	{ "\r\nx--b1\r\n", "\r\nx--b1\r\n", true },
};

static void bodies_are_recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(bodies); i++) {
		for (size_t piece = 1; piece < 20; piece++) {
			struct seen one;
			struct seen other;
			bool are_alike;

			look(slice_str(bodies[i].one), piece, &one);
			look(slice_str(bodies[i].other), 100, &other);
			assert_true(one.has_body && other.has_body);
			are_alike = memcmp(one.body, other.body, sizeof one.body) == 0;
			if (are_alike != bodies[i].are_alike)
				fail_msg("%s and %s", bodies[i].one, bodies[i].other);
			seen_fini(&one);
			seen_fini(&other);
		}
	}
}

static void no_body_has_no_fingerprint(void **state)
{
	static const char *const wires[] = { "", "A: 1\r\n", "A: 1\r\n\r\n", "\r\n--only\r\n" };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(wires); i++) {
		struct seen seen;

		look(slice_str(wires[i]), 100, &seen);
		assert_false(seen.has_body);
		seen_fini(&seen);
	}
}

/* The first MESSAGE_SCAN_BODY bytes tell, and what is behind them does not. */
static void body_has_its_limit(void **state)
{
	char *wire = mem_new(1, MESSAGE_SCAN_BODY + 64);
	struct seen seen[3];

	(void)state;
	memset(wire, 'x', MESSAGE_SCAN_BODY + 60);
	memcpy(wire, "\r\n", 2);
	for (size_t i = 0; i < 3; i++) {
		/* The last byte that counts, and the first that does not. */
		if (i > 0)
			wire[2 + MESSAGE_SCAN_BODY - (i == 2)] = 'y';
		look(slice_of(wire, MESSAGE_SCAN_BODY + 60), 1000, &seen[i]);
	}
	assert_memory_equal(seen[0].body, seen[1].body, SIPHASH_BYTES);
	assert_memory_not_equal(seen[0].body, seen[2].body, SIPHASH_BYTES);
	for (size_t i = 0; i < 3; i++)
		seen_fini(&seen[i]);
	mem_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read),
		cmocka_unit_test(texts_are_decoded),
		cmocka_unit_test(long_text_is_cut_at_a_character),
		cmocka_unit_test(from_has_its_limits),
		cmocka_unit_test(subject_has_its_limit),
		cmocka_unit_test(long_subject_leaves_from_alone),
		cmocka_unit_test(header_is_over_at_the_empty_line),
		cmocka_unit_test(a_body_that_is_not_wanted_is_not_looked_at),
		cmocka_unit_test(bodies_are_recognised),
		cmocka_unit_test(no_body_has_no_fingerprint),
		cmocka_unit_test(body_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
