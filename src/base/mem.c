/* SPDX-License-Identifier: ISC */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "level=fatal event=out_of_memory\n";

	(void)fwrite(text, 1, sizeof text - 1, stderr);
	abort();
}

void *mem_new(size_t count, size_t size)
{
	void *data = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (data == NULL)
		out_of_memory();
	return data;
}

void *mem_resize(void *old, size_t count, size_t size)
{
	void *data = reallocarray(old, count, size);

	if (data == NULL && count > 0 && size > 0)
		out_of_memory();
	return data;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *data, size_t len)
{
	char *copy = NULL;

	if (len == SIZE_MAX)
		out_of_memory();
	copy = mem_new(len + 1, 1);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		out_of_memory();
	return text;
}

void mem_free(void *old)
{
	free(old);
}

void mem_wipe(void *data, size_t len)
{
	if (data != NULL && len > 0)
		explicit_bzero(data, len);
}
