/* SPDX-License-Identifier: ISC */
#include "config/section.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "config/value.h"

/* The array pointers have different types, so they are read and written as bytes. */
static char *get_array(const struct config *config, const struct schema_facts *facts)
{
	char *array;

	memcpy(&array, (const char *)config + facts->array_offset, sizeof array);
	return array;
}

static void set_array(struct config *config, const struct schema_facts *facts, void *array)
{
	memcpy((char *)config + facts->array_offset, &array, sizeof array);
}

static size_t *count_at(struct config *config, const struct schema_facts *facts)
{
	return (void *)((char *)config + facts->count_offset);
}

static char **title_at(const struct schema_facts *facts, void *object)
{
	return (void *)((char *)object + facts->title_offset);
}

size_t section_count(const struct config *config, enum schema_section section)
{
	const void *at = (const char *)config + schema_facts(section)->count_offset;

	return *(const size_t *)at;
}

void *section_at(const struct config *config, enum schema_section section, size_t i)
{
	const struct schema_facts *facts = schema_facts(section);

	GP_ASSERT(i < section_count(config, section));
	return get_array(config, facts) + i * facts->size;
}

const char *section_title(const struct config *config, enum schema_section section, size_t i)
{
	return *title_at(schema_facts(section), section_at(config, section, i));
}

void *section_add(struct config *config, enum schema_section section, struct slice title)
{
	const struct schema_facts *facts = schema_facts(section);
	size_t *count = count_at(config, facts);
	void *object;

	set_array(config, facts, mem_resize(get_array(config, facts), *count + 1, facts->size));
	object = get_array(config, facts) + *count * facts->size;
	(*count)++;
	memset(object, 0, facts->size);
	*title_at(facts, object) = slice_dup(title);
	section_preset(section, object);
	return object;
}

void section_preset(enum schema_section section, void *object)
{
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		if (schema_options[i].section == section)
			value_preset(&schema_options[i], object);
	}
}

void section_clear(enum schema_section section, void *object)
{
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		if (schema_options[i].section == section)
			value_clear(&schema_options[i], object);
	}
}

void section_free_all(struct config *config, enum schema_section section)
{
	const struct schema_facts *facts = schema_facts(section);

	for (size_t i = 0; i < section_count(config, section); i++) {
		void *object = section_at(config, section, i);

		section_clear(section, object);
		mem_free(*title_at(facts, object));
	}
	mem_free(get_array(config, facts));
	set_array(config, facts, NULL);
	*count_at(config, facts) = 0;
}
