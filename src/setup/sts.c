/* SPDX-License-Identifier: ISC */
#include "setup/sts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/map.h"

static enum gp_err put_mx(const struct config *config, struct buf *out)
{
	const struct config_strings *names = &config->mx_names;
	enum gp_err err = GP_OK;

	if (names->count == 0)
		return buf_printf(out, "mx: %s\r\n", config->hostname);
	for (size_t i = 0; err == GP_OK && i < names->count; i++)
		err = buf_printf(out, "mx: %s\r\n", names->items[i]);
	return err;
}

enum gp_err sts_write(const struct config *config, struct buf *out)
{
	bool is_testing = config->mta_sts == CONFIG_STS_TESTING;
	enum gp_err err;

	if (config->mta_sts == CONFIG_STS_NONE || !config_has_service(config, SERVICE_SMTP))
		return GP_ERR_NOT_FOUND;
	err = buf_printf(out, "version: STSv1\r\nmode: %s\r\n", is_testing ? "testing" : "enforce");
	if (err == GP_OK)
		err = put_mx(config, out);
	if (err == GP_OK)
		err = buf_printf(out, "max_age: %d\r\n",
			is_testing ? (int)STS_AGE_TESTING : (int)STS_AGE_ENFORCE);
	return err;
}

void sts_id(struct slice policy, char out[static STS_ID_SIZE])
{
	static const uint64_t any_key[2] = { 0 };

	(void)snprintf(out, STS_ID_SIZE, "%016" PRIx64, map_hash_keyed(any_key, policy));
}
