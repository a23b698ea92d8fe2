/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static struct ip from_v4(const void *bytes)
{
	struct ip ip = { .family = IP_V4 };

	memcpy(ip.bytes, bytes, 4);
	return ip;
}

static struct ip from_v6(const void *bytes)
{
	struct ip ip = { .family = IP_V6 };

	if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0)
		return from_v4((const char *)bytes + sizeof mapped_prefix);
	memcpy(ip.bytes, bytes, 16);
	return ip;
}

static unsigned family_bits(const struct ip *ip)
{
	return ip->family == IP_V4 ? 32 : ip->family == IP_V6 ? 128 : 0;
}

enum gp_err ip_parse(struct slice text, struct ip *ret_ip)
{
	char copy[INET6_ADDRSTRLEN + 1];
	uint8_t bytes[16];

	if (!slice_copy(text, copy, sizeof copy))
		return GP_ERR_SYNTAX;
	if (inet_pton(AF_INET, copy, bytes) == 1)
		*ret_ip = from_v4(bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		*ret_ip = from_v6(bytes);
	else
		return GP_ERR_SYNTAX;
	return GP_OK;
}

/* Not inet_ntop(3), which goes through sprintf(3): this is done several times a sign-in. */
static void format_v4(const struct ip *ip, char *out)
{
	for (size_t i = 0; i < 4; i++) {
		unsigned byte = ip->bytes[i];

		if (byte >= 100)
			*out++ = (char)('0' + byte / 100);
		if (byte >= 10)
			*out++ = (char)('0' + byte / 10 % 10);
		*out++ = (char)('0' + byte % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

const char *ip_format(const struct ip *ip, char out[static IP_TEXT_SIZE])
{
	if (ip->family == IP_V4)
		format_v4(ip, out);
	else if (ip->family == IP_NONE || inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT_SIZE) == NULL)
		memcpy(out, "none", 5);
	return out;
}

void ip_from_sockaddr(const struct sockaddr *addr, struct ip *ret_ip, uint16_t *ret_port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	*ret_ip = (struct ip){ 0 };
	*ret_port = 0;
	if (addr->sa_family == AF_INET) {
		memcpy(&v4, addr, sizeof v4);
		*ret_ip = from_v4(&v4.sin_addr);
		*ret_port = ntohs(v4.sin_port);
	} else if (addr->sa_family == AF_INET6) {
		memcpy(&v6, addr, sizeof v6);
		*ret_ip = from_v6(&v6.sin6_addr);
		*ret_port = ntohs(v6.sin6_port);
	}
}

socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(out, 0, sizeof *out);
	if (ip->family == IP_V4) {
		memcpy(&v4.sin_addr, ip->bytes, 4);
		memcpy(out, &v4, sizeof v4);
		return sizeof v4;
	}
	if (ip->family == IP_V6) {
		memcpy(&v6.sin6_addr, ip->bytes, 16);
		memcpy(out, &v6, sizeof v6);
		return sizeof v6;
	}
	return 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t v6_loopback[16] = { [15] = 1 };

	if (ip->family == IP_V4)
		return ip->bytes[0] == 127;
	return ip->family == IP_V6 && memcmp(ip->bytes, v6_loopback, 16) == 0;
}

struct ip ip_source(const struct ip *ip)
{
	struct ip source = *ip;

	if (source.family == IP_V6)
		memset(source.bytes + IP_SOURCE_V6_PREFIX / 8, 0, 16 - IP_SOURCE_V6_PREFIX / 8);
	return source;
}

const char *ip_format_source(const struct ip *source, char out[static IP_TEXT_SIZE])
{
	struct ip_net net = { ip_source(source), IP_SOURCE_V6_PREFIX };

	return source->family == IP_V6 ? ip_net_format(&net, out) : ip_format(source, out);
}

enum gp_err ip_parse_source(struct slice text, struct ip *ret_source)
{
	struct ip_net net;
	enum gp_err err = ip_net_parse(text, &net);

	if (err != GP_OK)
		return err;
	if (net.prefix != family_bits(&net.base) &&
		!(net.base.family == IP_V6 && net.prefix == IP_SOURCE_V6_PREFIX))
		return GP_ERR_SYNTAX;
	*ret_source = ip_source(&net.base);
	return GP_OK;
}

static bool has_prefix(const struct ip *ip, const struct ip *base, unsigned prefix)
{
	unsigned whole = prefix / 8;
	unsigned rest = prefix % 8;

	if (memcmp(ip->bytes, base->bytes, whole) != 0)
		return false;
	return rest == 0 || ((ip->bytes[whole] ^ base->bytes[whole]) >> (8 - rest)) == 0;
}

static bool host_bits_are_zero(const struct ip_net *net)
{
	unsigned bits = family_bits(&net->base);

	for (unsigned bit = net->prefix; bit < bits; bit++) {
		if ((net->base.bytes[bit / 8] >> (7 - bit % 8)) & 1)
			return false;
	}
	return true;
}

enum gp_err ip_net_parse(struct slice text, struct ip_net *ret_net)
{
	ptrdiff_t slash = slice_find(text, '/');
	struct ip_net net = { .prefix = 0 };
	unsigned long long prefix = 0;
	enum gp_err err;

	err = ip_parse(slash >= 0 ? slice_head(text, (size_t)slash) : text, &net.base);
	if (err != GP_OK)
		return err;
	prefix = family_bits(&net.base);
	if (slash >= 0 && !slice_to_u64(slice_from(text, (size_t)slash + 1), prefix, &prefix))
		return GP_ERR_SYNTAX;
	net.prefix = (uint8_t)prefix;
	if (!host_bits_are_zero(&net))
		return GP_ERR_SYNTAX;
	*ret_net = net;
	return GP_OK;
}

static const uint8_t level_prefix[IP_LEVELS] = { IP_SOURCE_V6_PREFIX, 56, 48 };

unsigned ip_levels(const struct ip *ip)
{
	if (ip->family == IP_V6)
		return IP_LEVELS;
	return ip->family == IP_V4 ? 1 : 0;
}

struct ip_net ip_level_net(const struct ip *ip, enum ip_level level)
{
	struct ip_net net = { *ip, 32 };

	if (ip->family != IP_V6)
		return net;
	net.prefix = level_prefix[level];
	memset(net.base.bytes + net.prefix / 8, 0, sizeof net.base.bytes - net.prefix / 8);
	return net;
}

bool ip_net_equal(const struct ip_net *a, const struct ip_net *b)
{
	return ip_equal(&a->base, &b->base) && a->prefix == b->prefix;
}

bool ip_net_level(const struct ip_net *net, enum ip_level *ret_level)
{
	for (unsigned i = 0; i < ip_levels(&net->base); i++) {
		struct ip_net made = ip_level_net(&net->base, (enum ip_level)i);

		if (ip_net_equal(&made, net)) {
			*ret_level = (enum ip_level)i;
			return true;
		}
	}
	return false;
}

enum gp_err ip_parse_level(struct slice text, struct ip_net *ret_net)
{
	enum ip_level level;
	struct ip_net net;
	enum gp_err err = ip_net_parse(text, &net);

	if (err != GP_OK)
		return err;
	if (net.prefix == family_bits(&net.base))
		net = ip_level_net(&net.base, IP_LEVEL_SOURCE);
	if (!ip_net_level(&net, &level))
		return GP_ERR_SYNTAX;
	*ret_net = net;
	return GP_OK;
}

bool ip_net_contains(const struct ip_net *net, const struct ip *ip)
{
	return ip->family == net->base.family && has_prefix(ip, &net->base, net->prefix);
}

bool ip_nets_contain(const struct ip_net *nets, size_t count, const struct ip *ip)
{
	for (size_t i = 0; i < count; i++) {
		if (ip_net_contains(&nets[i], ip))
			return true;
	}
	return false;
}

const char *ip_net_format(const struct ip_net *net, char out[static IP_TEXT_SIZE])
{
	size_t len;

	(void)ip_format(&net->base, out);
	if (net->base.family != IP_NONE && net->prefix != family_bits(&net->base)) {
		len = strlen(out);
		(void)snprintf(out + len, IP_TEXT_SIZE - len, "/%u", (unsigned)net->prefix);
	}
	return out;
}
