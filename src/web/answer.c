/* SPDX-License-Identifier: ISC */
#include "web/answer.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/text.h"

/* A value for all, or one for pages and one for the rest. */
#define BOTH(text) (text), (text)

const struct answer_common answer_common[] = {
	{ "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"default-src 'none'; frame-ancestors 'none'" },
	{ "Strict-Transport-Security", BOTH("max-age=31536000") },
	{ "X-Content-Type-Options", BOTH("nosniff") }, { "X-Frame-Options", BOTH("DENY") },
	{ "Referrer-Policy", BOTH("no-referrer") },
	{ "Cross-Origin-Opener-Policy", BOTH("same-origin") },
	{ "Cross-Origin-Resource-Policy", BOTH("same-origin") },
	{ "Permissions-Policy",
		BOTH("camera=(), microphone=(), geolocation=(), payment=(), usb=()") },
	{ "Cache-Control", NULL, "no-store" }, /* a page says itself */
};
const size_t answer_common_count = GP_ARRAY_LEN(answer_common);

static const struct {
	unsigned status;
	const char *code;
	const char *title;
} problems[PROBLEM_MAX] = {
#define PROBLEM_FACTS(name, status, code, title) [name] = { status, code, title },
	PROBLEM_LIST(PROBLEM_FACTS)
};

void answer_init(struct answer *answer)
{
	*answer = (struct answer){ .status = 200 };
	buf_init_secret(&answer->body, ANSWER_BODY_MAX);
}

void answer_fini(struct answer *answer)
{
	buf_fini(&answer->body);
	*answer = (struct answer){ 0 };
}

void answer_add_field(struct answer *answer, const char *name, const char *format, ...)
{
	struct answer_field *field = &answer->fields[answer->field_count];
	va_list arguments;

	GP_ASSERT(answer->field_count < ANSWER_FIELDS_MAX);
	answer->field_count++;
	field->name = name;
	va_start(arguments, format);
	(void)vsnprintf(field->value, sizeof field->value, format, arguments);
	va_end(arguments);
}

void answer_problem(struct answer *answer, enum problem problem, struct slice detail)
{
	answer_fault(answer, problem, detail, SLICE_LIT(""));
}

void answer_fault(
	struct answer *answer, enum problem problem, struct slice detail, struct slice fault)
{
	char shown[1024];
	char text[2048];
	json_t *body;
	size_t len;

	if (text_is_printable(detail) && detail.len < sizeof shown)
		(void)slice_copy(detail, shown, sizeof shown);
	else
		text_escape(detail, shown, sizeof shown);
	body = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title",
		problems[problem].title, "status", (int)problems[problem].status, "code",
		problems[problem].code, "detail", shown);
	GP_ASSERT(body != NULL);
	if (fault.len > 0 && text_is_printable(fault))
		GP_ASSERT(json_object_set_new(body, "fault", json_stringn(fault.data, fault.len)) ==
			  0);
	len = json_dumpb(body, text, sizeof text, JSON_COMPACT);
	json_decref(body);
	buf_clear(&answer->body);
	answer->content = slice_of(NULL, 0);
	answer->is_page = false;
	answer->status = problems[problem].status;
	answer_add_field(answer, "Content-Type", "application/problem+json");
	if (problem == PROBLEM_UNAVAILABLE)
		answer_add_field(answer, "Retry-After", "1");
	if (problem == PROBLEM_SIGNIN)
		answer_add_field(answer, "WWW-Authenticate", "Bearer");
	GP_ASSERT(len <= sizeof text && buf_append(&answer->body, slice_of(text, len)) == GP_OK);
}

enum problem answer_problem_of(enum gp_err err)
{
	switch (err) {
	case GP_ERR_DENIED:
		return PROBLEM_WRONG;
	case GP_ERR_EXISTS:
		return PROBLEM_EXISTS;
	case GP_ERR_LIMIT:
		return PROBLEM_LIMIT;
	case GP_ERR_ROLE:
		return PROBLEM_ROLE;
	case GP_ERR_SIGNIN:
		return PROBLEM_SIGNIN;
	case GP_ERR_NOT_FOUND:
		return PROBLEM_NOT_FOUND;
	case GP_ERR_SYNTAX:
		return PROBLEM_SYNTAX;
	case GP_ERR_UNSUPPORTED:
		return PROBLEM_UNSUPPORTED;
	case GP_ERR_AGAIN:
	case GP_ERR_BUSY:
	case GP_ERR_CLOSED:
	case GP_ERR_STORE:
	case GP_ERR_TIMEOUT:
		return PROBLEM_UNAVAILABLE;
	case GP_OK:
	case GP_ERR_CONFIG:
	case GP_ERR_INTERNAL:
	case GP_ERR_IO:
	case GP_ERR_PROTOCOL:
	case GP_ERR_MAX:
		break;
	}
	return PROBLEM_INTERNAL;
}
