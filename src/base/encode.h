/* SPDX-License-Identifier: ISC */
/* Base64, base64url and base32 (RFC 4648), hexadecimal. Strict: no white space, no stray bits. */
#ifndef GP_BASE_ENCODE_H
#define GP_BASE_ENCODE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* With padding (section 4). Decoding wants the padding; GP_ERR_SYNTAX for anything else. */
enum gp_err encode_base64(struct slice bytes, struct buf *out) GP_CHECKED;
enum gp_err decode_base64(struct slice text, struct buf *out) GP_CHECKED;
/* Without padding (section 5), as JOSE wants it. */
enum gp_err encode_base64url(struct slice bytes, struct buf *out) GP_CHECKED;
enum gp_err decode_base64url(struct slice text, struct buf *out) GP_CHECKED;
/* Upper case, without padding; decoding takes both cases. */
enum gp_err encode_base32(struct slice bytes, struct buf *out) GP_CHECKED;
enum gp_err decode_base32(struct slice text, struct buf *out) GP_CHECKED;
/* Lower case. */
enum gp_err encode_hex(struct slice bytes, struct buf *out) GP_CHECKED;
enum gp_err decode_hex(struct slice text, struct buf *out) GP_CHECKED;

#endif
