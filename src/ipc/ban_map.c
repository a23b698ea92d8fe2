/* SPDX-License-Identifier: ISC */
/*
 * In memory: a head, then the tables for IPv4, /64, /56 and /48, each of buckets of BAN_MAP_WAYS
 * places. A place is four atomic words:
 *
 *	sequence	even: at rest; odd: core is writing it
 *	key		IPv4 address, or the upper 64 bits of an IPv6 network
 *	until		end of the ban, clock_steady() ms; 0: free
 *	origin		what its reference is made from
 *
 * Readers take sequence, the others, sequence again; if it was odd or changed they try again a few
 * times. A core that was killed while writing leaves an odd sequence behind: the reader then goes
 * by what it sees, which the order of writing makes harmless, and the next core to write there
 * makes it even again.
 *
 * A bucket is chosen by SipHash-2-4 under a key that stands in the head, made with the map, because
 * all processes must agree on it; a peer cannot aim at a bucket without knowing it. The fronts
 * cannot write: their descriptor was opened for reading only (ban_map_reopen_read()), and the
 * kernel refuses a writable mapping of it, now and by mprotect(2) later.
 */
#include "ipc/ban_map.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"

enum {
	PLACES = BAN_MAP_SPARE * BAN_MAP_ENTRIES,
	BUCKETS = PLACES / BAN_MAP_WAYS,
	AGGREGATE_PLACES = BAN_MAP_SPARE * BAN_MAP_AGGREGATES,
	AGGREGATE_BUCKETS = AGGREGATE_PLACES / BAN_MAP_WAYS,
	READ_TRIES = 64, /* a writer that lives is done long before */
};

struct place {
	_Atomic uint64_t sequence;
	_Atomic uint64_t key;
	_Atomic int64_t until;
	_Atomic uint64_t origin;
};

/* What a reader gets of a ban. */
struct seen {
	int64_t until; /* 0: none */
	uint64_t origin;
};

struct memory {
	uint64_t hash_key[2];
	_Atomic int64_t shift_ms;
	struct place v4[BUCKETS][BAN_MAP_WAYS];
	struct place v6[BUCKETS][BAN_MAP_WAYS];
	struct place aggregates[IP_LEVELS - 1][AGGREGATE_BUCKETS][BAN_MAP_WAYS];
};

_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "the hash is cut by a mask");
_Static_assert((AGGREGATE_BUCKETS & (AGGREGATE_BUCKETS - 1)) == 0, "here too");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock would not be shared between processes");

struct ban_map {
	struct memory *memory;
	bool is_writable;
};

size_t ban_map_bytes(void)
{
	return sizeof(struct memory);
}

static bool write_hash_key(int fd)
{
	uint64_t key[2];
	ssize_t written;

	rand_bytes(key, sizeof key);
	written = pwrite(fd, key, sizeof key, offsetof(struct memory, hash_key));
	return written == (ssize_t)sizeof key;
}

enum gp_err ban_map_create(int *ret_fd)
{
	int fd = memfd_create("gatepost-bans", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return GP_ERR_IO;
	/* For its owner only, so that no other user can open it anew for writing through /proc. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) != 0 || ftruncate(fd, (off_t)ban_map_bytes()) != 0 ||
		!write_hash_key(fd) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		(void)close(fd);
		return GP_ERR_IO;
	}
	*ret_fd = fd;
	return GP_OK;
}

enum gp_err ban_map_reopen_read(int fd, int *ret_fd)
{
	char path[32];
	int read_fd;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	read_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read_fd < 0)
		return GP_ERR_IO;
	*ret_fd = read_fd;
	return GP_OK;
}

static enum gp_err open_map(int fd, bool is_writable, struct ban_map **ret_map)
{
	int protection = PROT_READ | (is_writable ? PROT_WRITE : 0);
	struct ban_map *map = NULL;
	void *memory;

	/* lseek(2) and not fstat(2), which is no call of a jailed process. */
	if (lseek(fd, 0, SEEK_END) != (off_t)ban_map_bytes())
		return GP_ERR_PROTOCOL;
	memory = mmap(NULL, ban_map_bytes(), protection, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return GP_ERR_IO;
	map = mem_new(1, sizeof *map);
	map->memory = memory;
	map->is_writable = is_writable;
	*ret_map = map;
	return GP_OK;
}

enum gp_err ban_map_open_write(int fd, struct ban_map **ret_map)
{
	return open_map(fd, true, ret_map);
}

enum gp_err ban_map_open_read(int fd, struct ban_map **ret_map)
{
	return open_map(fd, false, ret_map);
}

void ban_map_close(struct ban_map **pmap)
{
	struct ban_map *map = *pmap;

	if (map == NULL)
		return;
	(void)munmap(map->memory, ban_map_bytes());
	mem_free(map);
	*pmap = NULL;
}

/* The bucket a network stands in; NULL for what is of no level (UNIX socket peers). */
static struct place *find_bucket(
	const struct ban_map *map, const struct ip_net *net, uint64_t *ret_key)
{
	size_t len = net->base.family == IP_V4 ? 4 : 8;
	enum ip_level level;
	uint64_t key = 0;
	uint64_t hash;

	if (!ip_net_level(net, &level))
		return NULL;
	for (size_t i = 0; i < len; i++)
		key = key << 8 | net->base.bytes[i];
	hash = map_hash_keyed(map->memory->hash_key, slice_of(&key, sizeof key));
	*ret_key = key;
	if (level != IP_LEVEL_SOURCE)
		return map->memory->aggregates[level - 1][hash & (AGGREGATE_BUCKETS - 1)];
	return net->base.family == IP_V4 ? map->memory->v4[hash & (BUCKETS - 1)]
					 : map->memory->v6[hash & (BUCKETS - 1)];
}

/* Reading. */

/* The ban if it is for this key. */
static struct seen read_place(const struct place *place, uint64_t key)
{
	uint64_t seen_key = 0;
	struct seen seen = { 0 };

	for (size_t n = 0; n < READ_TRIES; n++) {
		uint64_t before = atomic_load_explicit(&place->sequence, memory_order_acquire);
		uint64_t after;

		seen_key = atomic_load_explicit(&place->key, memory_order_relaxed);
		seen.until = atomic_load_explicit(&place->until, memory_order_relaxed);
		seen.origin = atomic_load_explicit(&place->origin, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&place->sequence, memory_order_relaxed);
		if (before == after && before % 2 == 0)
			break;
	}
	return seen_key == key ? seen : (struct seen){ 0 };
}

/* Of exactly this network; until as ms left from now. */
static struct seen read_net(const struct ban_map *map, const struct ip_net *net)
{
	uint64_t key = 0;
	const struct place *bucket = find_bucket(map, net, &key);
	int64_t now;
	struct seen last = { 0 };

	if (bucket == NULL)
		return last;
	for (size_t way = 0; way < BAN_MAP_WAYS; way++) {
		struct seen seen = read_place(&bucket[way], key);

		if (seen.until > last.until)
			last = seen;
	}
	if (last.until == 0)
		return last;
	now = clock_steady() - clock_shifted() +
	      atomic_load_explicit(&map->memory->shift_ms, memory_order_relaxed);
	if (last.until <= now)
		return (struct seen){ 0 };
	last.until -= now;
	return last;
}

/* The one that lasts longest of those an address is in. */
static struct seen read_address(const struct ban_map *map, const struct ip *ip)
{
	struct seen longest = { 0 };

	for (unsigned level = 0; level < ip_levels(ip); level++) {
		struct ip_net net = ip_level_net(ip, (enum ip_level)level);
		struct seen seen = read_net(map, &net);

		if (seen.until > longest.until)
			longest = seen;
	}
	return longest;
}

int64_t ban_map_net_left(const struct ban_map *map, const struct ip_net *net)
{
	return read_net(map, net).until;
}

int64_t ban_map_left(const struct ban_map *map, const struct ip *ip)
{
	return read_address(map, ip).until;
}

uint64_t ban_map_origin(const struct ban_map *map, const struct ip *ip)
{
	return read_address(map, ip).origin;
}

/* Writing. */

static void write_place(struct place *place, uint64_t key, int64_t until, uint64_t origin)
{
	uint64_t odd = atomic_load_explicit(&place->sequence, memory_order_relaxed) | 1;
	uint64_t old_key = atomic_load_explicit(&place->key, memory_order_relaxed);

	atomic_store_explicit(&place->sequence, odd, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	/* In this order no source ever seems to have the ban of another, even if we die half-way.
	 */
	if (old_key != key) {
		atomic_store_explicit(&place->until, 0, memory_order_relaxed);
		atomic_store_explicit(&place->key, key, memory_order_release);
	}
	atomic_store_explicit(&place->origin, origin, memory_order_relaxed);
	atomic_store_explicit(&place->until, until, memory_order_release);
	atomic_store_explicit(&place->sequence, odd + 1, memory_order_release);
}

static int64_t until_of(const struct place *place)
{
	return atomic_load_explicit(&place->until, memory_order_relaxed);
}

/* The place of this key, or NULL. */
static struct place *find_place(struct place *bucket, uint64_t key)
{
	for (size_t way = 0; way < BAN_MAP_WAYS; way++) {
		if (until_of(&bucket[way]) > 0 &&
			atomic_load_explicit(&bucket[way].key, memory_order_relaxed) == key)
			return &bucket[way];
	}
	return NULL;
}

/* The other way round as in find_bucket(). */
static struct ip_net net_of(uint8_t family, enum ip_level level, uint64_t key)
{
	struct ip ip = { .family = family };
	size_t size = family == IP_V4 ? 4 : 8;

	for (size_t i = 0; i < size; i++)
		ip.bytes[i] = (uint8_t)(key >> 8 * (size - 1 - i));
	return ip_level_net(&ip, level);
}

struct visitor {
	const struct ban_map *map;
	ban_map_visit_fn *visit;
	void *arg;
};

static void visit_table(const struct visitor *visitor, const struct place *places, size_t count,
	uint8_t family, enum ip_level level)
{
	for (size_t n = 0; n < count; n++) {
		struct ip_net net;
		struct seen seen;

		if (until_of(&places[n]) == 0)
			continue;
		net = net_of(
			family, level, atomic_load_explicit(&places[n].key, memory_order_relaxed));
		seen = read_net(visitor->map, &net);
		if (seen.until > 0)
			visitor->visit(&net, seen.until, seen.origin, visitor->arg);
	}
}

void ban_map_each(const struct ban_map *map, ban_map_visit_fn *visit, void *arg)
{
	const struct visitor visitor = { map, visit, arg };
	const struct memory *memory = map->memory;

	visit_table(&visitor, &memory->v4[0][0], PLACES, IP_V4, IP_LEVEL_SOURCE);
	visit_table(&visitor, &memory->v6[0][0], PLACES, IP_V6, IP_LEVEL_SOURCE);
	for (unsigned level = IP_LEVEL_SOURCE + 1; level < IP_LEVELS; level++)
		visit_table(&visitor, &memory->aggregates[level - 1][0][0], AGGREGATE_PLACES, IP_V6,
			(enum ip_level)level);
}

void ban_map_set(struct ban_map *map, const struct ip_net *net, int64_t until, uint64_t origin)
{
	uint64_t key = 0;
	struct place *bucket = find_bucket(map, net, &key);
	struct place *place = NULL;

	GP_ASSERT(map->is_writable);
	if (bucket == NULL)
		return;
	place = find_place(bucket, key);
	if (place == NULL) {
		/* Free and run-out places are those that end first. */
		place = &bucket[0];
		for (size_t way = 1; way < BAN_MAP_WAYS; way++) {
			if (until_of(&bucket[way]) < until_of(place))
				place = &bucket[way];
		}
	}
	write_place(place, key, until > 0 ? until : 0, origin);
}

void ban_map_clear(struct ban_map *map, const struct ip_net *net)
{
	uint64_t key = 0;
	struct place *bucket = find_bucket(map, net, &key);
	struct place *place = bucket != NULL ? find_place(bucket, key) : NULL;

	GP_ASSERT(map->is_writable);
	if (place != NULL)
		write_place(place, key, 0, 0);
}

static void clear_table(struct place *places, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		if (until_of(&places[n]) > 0)
			write_place(&places[n], places[n].key, 0, 0);
	}
}

void ban_map_clear_all(struct ban_map *map)
{
	struct memory *memory = map->memory;

	GP_ASSERT(map->is_writable);
	clear_table(&memory->v4[0][0], PLACES);
	clear_table(&memory->v6[0][0], PLACES);
	for (size_t i = 0; i < GP_ARRAY_LEN(memory->aggregates); i++)
		clear_table(&memory->aggregates[i][0][0], AGGREGATE_PLACES);
}

void ban_map_set_shift(struct ban_map *map, int64_t shift_ms)
{
	GP_ASSERT(map->is_writable);
	atomic_store_explicit(&map->memory->shift_ms, shift_ms, memory_order_relaxed);
}

int64_t ban_map_shift(const struct ban_map *map)
{
	return atomic_load_explicit(&map->memory->shift_ms, memory_order_relaxed);
}
