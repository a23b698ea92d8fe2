/* SPDX-License-Identifier: ISC */
/* What no value shows alone: names that must exist, combinations that cannot work. */
#ifndef GP_CONFIG_VERIFY_H
#define GP_CONFIG_VERIFY_H

#include "base/err.h"
#include "config/parse.h"

/* The first thing wrong goes into the parse's error. */
enum gp_err verify(const struct parse *parse) GP_CHECKED;

#endif
