/* SPDX-License-Identifier: ISC */
/*
 * A QR code (ISO/IEC 18004) as a picture: an SVG of a white square with the quiet zone that cameras
 * want and one black path, so that it reads the same on a light and a dark page. It has no script,
 * no style and no link. Process: vault, so that what it says never becomes part of a URL.
 */
#ifndef GP_CRYPT_QR_H
#define GP_CRYPT_QR_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	QR_QUIET = 4, /* modules around it */
};

/* text: without NUL. GP_ERR_LIMIT if it is too long for a code or for out. */
enum gp_err qr_svg(struct slice text, struct buf *out) GP_CHECKED;

#endif
