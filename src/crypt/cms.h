/* SPDX-License-Identifier: ISC */
/*
 * Signed data (CMS, RFC 5652) in DER with its content inside and the signer's chain beside it, as
 * iPhones and Macs want their profiles. Process: vault.
 */
#ifndef GP_CRYPT_CMS_H
#define GP_CRYPT_CMS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* Once, before the jail: OpenSSL reads no configuration file of its own. */
enum gp_err cms_setup(void) GP_CHECKED;

/* chain: PEM, the signer first. key: its private key in PEM, without a pass phrase. GP_ERR_CONFIG
 * with why if they do not parse, do not belong together, or cannot sign; GP_ERR_LIMIT: out is
 * full. */
enum gp_err cms_sign(struct slice chain, struct slice key, struct slice content, struct buf *out,
	struct gp_why *why) GP_CHECKED;

#endif
