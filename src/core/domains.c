/* SPDX-License-Identifier: ISC */
#include "core/domains.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"

struct domain {
	struct map_node node;
	char name[SIGNIN_DOMAIN_SIZE];
	char alias_of[SIGNIN_DOMAIN_SIZE]; /* "": a domain of its own */
};

static void free_one(struct map_node *node, void *arg)
{
	map_remove(arg, node);
	mem_free(MAP_ENTRY(node, struct domain, node));
}

static void clear(struct map *map)
{
	map_each(map, free_one, map);
	map_fini(map);
}

void domains_init(struct core *core)
{
	map_init(&core->domains.now);
	map_init(&core->domains.next);
}

void domains_fini(struct core *core)
{
	clear(&core->domains.now);
	clear(&core->domains.next);
}

void domains_begin(struct core *core)
{
	clear(&core->domains.next);
}

void domains_add(struct core *core, const struct ipc_domain_row *row)
{
	struct domain *domain = mem_new(1, sizeof *domain);
	bool is_right = signin_domain(row->domain, domain->name) &&
			(row->alias_of.len == 0 || signin_domain(row->alias_of, domain->alias_of));

	if (is_right && map_find(&core->domains.next, slice_str(domain->name)) == NULL) {
		map_add(&core->domains.next, &domain->node, slice_str(domain->name));
		return;
	}
	log_warn("domain_ignored", LOG_SLICE("domain", row->domain));
	mem_free(domain);
}

void domains_end(struct core *core, bool ok)
{
	struct map old = ok ? core->domains.now : core->domains.next;

	if (ok)
		core->domains.now = core->domains.next;
	map_init(&core->domains.next);
	clear(&old);
}

enum signin_domain_kind domains_find(
	struct core *core, struct slice domain, struct slice *ret_target)
{
	struct map_node *node = map_find(&core->domains.now, domain);
	const struct domain *found = NULL;

	if (node == NULL)
		return SIGNIN_DOMAIN_FOREIGN;
	found = MAP_ENTRY(node, struct domain, node);
	if (found->alias_of[0] == '\0')
		return SIGNIN_DOMAIN_OWN;
	*ret_target = slice_str(found->alias_of);
	return SIGNIN_DOMAIN_ALIAS;
}

static enum signin_domain_kind find(void *owner, struct slice domain, struct slice *ret_target)
{
	return domains_find(owner, domain, ret_target);
}

struct signin_names domains_names(struct core *core, uint16_t listener, struct slice sni)
{
	const struct config *config = core->config;
	struct signin_names names = {
		.sni = sni,
		.global_default = slice_str(config->default_domain),
		.find = find,
		.owner = core,
	};

	/* A front may still hold a session of the last configuration, which had more listeners. */
	if (listener < config->listener_count)
		names.listener_default = slice_str(config->listeners[listener].default_domain);
	return names;
}

const struct config_backend *domains_backend(
	struct core *core, const char *route, const char *address, enum protocol protocol)
{
	struct slice domain = slice_str(route);

	if (domain.len == 0) {
		ptrdiff_t at = slice_find_last(slice_str(address), '@');

		domain = slice_from(slice_str(address), (size_t)(at + 1));
	}
	return config_route(core->config, domain, protocol, false);
}
