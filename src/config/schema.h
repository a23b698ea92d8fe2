/* SPDX-License-Identifier: ISC */
/*
 * The table of schema.def as data: what options there are, where their values are kept and what
 * they may be. Process: all. Nothing here allocates.
 */
#ifndef GP_CONFIG_SCHEMA_H
#define GP_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Kind of a value, its unit and how it is kept. */
enum schema_type {
	SCHEMA_TEXT,         /* char *; any printable text */
	SCHEMA_USER,         /* char *; name or number of a system user */
	SCHEMA_DOMAIN,       /* char *; host or domain name, made lower case */
	SCHEMA_URL,          /* char *; http: or https:, printable ASCII */
	SCHEMA_PATH,         /* char *; absolute */
	SCHEMA_CERTIFICATE,  /* char *; name of a certificate section */
	SCHEMA_BACKEND,      /* char *; name of a backend section */
	SCHEMA_PLAN,         /* char *; name of a plan section */
	SCHEMA_BOOL,         /* bool */
	SCHEMA_CHOICE,       /* unsigned or an enum; one of choices */
	SCHEMA_COUNT,        /* unsigned */
	SCHEMA_SECONDS,      /* unsigned; 90, 90s, 20m, 2h, 1d */
	SCHEMA_MILLISECONDS, /* unsigned; 1500, 1500ms, 2s */
	SCHEMA_DAYS,         /* unsigned; 90, 90d */
	SCHEMA_KIB,          /* unsigned; 19456, 19456K, 19M, 1G */
	SCHEMA_BYTES,        /* uint64_t; 52428800, 51200K, 50M, 1G */
	SCHEMA_PORT,         /* uint16_t */
	SCHEMA_ADDRESSES,    /* struct config_strings; "*" or numeric addresses */
	SCHEMA_DOMAINS,      /* struct config_strings; names, "*." in front allowed */
	SCHEMA_MAILBOXES,    /* struct config_strings; addresses of mail */
	SCHEMA_HOSTS,        /* struct config_strings; config_host_parse() */
	SCHEMA_WORDS,        /* struct config_strings; of a command, config_hook_word() */
	SCHEMA_NETWORKS,     /* struct config_nets */
};

enum schema_section {
	SECTION_GLOBAL, /* the file itself */
	SECTION_LISTENER,
	SECTION_CERTIFICATE,
	SECTION_BACKEND,
	SECTION_ROUTE,
	SECTION_PLAN,
	SECTION_MAX
};

/* How many options there are, of all sections together. */
enum {
#define OPTION(section, member, ...) SCHEMA_AT_##section##_##member,
#define CHOICE(section, member, ...) SCHEMA_AT_##section##_##member,
#include "config/schema.def"
#undef OPTION
#undef CHOICE
	SCHEMA_OPTION_COUNT
};

struct schema_choice {
	const char *name; /* NULL ends the list */
	unsigned value;
};

struct schema_option {
	const char *name;
	enum schema_section section;
	enum schema_type type;
	size_t offset; /* of the value in the section's struct */
	uint64_t min;
	uint64_t max;
	const struct schema_choice *choices;
	const char *preset; /* default as in a file; NULL: none */
	const char *unset;  /* what holds without a value; NULL with a preset, or if required */
	bool is_required;
	const char *help;
};

/* A kind of section: its name, and where struct config keeps its structs. */
struct schema_facts {
	const char *name;    /* "listener" */
	const char *title;   /* what its title is: "NAME", "DOMAIN" */
	size_t size;         /* of its struct */
	size_t title_offset; /* char * in its struct */
	size_t array_offset; /* in struct config */
	size_t count_offset;
};

/* Of every section but SECTION_GLOBAL. */
const struct schema_facts *schema_facts(enum schema_section section);
/* SECTION_MAX if there is none of this name. */
enum schema_section schema_section_by_name(struct slice name);

/* All SCHEMA_OPTION_COUNT of them, those of one section next to each other. */
extern const struct schema_option schema_options[SCHEMA_OPTION_COUNT];
/* NULL if the section has none of this name. */
const struct schema_option *schema_option(enum schema_section section, struct slice name);

/* Is the value a list? Is it kept as char *? */
bool schema_is_list(enum schema_type type);
bool schema_is_text(enum schema_type type);

#endif
