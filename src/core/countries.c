/* SPDX-License-Identifier: ISC */
#include "core/countries.h"

#include "base/log.h"
#include "core/core.h"
#include "privsep/fdpass.h"

void countries_fini(struct core *core)
{
	fdpass_unmap(&core->countries.bytes);
	core->countries.db = (struct country_db){ .nodes = 0 };
}

static void take(struct countries *countries, int fd)
{
	struct gp_why why = { "" };
	enum gp_err err = fdpass_map(fd, &countries->bytes, &why);

	if (err == GP_OK)
		err = country_open(countries->bytes, &countries->db, &why);
	if (err == GP_OK)
		return;
	log_error("countries_not_known", LOG_STR("why", why.text));
	fdpass_unmap(&countries->bytes);
}

void countries_configure(struct core *core, const struct child_material *materials, size_t count)
{
	countries_fini(core);
	for (size_t i = 0; i < count; i++) {
		if (materials[i].kind == IPC_MATERIAL_GEOIP && core->countries.bytes.len == 0)
			take(&core->countries, materials[i].fd);
	}
}

uint16_t countries_find(const struct core *core, const struct ip *ip)
{
	return country_find(&core->countries.db, ip);
}
