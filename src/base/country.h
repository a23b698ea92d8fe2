/* SPDX-License-Identifier: ISC */
/*
 * Which country is an address in? Answered from a file in MaxMind's DB format, version 2
 * (https://maxmind.github.io/MaxMind-DB/): GeoLite2, DB-IP and others come in it.
 *
 * A reader of our own, because core, which asks, can open no file: it has the bytes in a mapping
 * that gatepostd made. It never reads beyond them, whatever they say, takes bounded time for an
 * answer and no memory. What is malformed is a country nobody knows.
 */
#ifndef GP_BASE_COUNTRY_H
#define GP_BASE_COUNTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"

enum {
	COUNTRY_FILE_MAX = 512 * 1024 * 1024, /* bytes; the largest in use have some 150 MiB */
	COUNTRY_TEXT_SIZE = 3,
	COUNTRY_STEPS_MAX = 4096, /* fields looked at for one answer */
};

/* All borrowed. Zero: knows no country. */
struct country_db {
	struct slice tree;
	struct slice data;
	uint32_t nodes;
	unsigned record_bits; /* 24, 28 or 32 */
	bool is_v6;
	uint32_t v4_root; /* where ::/96 begins in a tree of IPv6 addresses */
};

/* Bytes stay the caller's and must not change. GP_ERR_SYNTAX: no such file, or one that names no
 * countries, with why. */
enum gp_err country_open(
	struct slice bytes, struct country_db *ret_db, struct gp_why *why) GP_CHECKED;
/* Two letters of ISO 3166 as a number, see country_text(); 0: not known. */
uint16_t country_find(const struct country_db *db, const struct ip *ip);

/* "DE"; "" for 0. Returns out. */
const char *country_text(uint16_t country, char out[static COUNTRY_TEXT_SIZE]);
/* Of two capital letters; else 0. */
uint16_t country_parse(struct slice text);

#endif
