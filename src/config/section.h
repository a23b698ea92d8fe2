/* SPDX-License-Identifier: ISC */
/* The arrays of section structs in struct config, handled by the schema instead of by type. */
#ifndef GP_CONFIG_SECTION_H
#define GP_CONFIG_SECTION_H

#include <stddef.h>

#include "base/slice.h"
#include "config/config.h"
#include "config/schema.h"

size_t section_count(const struct config *config, enum schema_section section);
/* The i-th of the kind; section_add() moves it. */
void *section_at(const struct config *config, enum schema_section section, size_t i);
const char *section_title(const struct config *config, enum schema_section section, size_t i);
/* Appends one with this title and all its defaults, and returns it. */
void *section_add(struct config *config, enum schema_section section, struct slice title);

/* All defaults of the section into its struct. */
void section_preset(enum schema_section section, void *object);
/* Frees what the options of one struct hold; then the whole array. */
void section_clear(enum schema_section section, void *object);
void section_free_all(struct config *config, enum schema_section section);

#endif
