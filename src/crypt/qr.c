/* SPDX-License-Identifier: ISC */
#include "crypt/qr.h"

#include <qrencode.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

static bool is_dark(const QRcode *code, int x, int y)
{
	return (code->data[y * code->width + x] & 1) != 0;
}

/* One row of dark runs: moves and strokes of one module's height. x goes on from the last stroke,
 * which keeps the path short. */
static enum gp_err append_row(const QRcode *code, int y, struct buf *out)
{
	int at = 0; /* where the pen is; 0 and no row yet at the beginning */
	bool is_first = true;
	enum gp_err err = GP_OK;

	for (int x = 0; err == GP_OK && x < code->width;) {
		int end = x;

		while (end < code->width && is_dark(code, end, y))
			end++;
		if (end == x) {
			x++;
			continue;
		}
		err = is_first ? buf_printf(out, "M%d %d.5h%d", x + QR_QUIET, y + QR_QUIET, end - x)
			       : buf_printf(out, "m%d 0h%d", x - at, end - x);
		is_first = false;
		at = end;
		x = end;
	}
	return err;
}

enum gp_err qr_svg(struct slice text, struct buf *out)
{
	QRcode *code = NULL;
	int size;
	enum gp_err err;

	if (text.len > INT16_MAX)
		return GP_ERR_LIMIT;
	code = QRcode_encodeData((int)text.len, (const unsigned char *)text.data, 0, QR_ECLEVEL_M);
	if (code == NULL)
		return GP_ERR_LIMIT;
	size = code->width + 2 * QR_QUIET;
	err = buf_printf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
		"shape-rendering='crispEdges'><rect width='%d' height='%d' fill='#fff'/>"
		"<path stroke='#000' d='",
		size, size, size, size);
	for (int y = 0; err == GP_OK && y < code->width; y++)
		err = append_row(code, y, out);
	if (err == GP_OK)
		err = buf_append_str(out, "'/></svg>");
	mem_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return err;
}
