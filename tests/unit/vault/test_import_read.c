/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "vault/import_read.h"

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("accounts", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	return fd;
}

/* All records as "line:address|password|hash|role|aliases|route;", bad ones as "line!". */
static void read_all(const char *text, size_t len, enum import_format format, char out[static 4096])
{
	struct import_reader reader;
	struct import_record record;
	struct gp_why why = { "" };
	int fd = file_of(text, len);
	enum gp_err err = import_reader_init(&reader, fd, format, &why);

	out[0] = '\0';
	while (err == GP_OK || err == GP_ERR_SYNTAX) {
		size_t at = strlen(out);

		if (reader.column_count == 0 && reader.format == IMPORT_FORMAT_CSV)
			break; /* no header */
		err = import_reader_next(&reader, &record, &why);
		if (err == GP_OK)
			(void)snprintf(out + at, 4096 - at, "%d:%.*s|%.*s|%.*s|%.*s|%.*s|%.*s;",
				(int)record.line, SLICE_ARG(record.column[0]),
				SLICE_ARG(record.column[1]), SLICE_ARG(record.column[2]),
				SLICE_ARG(record.column[3]), SLICE_ARG(record.column[4]),
				SLICE_ARG(record.column[5]));
		else if (err == GP_ERR_SYNTAX)
			(void)snprintf(out + at, 4096 - at, "%d!", (int)record.line);
	}
	if (err == GP_ERR_CLOSED)
		assert_int_equal(import_reader_done(&reader), len);
	else
		(void)snprintf(out, 4096, "no header: %.4000s", why.text);
	import_reader_fini(&reader);
	(void)close(fd);
}

static void test_formats(void **state)
{
	static const struct {
		const char *text;
		enum import_format format;
		const char *want;
	} cases[] = {
		{ "address,hash\na@b,{X}y\n", IMPORT_FORMAT_AUTO, "2:a@b||{X}y|||;" },
		{ "\xef\xbb\xbf"
		  "Hash , Address\r\n{X}y,a@b\r\n",
			IMPORT_FORMAT_AUTO, "2:a@b||{X}y|||;" },
		{ "address,password,role,aliases,route\na@b,p w,staff,c@b;d@b,r\n",
			IMPORT_FORMAT_CSV, "2:a@b|p w||staff|c@b;d@b|r;" },
		{ "address,password\n\"a@b\",\"x,\"\"y\"\"\"\n", IMPORT_FORMAT_CSV,
			"2:a@b|x,\"y\"||||;" },
		{ "address,password\na@b,\"x\ny\"\nc@b,z\n", IMPORT_FORMAT_CSV,
			"2:a@b|x\ny||||;4:c@b|z||||;" },
		{ "address,password\na@b,x", IMPORT_FORMAT_CSV, "2:a@b|x||||;" },
		{ "address,password\n\n  \na@b,x\n", IMPORT_FORMAT_CSV, "4:a@b|x||||;" },
		{ "address,password\na@b\na@b,x,y\na@b,x\n", IMPORT_FORMAT_CSV,
			"2!3!4:a@b|x||||;" },
		{ "address,password\na@b,x\"y\na@b,\"x\"y\na@b,x\n", IMPORT_FORMAT_CSV,
			"2!3!4:a@b|x||||;" },
		/* a quote that never ends costs its line only */
		{ "address,password\na@b,\"x\nc@b,y\n", IMPORT_FORMAT_CSV, "2!3:c@b|y||||;" },
		{ "address,password\na@b,\xff\n", IMPORT_FORMAT_CSV, "2!" },
		{ "address\n", IMPORT_FORMAT_CSV, "" },
		{ "a@b:{X}y\n", IMPORT_FORMAT_AUTO, "1:a@b||{X}y|||;" },
		{ "a@b:{X}y:1:2::/home::x=y\nc@b:$6$z\n", IMPORT_FORMAT_PASSWD,
			"1:a@b||{X}y|||;2:c@b||$6$z|||;" },
		{ "# comment\n\na@b::\r\nnothing\n", IMPORT_FORMAT_PASSWD, "3:a@b|||||;4!" },
		{ "", IMPORT_FORMAT_AUTO, "" },
		{ "", IMPORT_FORMAT_CSV,
			"no header: line 1: column 1 is none of address, "
			"password, hash, role, aliases, route, or stands twice" },
		{ "password,hash\n", IMPORT_FORMAT_CSV,
			"no header: line 1: there is no column address" },
		{ "address,address\n", IMPORT_FORMAT_CSV,
			"no header: line 1: column 2 is none of address, password, hash, role, "
			"aliases, route, or stands twice" },
		{ "address,\"x\n", IMPORT_FORMAT_CSV, "no header: line 1: malformed header" },
	};
	char out[4096];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		read_all(cases[i].text, strlen(cases[i].text), cases[i].format, out);
		assert_string_equal(out, cases[i].want);
	}
	read_all("a\0b:x\n", 6, IMPORT_FORMAT_PASSWD, out);
	assert_string_equal(out, "1!");
}

/* Longer than a record may be, in each place where the reader refills. */
static void test_long(void **state)
{
	static char text[4 * IMPORT_READ_SIZE];
	static const size_t lengths[] = { IMPORT_RECORD_MAX - 5, IMPORT_RECORD_MAX,
		IMPORT_RECORD_MAX + 1, IMPORT_READ_SIZE, IMPORT_READ_SIZE + 1,
		3 * IMPORT_READ_SIZE };
	char out[4096];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(lengths); i++) {
		size_t len = lengths[i];

		memset(text, 'x', sizeof text);
		memcpy(text + len, "\na@b:y\n", 7);
		read_all(text, len + 7, IMPORT_FORMAT_PASSWD, out);
		assert_string_equal(out, "1!2:a@b||y|||;");
		/* and as the last line, without an end */
		read_all(text, len, IMPORT_FORMAT_PASSWD, out);
		assert_string_equal(out, "1!");
	}
	/* an open quote over many lines: only the first is bad */
	(void)snprintf(text, sizeof text, "address\n\"");
	for (size_t at = strlen(text); at < 2 * IMPORT_RECORD_MAX; at += 4)
		memcpy(text + at, "a@b\n", 5);
	read_all(text, strlen(text), IMPORT_FORMAT_CSV, out);
	assert_int_equal(strncmp(out, "2!3:a@b|||||;4:a@b|||||;", 24), 0);
}

/* The same whatever a read brings: every record is across a border at some offset. */
static void test_borders(void **state)
{
	static char text[2 * IMPORT_READ_SIZE];
	struct gp_why why;
	size_t len = 0;
	unsigned count = 0;
	struct import_reader reader;
	struct import_record record;
	int fd;

	(void)state;
	while (len < sizeof text - 64) {
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%u@b,\"x\n%u\"\n",
			len == 0 ? "address,password\n" : "", count, count);
		count++;
	}
	fd = file_of(text, len);
	assert_int_equal(import_reader_init(&reader, fd, IMPORT_FORMAT_AUTO, &why), GP_OK);
	for (unsigned i = 0; i < count; i++) {
		char want[32];

		assert_int_equal(import_reader_next(&reader, &record, &why), GP_OK);
		assert_int_equal(record.line, 2 + 2 * i);
		(void)snprintf(want, sizeof want, "x\n%u", i);
		assert_true(slice_is(record.column[IMPORT_PASSWORD], want));
	}
	assert_int_equal(import_reader_next(&reader, &record, &why), GP_ERR_CLOSED);
	assert_int_equal(import_reader_next(&reader, &record, &why), GP_ERR_CLOSED);
	import_reader_fini(&reader);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_borders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
