/* SPDX-License-Identifier: ISC */
#include "web/setup_route.h"

#include <string.h>

#include "base/check.h"

#define PROFILE_BEGIN "/setup/"
#define PROFILE_END   ".mobileconfig"
#define LOCATE        "/autodiscover/autodiscover.json"
#define LOCATE_V1     LOCATE "/v1.0/"

struct setup_route setup_route_find(struct slice path)
{
	static const struct {
		const char *path;
		enum setup_paper paper;
		const char *prefix;
		bool any_case; /* Outlook writes it in several ways */
	} known[] = {
		{ "/.well-known/autoconfig/mail/config-v1.1.xml", SETUP_AUTOCONFIG, "autoconfig.",
			false },
		{ "/mail/config-v1.1.xml", SETUP_AUTOCONFIG, "autoconfig.", false },
		{ "/autodiscover/autodiscover.xml", SETUP_AUTODISCOVER, "autodiscover.", true },
		{ LOCATE, SETUP_LOCATE, "autodiscover.", true },
		{ "/.well-known/mta-sts.txt", SETUP_STS, "mta-sts.", false },
	};
	struct slice rest = slice_from(path, sizeof PROFILE_BEGIN - 1);
	size_t end = sizeof PROFILE_END - 1;

	for (size_t i = 0; i < GP_ARRAY_LEN(known); i++) {
		if (known[i].any_case ? slice_is_nocase(path, known[i].path)
				      : slice_is(path, known[i].path))
			return (struct setup_route){ known[i].paper, known[i].prefix,
				SLICE_LIT("") };
	}
	if (slice_starts_nocase(path, LOCATE_V1))
		return (struct setup_route){ SETUP_LOCATE, "autodiscover.",
			slice_from(path, sizeof LOCATE_V1 - 1) };
	if (slice_is(slice_head(path, sizeof PROFILE_BEGIN - 1), PROFILE_BEGIN) && rest.len > end &&
		slice_is(slice_from(rest, rest.len - end), PROFILE_END))
		return (struct setup_route){ SETUP_PROFILE, "", slice_head(rest, rest.len - end) };
	return (struct setup_route){ SETUP_NONE, "", SLICE_LIT("") };
}
