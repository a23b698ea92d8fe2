/* SPDX-License-Identifier: ISC */
#include "parent/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <sys/un.h>

#include "base/ip.h"
#include "base/mem.h"
#include "base/slice.h"

enum {
	DNS_SECONDS = 2,
	DNS_TRIES = 2,
	NAME_SIZE = 256,
};

void address_init(void)
{
	if (res_init() == 0) {
		_res.retrans = DNS_SECONDS;
		_res.retry = DNS_TRIES;
	}
}

static void add_address(
	struct generation_member *member, const struct sockaddr *addr, socklen_t len)
{
	struct generation_address *address = &member->addresses[member->count++];

	memcpy(&address->addr, addr, len);
	address->len = len;
}

static enum gp_err resolve_unix(
	const char *path, struct generation_member *ret_member, struct gp_why *why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (path[0] != '/' || !slice_copy(slice_str(path), addr.sun_path, sizeof addr.sun_path))
		return gp_why_set(why, GP_ERR_CONFIG, "unix:%.100s: not a path of a socket", path);
	ret_member->addresses = mem_new(1, sizeof *ret_member->addresses);
	add_address(ret_member, (const struct sockaddr *)&addr, sizeof addr);
	return GP_OK;
}

/* "NAME:PORT" or "[ADDRESS]:PORT" in its two halves. */
static bool split(const char *host, char name[static NAME_SIZE], uint16_t *ret_port)
{
	struct slice text = slice_str(host);
	ptrdiff_t colon = slice_find_last(text, ':');
	struct slice left;
	unsigned long long port;

	if (colon <= 0 || !slice_to_u64(slice_from(text, (size_t)colon + 1), UINT16_MAX, &port) ||
		port == 0)
		return false;
	left = slice_head(text, (size_t)colon);
	if (left.len > 2 && left.data[0] == '[' && left.data[left.len - 1] == ']')
		left = slice_of(left.data + 1, left.len - 2);
	*ret_port = (uint16_t)port;
	return slice_copy(left, name, NAME_SIZE);
}

static enum gp_err look_up(
	const char *name, uint16_t port, struct generation_member *ret_member, struct gp_why *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL;
	struct generation_member member = { 0 };
	int outcome = getaddrinfo(name, NULL, &hints, &found);

	if (outcome != 0)
		return gp_why_set(
			why, GP_ERR_CONFIG, "backend host %.100s: %s", name, gai_strerror(outcome));
	member.addresses = mem_new(ADDRESS_MAX, sizeof *member.addresses);
	for (const struct addrinfo *one = found; one != NULL && member.count < ADDRESS_MAX;
		one = one->ai_next) {
		struct sockaddr_storage addr = { 0 };
		struct ip ip;
		uint16_t none;

		ip_from_sockaddr(one->ai_addr, &ip, &none);
		if (ip.family != IP_NONE)
			add_address(&member, (const struct sockaddr *)&addr,
				ip_to_sockaddr(&ip, port, &addr));
	}
	freeaddrinfo(found);
	if (member.count == 0) {
		mem_free(member.addresses);
		return gp_why_set(why, GP_ERR_CONFIG, "backend host %.100s: has no address", name);
	}
	*ret_member = member;
	return GP_OK;
}

enum gp_err address_resolve(
	const char *host, struct generation_member *ret_member, struct gp_why *why)
{
	static const char unix_prefix[] = "unix:";
	char name[NAME_SIZE];
	uint16_t port;
	struct ip ip;
	struct sockaddr_storage addr;
	socklen_t len;

	if (slice_starts_nocase(slice_str(host), unix_prefix))
		return resolve_unix(host + sizeof unix_prefix - 1, ret_member, why);
	if (!split(host, name, &port))
		return gp_why_set(why, GP_ERR_CONFIG, "backend host %.100s: not HOST:PORT", host);
	if (ip_parse(slice_str(name), &ip) != GP_OK)
		return look_up(name, port, ret_member, why);
	len = ip_to_sockaddr(&ip, port, &addr);
	ret_member->addresses = mem_new(1, sizeof *ret_member->addresses);
	add_address(ret_member, (const struct sockaddr *)&addr, len);
	return GP_OK;
}
