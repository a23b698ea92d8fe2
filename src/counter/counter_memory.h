/* SPDX-License-Identifier: ISC */
/*
 * Windows in the memory of this process; every answer is there before the call returns. Time is
 * clock_steady().
 *
 * Memory is bounded by limits.max_keys. When one more key is needed, the window that says least
 * goes: lowest weight first (all weights from COUNTER_CLASSES up are alike), among equals the one
 * whose last failure is longest ago. A window with a check in flight never goes; if all have one,
 * the answer is COUNTER_FAILED. So a flood of fresh sources with one failure each pushes out others
 * of its kind and none that is about to be banned.
 */
#ifndef GP_COUNTER_COUNTER_MEMORY_H
#define GP_COUNTER_COUNTER_MEMORY_H

#include "counter/counter.h"

enum {
	COUNTER_CLASSES = 16
};

struct counter *counter_memory_new(const struct counter_limits *limits);
/* Keys that take memory now: for status and tests. */
size_t counter_memory_keys(const struct counter *counter);

#endif
