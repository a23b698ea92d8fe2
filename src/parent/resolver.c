/* SPDX-License-Identifier: ISC */
/*
 *	begin()		a process for each name
 *	  |-- on_readable(): its answer has come, on_late(): it is given up
 *	take_answer()	the member has new addresses, or keeps those it had
 *	  '-- the last one of the run --> on_done()
 */
#include "parent/resolver.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "parent/address.h"
#include "parent/crew.h"
#include "privsep/program.h"

enum {
	WHY_SIZE = 200,
};

struct run;

/* One name. */
struct lookup {
	LIST_ENTRY(lookup) link;
	struct run *run;
	struct generation_member *member; /* of run->generation */
	pid_t pid;                        /* 0: reaped */
	int fd;
	struct loop_io io;
	struct loop_timer timer;
	unsigned char bytes[ADDRESS_ANSWER_SIZE + 1];
	size_t len;
};

/* All names of a generation, once. */
struct run {
	struct parent *parent;
	struct generation *generation; /* NULL: idle */
	LIST_HEAD(lookups, lookup) lookups;
	char lost[WHY_SIZE]; /* why one of them has no address */
	bool is_wrong;       /* because there is no such name */
	void (*on_done)(struct run *run);
};

struct resolver {
	struct parent *parent;
	struct run current; /* of the generation in force */
	struct run next;    /* of one that is tried */
	struct loop_timer timer;
	struct loop_timer patience;
	bool is_settled;
	void (*on_tried)(void *owner, const char *why);
	void *owner;
};

static void check_done(struct run *run);

/* ---- in the process that asks ---- */

static void ask(int out, const void *arg)
{
	const char *name = arg;
	struct address_answer answer;
	unsigned char bytes[ADDRESS_ANSWER_SIZE];

	address_look_up(name, &answer);
	/* Shorter than what a pipe takes at once. */
	(void)!write(out, bytes, address_encode(&answer, bytes));
}

/* ---- the answer ---- */

static void take_addresses(struct generation_member *member, const struct address_answer *answer)
{
	bool was_known = member->count > 0;
	bool is_new = address_set(member, answer);
	char first[IP_TEXT_SIZE];

	if (is_new || member->is_lost)
		log_info(was_known && is_new ? "host_moved" : "host_found",
			LOG_STR("host", member->name),
			LOG_STR("address", ip_format(&answer->ips[0], first)),
			LOG_UINT("addresses", answer->count));
	member->is_lost = false;
}

static void keep_addresses(struct lookup *lookup, int code)
{
	struct generation_member *member = lookup->member;
	const char *why = code == 0 ? "the name servers do not answer" : gai_strerror(code);

	if (!member->is_lost)
		log_warn("host_lost", LOG_STR("host", member->name), LOG_STR("why", why),
			LOG_UINT("kept", member->count));
	member->is_lost = true;
	if (member->count > 0)
		return;
	(void)snprintf(lookup->run->lost, sizeof lookup->run->lost, "backend host %.100s: %s",
		member->name, why);
	lookup->run->is_wrong |=
		code != 0 && code != EAI_AGAIN && code != EAI_SYSTEM && code != EAI_MEMORY;
}

static void lookup_free(struct lookup *lookup)
{
	LIST_REMOVE(lookup, link);
	loop_io_stop(&lookup->io);
	loop_timer_fini(&lookup->timer);
	if (lookup->fd >= 0)
		(void)close(lookup->fd);
	if (lookup->pid != 0)
		program_kill(lookup->pid);
	mem_free(lookup);
}

/* The process may be anybody's by now: nothing is believed. */
static void take_answer(struct lookup *lookup)
{
	struct run *run = lookup->run;
	struct address_answer answer = { 0 };
	bool has_come = address_decode(slice_of(lookup->bytes, lookup->len), &answer);

	if (has_come && answer.code == 0)
		take_addresses(lookup->member, &answer);
	else
		keep_addresses(lookup, has_come ? answer.code : 0);
	lookup_free(lookup);
	check_done(run);
}

static void on_readable(struct loop_io *io, unsigned ready)
{
	struct lookup *lookup = io->owner;
	size_t room = sizeof lookup->bytes - lookup->len;
	ssize_t got = read(lookup->fd, lookup->bytes + lookup->len, room);

	(void)ready;
	if (got > 0 && (size_t)got < room) {
		lookup->len += (size_t)got;
		return;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != 0)
		lookup->len = 0; /* more than an answer can have, or none that can be read */
	take_answer(lookup);
}

static void on_late(struct loop_timer *timer)
{
	struct lookup *lookup = timer->owner;

	lookup->len = 0;
	take_answer(lookup);
}

/* ---- a run ---- */

static void begin_lookup(struct generation_member *member, void *arg)
{
	struct run *run = arg;
	const char *user = run->generation->config->hook_user;
	struct loop *loop = run->parent->loop;
	struct lookup *lookup = NULL;

	if (member->name == NULL)
		return;
	lookup = mem_new(1, sizeof *lookup);
	lookup->run = run;
	lookup->member = member;
	lookup->fd = -1;
	LIST_INSERT_HEAD(&run->lookups, lookup, link);
	loop_timer_init(loop, &lookup->timer, on_late, lookup);
	if (program_run(ask, member->name, user, &lookup->pid, &lookup->fd) != GP_OK) {
		log_error("host_not_asked_for", LOG_STR("host", member->name), LOG_ERRNO);
		loop_timer_set(&lookup->timer, 0);
		return;
	}
	loop_io_start(loop, &lookup->io, lookup->fd, LOOP_READ, on_readable, lookup);
	loop_timer_set(&lookup->timer, RESOLVER_ANSWER_MS);
}

static void stop(struct run *run)
{
	while (!LIST_EMPTY(&run->lookups))
		lookup_free(LIST_FIRST(&run->lookups));
	run->generation = NULL;
}

/* False: there is no name in it. */
static bool begin(struct run *run, struct generation *generation)
{
	stop(run);
	run->generation = generation;
	run->lost[0] = '\0';
	run->is_wrong = false;
	generation_each_member(generation, begin_lookup, run);
	return !LIST_EMPTY(&run->lookups);
}

static void check_done(struct run *run)
{
	if (!LIST_EMPTY(&run->lookups))
		return;
	run->generation = NULL;
	run->on_done(run);
}

/* ---- the generation in force ---- */

static void settle(struct resolver *resolver)
{
	if (resolver->is_settled)
		return;
	resolver->is_settled = true;
	loop_timer_clear(&resolver->patience);
	crew_check_serving(resolver->parent->crew);
}

static void on_impatient(struct loop_timer *timer)
{
	settle(timer->owner);
}

static void on_current_done(struct run *run)
{
	struct parent *parent = run->parent;
	struct resolver *resolver = parent->resolver;
	bool is_lost = run->lost[0] != '\0';

	/* A name that is none is a fault of the configuration, if it is heard in time. */
	if (run->is_wrong && !parent->is_serving)
		parent_fail(parent, "configuration", run->lost);
	loop_timer_set(&resolver->timer, is_lost ? RESOLVER_RETRY_MS : RESOLVER_EVERY_MS);
	settle(resolver);
}

static void on_time(struct loop_timer *timer)
{
	struct resolver *resolver = timer->owner;

	if (!resolver->parent->is_stopping)
		(void)begin(&resolver->current, resolver->parent->current);
}

void resolver_start(struct resolver *resolver)
{
	loop_timer_set(&resolver->patience, RESOLVER_PATIENCE_MS);
	if (!begin(&resolver->current, resolver->parent->current))
		settle(resolver);
}

void resolver_follow(struct resolver *resolver)
{
	stop(&resolver->current);
	loop_timer_set(&resolver->timer, RESOLVER_EVERY_MS);
}

bool resolver_is_settled(const struct resolver *resolver)
{
	return resolver->is_settled;
}

/* ---- one that is tried ---- */

static void on_next_done(struct run *run)
{
	struct resolver *resolver = run->parent->resolver;

	resolver->on_tried(resolver->owner, run->lost);
}

bool resolver_try(struct resolver *resolver, struct generation *generation,
	void (*on_done)(void *owner, const char *why), void *owner)
{
	resolver->on_tried = on_done;
	resolver->owner = owner;
	return begin(&resolver->next, generation);
}

/* ---- all of it ---- */

static pid_t *find_pid(struct run *run, pid_t pid)
{
	struct lookup *lookup;

	LIST_FOREACH (lookup, &run->lookups, link) {
		if (lookup->pid == pid)
			return &lookup->pid;
	}
	return NULL;
}

bool resolver_on_exit(struct resolver *resolver, pid_t pid)
{
	pid_t *found = find_pid(&resolver->current, pid);

	if (found == NULL)
		found = find_pid(&resolver->next, pid);
	if (found == NULL)
		return false;
	*found = 0;
	return true;
}

static void init_run(struct run *run, struct parent *parent, void (*on_done)(struct run *run))
{
	run->parent = parent;
	run->on_done = on_done;
	LIST_INIT(&run->lookups);
}

struct resolver *resolver_new(struct parent *parent)
{
	struct resolver *resolver = mem_new(1, sizeof *resolver);

	resolver->parent = parent;
	init_run(&resolver->current, parent, on_current_done);
	init_run(&resolver->next, parent, on_next_done);
	loop_timer_init(parent->loop, &resolver->timer, on_time, resolver);
	loop_timer_init(parent->loop, &resolver->patience, on_impatient, resolver);
	return resolver;
}

void resolver_free(struct resolver **presolver)
{
	struct resolver *resolver = *presolver;

	*presolver = NULL;
	if (resolver == NULL)
		return;
	stop(&resolver->current);
	stop(&resolver->next);
	loop_timer_fini(&resolver->timer);
	loop_timer_fini(&resolver->patience);
	mem_free(resolver);
}
