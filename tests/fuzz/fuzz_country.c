/* SPDX-License-Identifier: ISC */
/* A file of countries: whatever it says, an answer is two letters or none, and the same twice. */
#include "base/check.h"
#include "base/country.h"
#include "fuzz.h"

static void try_address(const struct country_db *db, const char *text)
{
	char out[COUNTRY_TEXT_SIZE];
	struct ip ip;
	uint16_t country;

	GP_ASSERT(ip_parse(slice_str(text), &ip) == GP_OK);
	country = country_find(db, &ip);
	GP_ASSERT(country == country_find(db, &ip));
	GP_ASSERT(country == 0 || country_parse(slice_str(country_text(country, out))) == country);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct country_db db = { .nodes = 0 };
	struct gp_why why = { "" };

	if (country_open(slice_of(data, size), &db, &why) != GP_OK) {
		GP_ASSERT(why.text[0] != '\0' && db.nodes == 0);
		return 0;
	}
	try_address(&db, "192.0.2.1");
	try_address(&db, "0.0.0.0");
	try_address(&db, "255.255.255.255");
	try_address(&db, "2001:db8::1");
	try_address(&db, "::");
	return 0;
}
