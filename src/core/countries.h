/* SPDX-License-Identifier: ISC */
/*
 * The file of countries (geoip_file), as gatepostd has handed it over: mapped, shared with
 * gatepostd's copy, replaced at reload. Process: core.
 */
#ifndef GP_CORE_COUNTRIES_H
#define GP_CORE_COUNTRIES_H

#include <stdint.h>

#include "base/country.h"
#include "privsep/child.h"

struct core;

struct countries {
	struct slice bytes; /* empty: there is no file */
	struct country_db db;
};

void countries_fini(struct core *core);
/* With the materials of a configuration that comes into force; one that cannot be read is logged,
 * and no country is known then. */
void countries_configure(struct core *core, const struct child_material *materials, size_t count);
/* 0: not known. */
uint16_t countries_find(const struct core *core, const struct ip *ip);

#endif
