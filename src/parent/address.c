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

enum gp_err address_parse(
	const char *host, struct generation_member *ret_member, struct gp_why *why)
{
	static const char unix_prefix[] = "unix:";
	struct generation_member member = { 0 };
	char name[NAME_SIZE];
	struct ip ip;
	struct sockaddr_storage addr;
	socklen_t len;

	if (slice_starts_nocase(slice_str(host), unix_prefix))
		return resolve_unix(host + sizeof unix_prefix - 1, ret_member, why);
	if (!split(host, name, &member.port))
		return gp_why_set(why, GP_ERR_CONFIG, "backend host %.100s: not HOST:PORT", host);
	if (ip_parse(slice_str(name), &ip) == GP_OK) {
		len = ip_to_sockaddr(&ip, member.port, &addr);
		member.addresses = mem_new(1, sizeof *member.addresses);
		add_address(&member, (const struct sockaddr *)&addr, len);
	} else {
		member.name = mem_strdup(name);
	}
	*ret_member = member;
	return GP_OK;
}

void address_free(struct generation_member *member)
{
	mem_free(member->addresses);
	mem_free(member->name);
	*member = (struct generation_member){ 0 };
}

void address_look_up(const char *name, struct address_answer *ret_answer)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL;
	struct address_answer answer = { 0 };

	/* A name server that is silent is given up after seconds. */
	if (res_init() == 0) {
		_res.retrans = DNS_SECONDS;
		_res.retry = DNS_TRIES;
	}
	answer.code = getaddrinfo(name, NULL, &hints, &found);
	for (const struct addrinfo *one = found;
		answer.code == 0 && one != NULL && answer.count < ADDRESS_MAX; one = one->ai_next) {
		struct ip *ip = &answer.ips[answer.count];
		uint16_t none;

		ip_from_sockaddr(one->ai_addr, ip, &none);
		answer.count += ip->family != IP_NONE;
	}
	if (answer.code == 0) {
		freeaddrinfo(found);
		answer.code = answer.count > 0 ? 0 : EAI_NODATA;
	}
	*ret_answer = answer;
}

/* ---- on its way ---- */

_Static_assert(sizeof(struct ip) == ADDRESS_IP_SIZE, "struct ip is a family and 16 bytes");

size_t address_encode(
	const struct address_answer *answer, unsigned char out[static ADDRESS_ANSWER_SIZE])
{
	size_t len = ADDRESS_HEAD_SIZE;

	out[0] = (unsigned char)-answer->code;
	out[1] = (unsigned char)answer->count;
	for (size_t i = 0; i < answer->count; i++) {
		memcpy(out + len, &answer->ips[i], ADDRESS_IP_SIZE);
		len += ADDRESS_IP_SIZE;
	}
	return len;
}

static bool is_address(const struct ip *ip)
{
	static const uint8_t zeros[sizeof ip->bytes - 4];

	return ip->family == IP_V6 ||
	       (ip->family == IP_V4 && memcmp(ip->bytes + 4, zeros, sizeof zeros) == 0);
}

bool address_decode(struct slice bytes, struct address_answer *ret_answer)
{
	const unsigned char *in = (const unsigned char *)bytes.data;
	struct address_answer answer = { 0 };

	if (bytes.len < ADDRESS_HEAD_SIZE || in[1] > ADDRESS_MAX ||
		bytes.len != ADDRESS_HEAD_SIZE + in[1] * (size_t)ADDRESS_IP_SIZE ||
		(in[0] == 0) != (in[1] > 0))
		return false;
	answer.code = -(int)in[0];
	answer.count = in[1];
	for (size_t i = 0; i < answer.count; i++) {
		memcpy(&answer.ips[i], in + ADDRESS_HEAD_SIZE + i * ADDRESS_IP_SIZE,
			ADDRESS_IP_SIZE);
		if (!is_address(&answer.ips[i]))
			return false;
	}
	*ret_answer = answer;
	return true;
}

/* ---- what is known ---- */

static bool is_same(const struct generation_member *member, const struct address_answer *answer)
{
	struct sockaddr_storage addr;

	if (member->count != answer->count)
		return false;
	for (size_t i = 0; i < answer->count; i++) {
		socklen_t len = ip_to_sockaddr(&answer->ips[i], member->port, &addr);

		if (len != member->addresses[i].len ||
			memcmp(&addr, &member->addresses[i].addr, len) != 0)
			return false;
	}
	return true;
}

bool address_set(struct generation_member *member, const struct address_answer *answer)
{
	struct sockaddr_storage addr;

	if (is_same(member, answer))
		return false;
	mem_free(member->addresses);
	member->count = 0;
	member->addresses = mem_new(answer->count, sizeof *member->addresses);
	for (size_t i = 0; i < answer->count; i++) {
		socklen_t len = ip_to_sockaddr(&answer->ips[i], member->port, &addr);

		add_address(member, (const struct sockaddr *)&addr, len);
	}
	return true;
}
