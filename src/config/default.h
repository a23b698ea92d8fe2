/* SPDX-License-Identifier: ISC */
/* Defaults, those included that follow from other values. */
#ifndef GP_CONFIG_DEFAULT_H
#define GP_CONFIG_DEFAULT_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "config/schema.h"

/* Appends the default's plain text, as value_set() takes it. object: the struct of the option's
 * section. GP_ERR_NOT_FOUND: it has none, here. */
enum gp_err default_text(const struct schema_option *option, const struct config *config,
	const void *object, struct buf *out) GP_CHECKED;

#endif
