/* SPDX-License-Identifier: ISC */
/* Mail of Gatepost's own: whole, in the right language, and nothing in it that was not meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "vault/letter.h"

static struct letter letter_of(const char *kind, const char *language, json_t *values)
{
	return (struct letter){ .kind = kind,
		.language = language,
		.values = values,
		.from = "postmaster@mail.example.test",
		.recipient = "alice@example.test",
		.hostname = "mail.example.test",
		.id = 0x2a,
		.at = 1800000000 };
}

/* The text of a letter; the caller frees nothing: it is static. */
static const char *write(const struct letter *letter)
{
	static char text[LETTER_MAX + 1];
	struct buf out;

	buf_init(&out, LETTER_MAX);
	assert_int_equal(letter_write(letter, &out), GP_OK);
	assert_true(slice_copy(buf_slice(&out), text, sizeof text));
	buf_fini(&out);
	return text;
}

static void it_is_whole(void **state)
{
	json_t *values = json_pack("{s:s, s:s, s:s, s:s}", "account", "alice@example.test", "name",
		"phone", "time", "2027-01-15T08:00:00Z", "portal", "https://mail.example.test/");
	struct letter letter = letter_of("device_added", "en", values);
	const char *text = write(&letter);

	(void)state;
	assert_ptr_equal(strstr(text, "From: Gatepost <postmaster@mail.example.test>\r\n"
				      "To: <alice@example.test>\r\n"
				      "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"
				      "Message-ID: <gatepost.6b49d200.2a@mail.example.test>\r\n"
				      "Subject: New device password \"phone\"\r\n"
				      "MIME-Version: 1.0\r\n"
				      "Content-Type: text/plain; charset=utf-8\r\n"
				      "Content-Transfer-Encoding: quoted-printable\r\n"
				      "Content-Language: en\r\n"
				      "Auto-Submitted: auto-generated\r\n"
				      "\r\n"
				      "Hello,\r\n"),
		text);
	/* Soft line breaks are taken out where a sentence is looked for. */
	assert_non_null(strstr(text, "on 2027-01-15 08:00 (=\r\nUTC)"));
	assert_non_null(strstr(text, "    Name: phone\r\n"));
	assert_string_equal(text + strlen(text) - 2, "\r\n");
	json_decref(values);
}

/* RFC 5322 section 2.1.1, RFC 2045 section 6.7: short lines, CRLF, 7 bits, no blank at an end. */
static void check_wire(const char *text)
{
	size_t column = 0;

	for (const char *at = text; *at != '\0'; at++) {
		assert_true((unsigned char)*at < 0x80);
		if (*at == '\r') {
			assert_int_equal(at[1], '\n');
			assert_true(at == text || at[-1] != ' ');
			assert_true(column <= 76);
			column = 0;
			at++;
		} else {
			assert_true(*at != '\n');
			column++;
		}
	}
}

static void every_letter_keeps_to_the_wire(void **state)
{
	static const char *const kinds[] = { "device_added", "password_changed", "twofactor_on",
		"twofactor_off", "twofactor_removal", "recovery_code", "recovery_address",
		"reset_link", "new_network", "address_banned", "recovery_added", "recovery_changed",
		"recovery_removed", "recovery_restored" };
	static const char *const languages[] = { "en", "de", "xx", "" };
	json_t *values = json_pack("{s:s, s:s}", "name",
		"Ger\xc3\xa4t mit sehr, sehr langem Namen, l\xc3\xa4nger als jede Zeile es sein "
		"darf",
		"account", "j\xc3\xb6rg@example.test");

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		assert_true(letter_has_kind(kinds[i]));
		for (size_t k = 0; k < sizeof languages / sizeof languages[0]; k++) {
			struct letter letter = letter_of(kinds[i], languages[k], values);

			check_wire(write(&letter));
		}
	}
	assert_false(letter_has_kind("no_such_thing"));
	json_decref(values);
}

static void a_language_that_is_not_there_is_english(void **state)
{
	struct letter letter = letter_of("twofactor_on", "de", NULL);

	(void)state;
	assert_non_null(strstr(write(&letter), "Content-Language: de\r\n"));
	letter.language = "tlh";
	assert_non_null(strstr(write(&letter), "Content-Language: en\r\n"));
}

static void a_subject_beyond_ascii_is_encoded(void **state)
{
	struct letter letter = letter_of("password_changed", "de", NULL);

	(void)state;
	assert_non_null(strstr(write(&letter),
		"Subject: =?utf-8?B?SWhyIFBhc3N3b3J0IHd1cmRlIGdlw6RuZGVydA==?=\r\n"));
}

/* A name that somebody chose adds no header and no line. */
static void a_value_stays_a_value(void **state)
{
	json_t *values = json_pack("{s:s, s:s}", "name", "x\r\nBcc: all@example.test\r\n\r\nText",
		"account", "{portal}{name}");
	struct letter letter = letter_of("device_added", "en", values);
	const char *text = write(&letter);

	(void)state;
	assert_null(strstr(text, "\nBcc:"));
	assert_non_null(strstr(text, "x  Bcc: all@example.test    Text"));
	assert_non_null(strstr(text, "made for {portal}{name} on"));
	json_decref(values);
}

/* A line each; and none that somebody else begins. */
static void a_list_stands_in_lines(void **state)
{
	json_t *values = json_pack("{s:s, s:s, s:[s, s, s]}", "new", "3", "waiting", "4",
		"accounts", "a@b.test, 08:00", "{new}\r\nx", "c@d.test");
	struct letter letter = letter_of("staff_cases", "en", values);
	const char *text = write(&letter);

	(void)state;
	assert_non_null(strstr(text, "\r\n\r\n    a@b.test, 08:00\r\n    {new}  x\r\n    "
				     "c@d.test\r\n\r\nNew since the last mail: 3,"));
	assert_non_null(strstr(text, "\r\nWaiting for you in all: 4.\r\n"));
	json_decref(values);
}

static void what_is_too_long_or_unknown_is_refused(void **state)
{
	char name[LETTER_MAX] = "";
	json_t *values = NULL;
	struct letter letter = letter_of("device_added", "en", NULL);
	struct buf out;

	(void)state;
	memset(name, 'x', sizeof name - 1);
	values = json_pack("{s:s}", "name", name);
	letter.values = values;
	buf_init(&out, LETTER_MAX);
	assert_int_equal(letter_write(&letter, &out), GP_ERR_LIMIT);
	letter.kind = "no_such_thing";
	assert_int_equal(letter_write(&letter, &out), GP_ERR_NOT_FOUND);
	buf_fini(&out);
	json_decref(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_whole),
		cmocka_unit_test(every_letter_keeps_to_the_wire),
		cmocka_unit_test(a_language_that_is_not_there_is_english),
		cmocka_unit_test(a_subject_beyond_ascii_is_encoded),
		cmocka_unit_test(a_value_stays_a_value),
		cmocka_unit_test(a_list_stands_in_lines),
		cmocka_unit_test(what_is_too_long_or_unknown_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
