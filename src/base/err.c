/* SPDX-License-Identifier: ISC */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const err_texts[GP_ERR_MAX] = {
#define GP_ERR_TEXT(name, text) [name] = (text),
	GP_ERR_LIST(GP_ERR_TEXT)
#undef GP_ERR_TEXT
};

const char *gp_err_text(enum gp_err err)
{
	if ((unsigned)err >= GP_ERR_MAX)
		return "unknown error";
	return err_texts[err];
}

enum gp_err gp_why_set(struct gp_why *why, enum gp_err err, const char *format, ...)
{
	if (why != NULL) {
		va_list args;

		va_start(args, format);
		(void)vsnprintf(why->text, sizeof why->text, format, args);
		va_end(args);
	}
	return err;
}
