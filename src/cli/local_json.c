/* SPDX-License-Identifier: ISC */
#include "cli/local.h"

#include "base/check.h"
#include "base/ip.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/value.h"

static json_t *strings_json(const struct config_strings *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < strings->count; i++)
		(void)json_array_append_new(array, json_string(strings->items[i]));
	return array;
}

static json_t *nets_json(const struct config_nets *nets)
{
	json_t *array = json_array();
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < nets->count; i++)
		(void)json_array_append_new(
			array, json_string(ip_net_format(&nets->nets[i], text)));
	return array;
}

/* A choice by its name. */
static json_t *choice_json(const struct schema_option *option, const void *object)
{
	struct buf text;
	json_t *value;

	buf_init(&text, CONFIG_TEXT_MAX);
	GP_ASSERT(value_format(option, object, &text) == GP_OK);
	value = json_stringn(buf_slice(&text).data, buf_slice(&text).len);
	buf_fini(&text);
	return value;
}

static json_t *value_json(const struct schema_option *option, const void *object)
{
	const void *at = (const char *)object + option->offset;

	if (option->type == SCHEMA_NETWORKS)
		return nets_json(at);
	if (schema_is_list(option->type))
		return strings_json(at);
	if (value_is_unset(option, object))
		return json_null();
	if (schema_is_text(option->type))
		return json_string(*(char *const *)at);
	if (option->type == SCHEMA_BOOL)
		return json_boolean(*(const bool *)at);
	if (option->type == SCHEMA_CHOICE)
		return choice_json(option, object);
	return json_integer((json_int_t)value_number(option, object));
}

static void add_options(enum schema_section section, const void *object, json_t *out)
{
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		const struct schema_option *option = &schema_options[i];

		if (option->section == section)
			(void)json_object_set_new(out, option->name, value_json(option, object));
	}
}

json_t *local_config_json(const struct config *config)
{
	static const char *const names[SECTION_MAX] = {
		[SECTION_LISTENER] = "listeners",
		[SECTION_CERTIFICATE] = "certificates",
		[SECTION_BACKEND] = "backends",
		[SECTION_ROUTE] = "routes",
		[SECTION_PLAN] = "plans",
	};
	json_t *all = json_object();

	add_options(SECTION_GLOBAL, config, all);
	for (unsigned k = SECTION_LISTENER; k < SECTION_MAX; k++) {
		enum schema_section section = (enum schema_section)k;
		json_t *array = json_array();

		for (size_t i = 0; i < section_count(config, section); i++) {
			json_t *one = json_object();

			(void)json_object_set_new(one, section == SECTION_ROUTE ? "domain" : "name",
				json_string(section_title(config, section, i)));
			add_options(section, section_at(config, section, i), one);
			(void)json_array_append_new(array, one);
		}
		(void)json_object_set_new(all, names[section], array);
	}
	return all;
}
