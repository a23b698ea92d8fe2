/* SPDX-License-Identifier: ISC */
#include "setup/autodiscover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

#include "base/mem.h"

#define BEGIN                                                                       \
	"<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/" \
	"outlook/requestschema/2006\"><Request>"
#define END     "</Request></Autodiscover>"
#define ADDRESS "<EMailAddress>alice@example.test</EMailAddress>"
#define SCHEMA  "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

/* Comes to this address, or to none. */
static const struct {
	const char *body;
	const char *address; /* NULL: refused */
} cases[] = {
	{ BEGIN ADDRESS END, "alice@example.test" },
	{ "<?xml version=\"1.0\" encoding='utf-8'?>\r\n" BEGIN "\r\n\t" ADDRESS "\n" END "\n",
		"alice@example.test" },
	{ "\xef\xbb\xbf<?xml version=\"1.0\"?>" BEGIN ADDRESS END, "alice@example.test" },
	{ BEGIN "<EMailAddress>\r\n alice@example.test \t</EMailAddress>" END,
		"alice@example.test" },
	{ "<a:Autodiscover xmlns:a=\"x\"><a:Request><b:EMailAddress>a@b</b:EMailAddress>"
	  "</a:Request></a:Autodiscover>",
		"a@b" },
	{ BEGIN "<EMailAddress>a&#64;b&#x2E;c&amp;&lt;&gt;&quot;&apos;</EMailAddress>" END,
		"a@b.c&<>\"'" },
	{ BEGIN "<EMailAddress>a@b&#252;c&#x20ac;&#x1F600;</EMailAddress>" END,
		"a@b\xc3\xbc"
		"c\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ BEGIN "<EMailAddress>&#x7ff;&#x800;&#xd7ff;&#xe000;&#x10000;&#x10ffff;</"
		"EMailAddress>" END,
		"\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80"
		"\xf4\x8f\xbf\xbf" },
	{ BEGIN "<EMailAddress>a&#x20;b&#x7e;</EMailAddress>" END, "a b~" },
	{ BEGIN "<_a b = '1' c\t=\n\"2\" />" ADDRESS END, "alice@example.test" },
	{ BEGIN "<LegacyDN/><Other a='1' b=\"&\"/>" ADDRESS END, "alice@example.test" },
	{ BEGIN END, "" },
	{ BEGIN "<EMailAddress/>" END, "" },
	{ BEGIN "<X>" ADDRESS "</X>" END, "" },
	{ "<Autodiscover>" ADDRESS "</Autodiscover>", "" },
	{ "<Autodiscover/>", "" },
	/* no request */
	{ "", NULL },
	{ " ", NULL },
	{ "alice@example.test", NULL },
	{ "{\"EMailAddress\":\"a@b\"}", NULL },
	{ "<Request>" ADDRESS "</Request>", NULL },
	{ BEGIN ADDRESS "</Request>", NULL },
	{ BEGIN ADDRESS "</Autodiscover></Request>", NULL },
	{ BEGIN ADDRESS END "<x/>", NULL },
	{ BEGIN ADDRESS END "x", NULL },
	{ "x" BEGIN ADDRESS END, NULL },
	{ BEGIN ADDRESS ADDRESS END, NULL },
	{ BEGIN "<EMailAddress>a<b/>c</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>a@b</emailaddress>" END, NULL },
	{ BEGIN "<EMailAddress>a@b</EMailAddress" END, NULL },
	{ BEGIN "<EMailAddress a>a@b</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress a=b>a@b</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress a='<'>a@b</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress a='1'b='2'>a@b</EMailAddress>" END, NULL },
	{ BEGIN "< EMailAddress>a@b</EMailAddress>" END, NULL },
	{ BEGIN "<1a>a@b</1a>" END, NULL },
	/* what XML has and a request needs not */
	{ "<!DOCTYPE Autodiscover>" BEGIN ADDRESS END, NULL },
	{ "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" BEGIN
	  "<EMailAddress>&x;</EMailAddress>" END,
		NULL },
	{ "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;&x;&x;\">]>" BEGIN
	  "<EMailAddress>&y;</EMailAddress>" END,
		NULL },
	{ "<!DOCTYPE a SYSTEM \"http://evil.test/a.dtd\">" BEGIN ADDRESS END, NULL },
	{ BEGIN "<EMailAddress><![CDATA[a@b]]></EMailAddress>" END, NULL },
	{ BEGIN "<!-- -->" ADDRESS END, NULL },
	{ BEGIN "<?php echo 1 ?>" ADDRESS END, NULL },
	{ BEGIN ADDRESS END "<?x y='1'?>", NULL },
	{ BEGIN "<xi:include href=\"file:///etc/passwd\"/>" ADDRESS END, "alice@example.test" },
	{ BEGIN "<EMailAddress>&x;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&amp</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#x;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#0;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#10;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>a&#x1f;b</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#xdfff;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#xD800;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#x110000;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#99999999;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#6g;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>&#x7f;</EMailAddress>" END, NULL },
	{ BEGIN "<EMailAddress>a\nb</EMailAddress>" END, NULL },
	/* no UTF-8 */
	{ BEGIN "<EMailAddress>a\xff</EMailAddress>" END, NULL },
	{ "\xff\xfe<\0A\0", NULL },
};

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct autodiscover_request request = { .address = "untouched" };
		enum gp_err err = autodiscover_read(slice_str(cases[i].body), &request);

		if (cases[i].address == NULL && err != GP_ERR_SYNTAX)
			fail_msg("taken: %s", cases[i].body);
		if (cases[i].address != NULL && err != GP_OK)
			fail_msg("refused: %s", cases[i].body);
		assert_string_equal(
			request.address, cases[i].address != NULL ? cases[i].address : "untouched");
	}
}

static enum gp_err read_repeated(
	const char *head, const char *piece, size_t count, const char *tail)
{
	struct autodiscover_request request;
	struct buf body;
	enum gp_err err;

	buf_init(&body, 64 * 1024);
	assert_int_equal(buf_append_str(&body, head), GP_OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_append_str(&body, piece), GP_OK);
	assert_int_equal(buf_append_str(&body, tail), GP_OK);
	err = autodiscover_read(buf_slice(&body), &request);
	buf_fini(&body);
	return err;
}

static void test_limits(void **state)
{
	size_t frame = sizeof(BEGIN END) - 1;
	size_t room = AUTODISCOVER_REQUEST_MAX - frame;

	(void)state;
	assert_int_equal(read_repeated(BEGIN, " ", room, END), GP_OK);
	assert_int_equal(read_repeated(BEGIN, " ", room + 1, END), GP_ERR_LIMIT);
	/* Two elements are open already, and the innermost is closed at once. */
	assert_int_equal(
		read_repeated(BEGIN "<a><a><a><a><a>", "<a/>", 1, "</a></a></a></a></a>" END),
		GP_OK);
	assert_int_equal(read_repeated(BEGIN "<a><a><a><a><a><a>", "<a/>", 1,
				 "</a></a></a></a></a></a>" END),
		GP_ERR_SYNTAX);
	assert_int_equal(read_repeated(BEGIN "<", "n", AUTODISCOVER_NAME_MAX, "/>" END), GP_OK);
	assert_int_equal(
		read_repeated(BEGIN "<", "n", AUTODISCOVER_NAME_MAX + 1, "/>" END), GP_ERR_SYNTAX);
	assert_int_equal(
		read_repeated(BEGIN "<a", " b='1'", AUTODISCOVER_ATTRIBUTES_MAX, "/>" END), GP_OK);
	assert_int_equal(
		read_repeated(BEGIN "<a", " b='1'", AUTODISCOVER_ATTRIBUTES_MAX + 1, "/>" END),
		GP_ERR_SYNTAX);
	assert_int_equal(read_repeated(BEGIN "<EMailAddress>", "a", AUTODISCOVER_VALUE_SIZE - 1,
				 "</EMailAddress>" END),
		GP_OK);
	assert_int_equal(read_repeated(BEGIN "<EMailAddress>", "a", AUTODISCOVER_VALUE_SIZE,
				 "</EMailAddress>" END),
		GP_ERR_SYNTAX);
}

static void test_kinds_of_answers(void **state)
{
	struct autodiscover_request request;

	(void)state;
	assert_int_equal(autodiscover_read(SLICE_LIT(BEGIN ADDRESS END), &request), GP_OK);
	assert_true(autodiscover_is_known(&request));
	assert_int_equal(
		autodiscover_read(SLICE_LIT(BEGIN ADDRESS "<AcceptableResponseSchema>" SCHEMA
							  "</AcceptableResponseSchema>" END),
			&request),
		GP_OK);
	assert_true(autodiscover_is_known(&request));
	assert_int_equal(
		autodiscover_read(SLICE_LIT(BEGIN ADDRESS "<AcceptableResponseSchema>http://x"
							  "</AcceptableResponseSchema>" END),
			&request),
		GP_OK);
	assert_false(autodiscover_is_known(&request));
}

/* The first offer of each protocol, and none for what is not served. */
static void test_answer(void **state)
{
	struct offers offers = { .hostname = "mail.example.test" };
	struct buf out;

	(void)state;
	buf_init(&out, AUTODISCOVER_MAX);
	assert_int_equal(autodiscover_write(&offers, SLICE_LIT("a@b"), &out), GP_ERR_NOT_FOUND);
	offers.ports[SERVICE_IMAP] = 1143;
	offers.ports[SERVICE_SUBMISSIONS] = 465;
	offers.ports[SERVICE_SUBMISSION] = 587;
	assert_int_equal(autodiscover_write(&offers, SLICE_LIT("<a>@b"), &out), GP_OK);
	assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
	assert_non_null(strstr(buf_slice(&out).data, "<Port>1143</Port>"));
	assert_non_null(strstr(buf_slice(&out).data, "<Encryption>TLS</Encryption>"));
	assert_non_null(strstr(buf_slice(&out).data, "<LoginName>&lt;a&gt;@b</LoginName>"));
	assert_non_null(strstr(buf_slice(&out).data, "<Port>465</Port>"));
	assert_null(strstr(buf_slice(&out).data, "<Port>587</Port>"));
	assert_null(strstr(buf_slice(&out).data, "POP3"));
	buf_clear(&out);
	assert_int_equal(autodiscover_write(&offers, SLICE_LIT("a\x01"), &out), GP_ERR_SYNTAX);
	buf_fini(&out);
}

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OPEN                                                                            \
	XML "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/" \
	    "responseschema/2006\">\n"
#define CLOSE "  </Response>\n</Autodiscover>\n"
#define SERVER(type, port, encryption, more)                \
	"      <Protocol>\n"                                \
	"        <Type>" type "</Type>\n"                   \
	"        <Server>mail.example.test</Server>\n"      \
	"        <Port>" port "</Port>\n"                   \
	"        <DomainRequired>off</DomainRequired>\n"    \
	"        <LoginName>a@b.test</LoginName>\n"         \
	"        <SPA>off</SPA>\n"                          \
	"        <SSL>on</SSL>\n"                           \
	"        <Encryption>" encryption "</Encryption>\n" \
	"        <AuthRequired>on</AuthRequired>\n" more "      </Protocol>\n"
#define FAULT(code, message)                           \
	OPEN "  <Response>\n"                          \
	     "    <Error Time=\"09:30:00.0000000\">\n" \
	     "      <ErrorCode>" code "</ErrorCode>\n" \
	     "      <Message>" message "</Message>\n"  \
	     "      <DebugData/>\n"                    \
	     "    </Error>\n" CLOSE

static void check_whole(struct buf *out, const char *wanted)
{
	assert_int_equal(buf_append_byte(out, '\0'), GP_OK);
	assert_string_equal(buf_slice(out).data, wanted);
	buf_clear(out);
}

/* To the letter: Outlook says nothing of what it does not like. */
static void test_whole_answers(void **state)
{
	struct offers offers = { .hostname = "mail.example.test" };
	struct buf out;

	(void)state;
	offers.ports[SERVICE_POP3S] = 995;
	offers.ports[SERVICE_IMAPS] = 993;
	offers.ports[SERVICE_SUBMISSION] = 587;
	buf_init(&out, AUTODISCOVER_MAX);
	assert_int_equal(autodiscover_write(&offers, SLICE_LIT("a@b.test"), &out), GP_OK);
	check_whole(&out, OPEN
		"  <Response xmlns=\"" SCHEMA "\">\n"
		"    <User>\n      <DisplayName>a@b.test</DisplayName>\n    </User>\n"
		"    <Account>\n      <AccountType>email</AccountType>\n"
		"      <Action>settings</Action>\n" SERVER("IMAP", "993", "SSL", "")
			SERVER("POP3", "995", "SSL", "") SERVER("SMTP", "587", "TLS",
				"        <UsePOPAuth>on</UsePOPAuth>\n"
				"        <SMTPLast>off</SMTPLast>\n") "    </Account>\n" CLOSE);
	assert_int_equal(
		autodiscover_write_fault(AUTODISCOVER_INVALID, "09:30:00.0000000", &out), GP_OK);
	check_whole(&out, FAULT("600", "Invalid Request"));
	assert_int_equal(
		autodiscover_write_fault(AUTODISCOVER_PROVIDER, "09:30:00.0000000", &out), GP_OK);
	check_whole(&out, FAULT("601", "Provider is not available"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_kinds_of_answers),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_whole_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
