/* SPDX-License-Identifier: ISC */
#include "cli/ask.h"

#include <bsd/readpassphrase.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum {
	LINE_SIZE = SECRET_MAX + 3 /* CR, LF or one byte too many, and NUL */
};

static enum gp_err check(struct slice password, struct gp_why *why)
{
	if (password.len == 0)
		return gp_why_set(why, GP_ERR_SYNTAX, "no password was given on standard input");
	if (password.len > SECRET_MAX)
		return gp_why_set(why, GP_ERR_SYNTAX, "the password is longer than %d bytes",
			(int)SECRET_MAX);
	if (!text_is_printable(password))
		return gp_why_set(
			why, GP_ERR_SYNTAX, "the password has control characters or is not UTF-8");
	return GP_OK;
}

/* Byte by byte, so that nothing behind the line is taken from the pipe. */
static enum gp_err read_line(char line[static LINE_SIZE], struct gp_why *why)
{
	size_t len = 0;
	char byte = '\0';

	while (len < LINE_SIZE - 1) {
		ssize_t got = read(STDIN_FILENO, &byte, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return gp_why_set(why, GP_ERR_IO, "standard input: %s", strerror(errno));
		if (got == 0 || byte == '\n')
			break;
		if (byte == '\0') /* or the rest would silently be no part of it */
			byte = '\x01';
		line[len++] = byte;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	return GP_OK;
}

static enum gp_err prompt(char line[static LINE_SIZE], struct gp_why *why)
{
	char again[LINE_SIZE];
	enum gp_err err = GP_OK;

	if (readpassphrase("New password: ", line, LINE_SIZE, RPP_REQUIRE_TTY) == NULL ||
		readpassphrase("The same again: ", again, LINE_SIZE, RPP_REQUIRE_TTY) == NULL)
		err = gp_why_set(why, GP_ERR_IO, "terminal: %s", strerror(errno));
	else if (!secret_equal(slice_str(line), slice_str(again)))
		err = gp_why_set(why, GP_ERR_SYNTAX, "the passwords are not the same");
	mem_wipe(again, sizeof again);
	return err;
}

enum gp_err ask_password(struct secret **ret_password, struct gp_why *why)
{
	char line[LINE_SIZE] = "";
	enum gp_err err = isatty(STDIN_FILENO) == 1 ? prompt(line, why) : read_line(line, why);

	if (err == GP_OK)
		err = check(slice_str(line), why);
	if (err == GP_OK)
		*ret_password = secret_new(slice_str(line));
	mem_wipe(line, sizeof line);
	return err;
}

bool ask_confirm(const char *question)
{
	char answer[16] = "";

	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return true;
	(void)fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof answer, stdin) == NULL)
		return false;
	return text_lower(answer[0]) == 'y';
}
