/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

enum {
	BUF_FIRST_SIZE = 512
};

void buf_init(struct buf *buf, size_t max)
{
	GP_ASSERT(max > 0 && max < SIZE_MAX / 4);
	*buf = (struct buf){ .max = max };
}

void buf_init_secret(struct buf *buf, size_t max)
{
	buf_init(buf, max);
	buf->secret = true;
}

static void give_back(struct buf *buf)
{
	if (buf->secret)
		mem_wipe(buf->data, buf->size);
	mem_free(buf->data);
	buf->data = NULL;
	buf->size = 0;
	buf->head = 0;
}

void buf_fini(struct buf *buf)
{
	give_back(buf);
	buf->len = 0;
}

static void move_to(struct buf *buf, size_t size)
{
	char *data = mem_new(size, 1);

	if (buf->len > 0)
		memcpy(data, buf->data + buf->head, buf->len);
	give_back(buf);
	buf->data = data;
	buf->size = size;
}

enum gp_err buf_reserve(struct buf *buf, size_t n)
{
	size_t want;
	size_t size = buf->size > 0 ? buf->size : BUF_FIRST_SIZE;

	if (n > buf_room(buf))
		return GP_ERR_LIMIT;
	if (n <= buf->size - buf->head - buf->len)
		return GP_OK;
	want = buf->len + n;
	if (want <= buf->size) {
		memmove(buf->data, buf->data + buf->head, buf->len);
		if (buf->secret)
			mem_wipe(buf->data + buf->len, buf->size - buf->len);
		buf->head = 0;
		return GP_OK;
	}
	while (size < want)
		size *= 2;
	move_to(buf, size);
	return GP_OK;
}

char *buf_tail(struct buf *buf)
{
	GP_ASSERT(buf->data != NULL);
	return buf->data + buf->head + buf->len;
}

void buf_added(struct buf *buf, size_t n)
{
	GP_ASSERT(n <= buf->size - buf->head - buf->len && n <= buf_room(buf));
	buf->len += n;
}

size_t buf_room(const struct buf *buf)
{
	return buf->max - buf->len;
}

enum gp_err buf_append(struct buf *buf, struct slice bytes)
{
	enum gp_err err;

	if (bytes.len == 0)
		return GP_OK;
	err = buf_reserve(buf, bytes.len);
	if (err != GP_OK)
		return err;
	memcpy(buf_tail(buf), bytes.data, bytes.len);
	buf_added(buf, bytes.len);
	return GP_OK;
}

enum gp_err buf_append_str(struct buf *buf, const char *text)
{
	return buf_append(buf, slice_str(text));
}

enum gp_err buf_append_byte(struct buf *buf, char byte)
{
	return buf_append(buf, slice_of(&byte, 1));
}

enum gp_err buf_append_all(struct buf *buf, const struct slice *pieces, size_t count)
{
	size_t room = buf_room(buf);
	size_t total = 0;
	enum gp_err err;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len > room - total)
			return GP_ERR_LIMIT;
		total += pieces[i].len;
	}
	err = total > 0 ? buf_reserve(buf, total) : GP_OK;
	for (size_t i = 0; err == GP_OK && i < count; i++)
		err = buf_append(buf, pieces[i]);
	return err;
}

enum gp_err buf_printf(struct buf *buf, const char *format, ...)
{
	size_t size = buf->size - buf->head - buf->len;
	va_list args;
	int len;
	enum gp_err err;

	va_start(args, format);
	len = vsnprintf(size > 0 ? buf_tail(buf) : NULL, size, format, args);
	va_end(args);
	GP_ASSERT(len >= 0);
	if ((size_t)len > buf_room(buf))
		return GP_ERR_LIMIT;
	if ((size_t)len >= size) {
		/* vsnprintf() writes a NUL behind the text: room for it, though it is never live.
		 */
		buf->max++;
		err = buf_reserve(buf, (size_t)len + 1);
		buf->max--;
		if (err != GP_OK)
			return err;
		va_start(args, format);
		(void)vsnprintf(buf_tail(buf), (size_t)len + 1, format, args);
		va_end(args);
	}
	buf_added(buf, (size_t)len);
	return GP_OK;
}

struct slice buf_slice(const struct buf *buf)
{
	return buf->len > 0 ? slice_of(buf->data + buf->head, buf->len) : slice_of(NULL, 0);
}

void buf_consume(struct buf *buf, size_t n)
{
	GP_ASSERT(n <= buf->len);
	if (n == 0)
		return;
	if (buf->secret)
		mem_wipe(buf->data + buf->head, n);
	buf->len -= n;
	buf->head = buf->len > 0 ? buf->head + n : 0;
}

void buf_clear(struct buf *buf)
{
	buf_consume(buf, buf->len);
}

void buf_trim(struct buf *buf)
{
	if (buf->len == 0)
		give_back(buf);
}
