/* SPDX-License-Identifier: ISC */
#include "core/watchers.h"

#include "base/check.h"
#include "base/clock.h"
#include "core/core.h"

void watchers_note(struct core *core, const struct ip *client)
{
	struct watchers *watchers = &core->watchers;
	struct watcher *place = &watchers->all[0];
	struct ip source = ip_source(client);

	if (source.family == IP_NONE)
		return;
	for (size_t i = 0; i < GP_ARRAY_LEN(watchers->all); i++) {
		struct watcher *watcher = &watchers->all[i];

		if (ip_equal(&watcher->source, &source)) {
			place = watcher;
			break;
		}
		if (watcher->until < place->until)
			place = watcher;
	}
	*place = (struct watcher){ .source = source, .until = clock_steady() + WATCHERS_MS };
}

bool watchers_has(const struct core *core, const struct ip *client)
{
	struct ip source = ip_source(client);

	for (size_t i = 0; i < GP_ARRAY_LEN(core->watchers.all); i++) {
		const struct watcher *watcher = &core->watchers.all[i];

		if (watcher->until > clock_steady() && ip_equal(&watcher->source, &source))
			return true;
	}
	return false;
}
