/* SPDX-License-Identifier: ISC */
/*
 * Certificates, keys, passwords and the file of countries: read from the files the configuration
 * names, checked, put into sealed memfds. Process: gatepostd, which alone may read those files.
 */
#ifndef GP_PARENT_MATERIAL_H
#define GP_PARENT_MATERIAL_H

#include "parent/generation.h"

/* Adds certificates and what backends want to generation->materials, from generation->config. */
enum gp_err material_load(struct generation *generation, struct gp_why *why) GP_CHECKED;
/* Adds token key and pepper. One whose file is missing is left out; but create_token_key: that one
 * is made. */
enum gp_err material_load_keys(
	struct generation *generation, bool create_token_key, struct gp_why *why) GP_CHECKED;
/* Adds geoip_file, if there is one. */
enum gp_err material_load_geoip(struct generation *generation, struct gp_why *why) GP_CHECKED;
/* Makes a key (0600) of that name, which a log line says. */
enum gp_err material_create_key(const char *path, const char *what, struct gp_why *why) GP_CHECKED;

#endif
