/* SPDX-License-Identifier: ISC */
/*
 * What was sent in an account's name since a moment (the table sent), for people who have to say
 * whether it was them. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_CASE_SENT_H
#define GP_STORE_STORE_CASE_SENT_H

#include "store/store.h"

struct store_sent_sum {
	uint64_t messages; /* that the next hop took */
	uint64_t recipients;
	uint64_t strangers;
	uint64_t stopped; /* transactions that were not taken, here or there */
};

struct store_sent_source {
	struct slice source;
	struct slice country;     /* one of those it had, "" if nobody knows */
	struct slice client_name; /* likewise */
	struct store_sent_sum sum;
	int64_t first_at;
	int64_t last_at;
};

struct store_sent_row {
	uint64_t id;
	int64_t at;
	uint64_t device;
	struct slice source;
	struct slice country;
	struct slice client_name;
	struct slice sender;
	struct slice subject; /* sealed */
	uint64_t recipients;
	uint64_t strangers;
	uint64_t size;
	struct slice outcome;
};

enum gp_err store_sent_sum(struct store *store, uint64_t account, int64_t since,
	struct store_sent_sum *ret_sum) GP_CHECKED;
/* Each source once, most recipients first, at most limit. Slices are good during the visit. */
enum gp_err store_sent_each_source(struct store *store, uint64_t account, int64_t since,
	uint64_t limit, enum gp_err (*visit)(const struct store_sent_source *source, void *arg),
	void *arg) GP_CHECKED;
/* Newest first, from the first below before (0: all), at most limit. */
enum gp_err store_sent_each(struct store *store, uint64_t account, int64_t since, uint64_t before,
	uint64_t limit, enum gp_err (*visit)(const struct store_sent_row *row, void *arg),
	void *arg) GP_CHECKED;

#endif
