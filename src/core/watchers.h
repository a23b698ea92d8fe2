/* SPDX-License-Identifier: ISC */
/*
 * Networks in which somebody watches a mail program connect just now (self.watch). A program that
 * finds nothing it could sign in by (no encryption, "secure password authentication") often goes
 * away without a word. That is worth an event where somebody waits for it, and nowhere else:
 * monitors and scanners do the same all day.
 */
#ifndef GP_CORE_WATCHERS_H
#define GP_CORE_WATCHERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

enum {
	WATCHERS_MAX = 64,       /* networks; one more takes the place of who asked longest ago */
	WATCHERS_MS = 10 * 1000, /* after the last question nobody watches any more */
};

struct core;

struct watcher {
	struct ip source;
	int64_t until; /* clock_steady() */
};

struct watchers {
	struct watcher all[WATCHERS_MAX];
};

/* Somebody at this address asks. */
void watchers_note(struct core *core, const struct ip *client);
bool watchers_has(const struct core *core, const struct ip *client);

#endif
