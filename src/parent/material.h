/* SPDX-License-Identifier: ISC */
/*
 * Certificates, keys and passwords: read from the files the configuration names, checked, put into
 * sealed memfds. Process: gatepostd, which alone may read those files.
 */
#ifndef GP_PARENT_MATERIAL_H
#define GP_PARENT_MATERIAL_H

#include "parent/generation.h"

/*
 * Fills generation->materials from generation->config. create_keys: a token key or pepper whose
 * file is missing is made there (0600), which a log line says; else it is left out. Certificates
 * are never made.
 */
enum gp_err material_load(
	struct generation *generation, bool create_keys, struct gp_why *why) GP_CHECKED;

#endif
