/* SPDX-License-Identifier: ISC */
#include "setup/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

static const uint8_t ids[2][PROFILE_ID_SIZE] = { { 0 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff } };

static struct offers offers = { .hostname = "mail.example.test" };

static const char *write_for(const char *address, struct buf *out)
{
	const struct profile_facts facts = { .offers = &offers,
		.address = slice_str(address),
		.password = SLICE_LIT("abcd-efgh"),
		.profile_id = ids[0],
		.account_id = ids[1] };

	buf_clear(out);
	assert_int_equal(profile_write(&facts, out), GP_OK);
	assert_int_equal(buf_append_byte(out, '\0'), GP_OK);
	return buf_slice(out).data;
}

static void test_profile(void **state)
{
	struct buf out;
	const char *text;

	(void)state;
	buf_init_secret(&out, PROFILE_MAX);
	offers.ports[SERVICE_POP3S] = 995;
	offers.ports[SERVICE_SUBMISSION] = 587;
	text = write_for("a&b@example.test", &out);
	assert_non_null(strstr(text, "<string>EmailTypePOP</string>"));
	assert_non_null(strstr(text, "<integer>995</integer>"));
	assert_non_null(strstr(text, "<integer>587</integer>"));
	assert_non_null(strstr(text, "<string>a&amp;b@example.test</string>"));
	assert_non_null(strstr(text, "<string>abcd-efgh</string>"));
	/* RFC 9562: version 4, variant 10. */
	assert_non_null(strstr(text, "<string>00000000-0000-4000-8000-000000000000</string>"));
	assert_non_null(strstr(text, "<string>FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF</string>"));
	offers.ports[SERVICE_IMAP] = 143;
	assert_non_null(strstr(write_for("a@b", &out), "<string>EmailTypeIMAP</string>"));
	buf_fini(&out);
}

/* Every key that there is, each with what stands behind it, in order. */
static const char *const lines[] = {
	"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">",
	"<plist version=\"1.0\">",
	"<key>PayloadType</key>",
	"<string>Configuration</string>",
	"<key>PayloadVersion</key>",
	"<integer>1</integer>",
	"<key>PayloadIdentifier</key>",
	"<string>mail.example.test.mail.a-40b.test</string>",
	"<key>PayloadUUID</key>",
	"<string>00000000-0000-4000-8000-000000000000</string>",
	"<key>PayloadDisplayName</key>",
	"<string>a@b.test</string>",
	"<key>PayloadOrganization</key>",
	"<string>mail.example.test</string>",
	"<key>PayloadDescription</key>",
	"<string>Sets up this mail account, with a password for this device "
	"alone.</string>",
	"<key>PayloadRemovalDisallowed</key>",
	"<false/>",
	"<key>PayloadContent</key>",
	"<array>",
	"<key>PayloadType</key>",
	"<string>com.apple.mail.managed</string>",
	"<key>PayloadVersion</key>",
	"<integer>1</integer>",
	"<key>PayloadIdentifier</key>",
	"<string>mail.example.test.mail.a-40b.test.account</string>",
	"<key>PayloadUUID</key>",
	"<string>FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF</string>",
	"<key>PayloadDisplayName</key>",
	"<string>a@b.test</string>",
	"<key>EmailAccountType</key>",
	"<string>EmailTypeIMAP</string>",
	"<key>EmailAccountDescription</key>",
	"<string>a@b.test</string>",
	"<key>EmailAddress</key>",
	"<string>a@b.test</string>",
	"<key>IncomingMailServerAuthentication</key>",
	"<string>EmailAuthPassword</string>",
	"<key>IncomingMailServerHostName</key>",
	"<string>mail.example.test</string>",
	"<key>IncomingMailServerPortNumber</key>",
	"<integer>993</integer>",
	"<key>IncomingMailServerUseSSL</key>",
	"<true/>",
	"<key>IncomingMailServerUsername</key>",
	"<string>a@b.test</string>",
	"<key>IncomingPassword</key>",
	"<string>abcd-efgh</string>",
	"<key>OutgoingMailServerAuthentication</key>",
	"<string>EmailAuthPassword</string>",
	"<key>OutgoingMailServerHostName</key>",
	"<string>mail.example.test</string>",
	"<key>OutgoingMailServerPortNumber</key>",
	"<integer>587</integer>",
	"<key>OutgoingMailServerUseSSL</key>",
	"<true/>",
	"<key>OutgoingMailServerUsername</key>",
	"<string>a@b.test</string>",
	"<key>OutgoingPasswordSameAsIncomingPassword</key>",
	"<true/>",
	"</array>",
};

static void test_whole_profile(void **state)
{
	struct buf out;
	const char *at;

	(void)state;
	buf_init_secret(&out, PROFILE_MAX);
	offers = (struct offers){ .hostname = "mail.example.test" };
	offers.ports[SERVICE_IMAPS] = 993;
	offers.ports[SERVICE_SUBMISSION] = 587;
	at = write_for("a@b.test", &out);
	for (size_t i = 0; i < GP_ARRAY_LEN(lines); i++) {
		const char *found = strstr(at, lines[i]);

		if (found == NULL)
			fail_msg("%s", lines[i]);
		/* Nothing but the frame of a dictionary comes between two of them. */
		if (strstr(at, "<key>") != NULL && strstr(at, "<key>") < found)
			fail_msg("before %s: %.60s", lines[i], strstr(at, "<key>"));
		at = found + strlen(lines[i]);
	}
	assert_null(strstr(at, "<key>"));
	buf_fini(&out);
}

/* Two addresses are two profiles; one address is one, whenever it is made. */
static void test_identifiers(void **state)
{
	struct buf out;

	(void)state;
	buf_init_secret(&out, PROFILE_MAX);
	assert_non_null(strstr(write_for("a.b@c.test", &out),
		"<string>mail.example.test.mail.a.b-40c.test</string>"));
	assert_non_null(strstr(write_for("a-b@c.test", &out),
		"<string>mail.example.test.mail.a-2db-40c.test.account</string>"));
	assert_non_null(strstr(write_for("\xc3\xbc@c.test", &out),
		"<string>mail.example.test.mail.-c3-bc-40c.test</string>"));
	buf_fini(&out);
}

static void test_refused(void **state)
{
	struct offers nothing = { .hostname = "mail.example.test" };
	struct profile_facts facts = { .offers = &nothing,
		.address = SLICE_LIT("a@b"),
		.password = SLICE_LIT("x"),
		.profile_id = ids[0],
		.account_id = ids[1] };
	struct buf out;

	(void)state;
	buf_init_secret(&out, PROFILE_MAX);
	assert_int_equal(profile_write(&facts, &out), GP_ERR_NOT_FOUND);
	nothing.ports[SERVICE_IMAPS] = 993;
	assert_int_equal(profile_write(&facts, &out), GP_ERR_NOT_FOUND);
	nothing.ports[SERVICE_SUBMISSIONS] = 465;
	assert_int_equal(profile_write(&facts, &out), GP_OK);
	buf_clear(&out);
	facts.address = SLICE_LIT("a\n@b");
	assert_int_equal(profile_write(&facts, &out), GP_ERR_SYNTAX);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_whole_profile),
		cmocka_unit_test(test_identifiers),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
