/* SPDX-License-Identifier: ISC */
#include "core/line.h"

#include <string.h>

#include "base/mem.h"
#include "core/core.h"

enum {
	NAME_SIZE = sizeof(struct counter *) + COUNTER_KEY_MAX
};

struct line {
	struct map_node node;
	unsigned char name[NAME_SIZE]; /* the window's counter and key */
	struct attempt_list attempts;
};

void line_init(struct core *core)
{
	map_init(&core->lines.by_window);
}

void line_fini(struct core *core)
{
	map_fini(&core->lines.by_window);
}

static struct slice name_of(
	struct counter *const *counter, struct slice key, unsigned char out[static NAME_SIZE])
{
	memcpy(out, counter, sizeof *counter);
	memcpy(out + sizeof *counter, key.data, key.len);
	return slice_of(out, sizeof *counter + key.len);
}

static struct line *find(struct core *core, struct slice name)
{
	struct map_node *node = map_find(&core->lines.by_window, name);

	return node != NULL ? MAP_ENTRY(node, struct line, node) : NULL;
}

void line_join(struct attempt *attempt, const struct place *place)
{
	struct core *core = attempt->core;
	unsigned char bytes[NAME_SIZE];
	struct slice name = name_of(&place->counter, places_key(place), bytes);
	struct line *line = find(core, name);

	if (line == NULL) {
		line = mem_new(1, sizeof *line);
		memcpy(line->name, bytes, name.len);
		TAILQ_INIT(&line->attempts);
		map_add(&core->lines.by_window, &line->node, slice_of(line->name, name.len));
	}
	if (attempt->is_first_in_line)
		TAILQ_INSERT_HEAD(&line->attempts, attempt, in_line);
	else
		TAILQ_INSERT_TAIL(&line->attempts, attempt, in_line);
	attempt->line = line;
	attempt->is_first_in_line = false;
}

void line_leave(struct attempt *attempt)
{
	struct line *line = attempt->line;

	if (line == NULL)
		return;
	attempt->line = NULL;
	TAILQ_REMOVE(&line->attempts, attempt, in_line);
	if (!TAILQ_EMPTY(&line->attempts))
		return;
	map_remove(&attempt->core->lines.by_window, &line->node);
	mem_free(line);
}

void line_wake(struct core *core, struct counter *counter, struct slice key)
{
	unsigned char bytes[NAME_SIZE];
	struct slice name = name_of(&counter, key, bytes);
	struct line *line = find(core, name);
	uint64_t tried = 0;

	while (line != NULL && TAILQ_FIRST(&line->attempts)->id != tried) {
		struct attempt *attempt = TAILQ_FIRST(&line->attempts);
		struct source *source = attempt->source;

		tried = attempt->id;
		attempt->is_first_in_line = true;
		source->holds++;
		signin_wake(core, source);
		source_drop(core, source);
		line = find(core, name);
	}
}
