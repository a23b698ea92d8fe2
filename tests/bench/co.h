/* SPDX-License-Identifier: ISC */
/*
 * Coroutines over epoll for the programs of the bench: one thread, code that looks blocking. Times
 * are seconds of the monotonic clock.
 */
#ifndef GP_BENCH_CO_H
#define GP_BENCH_CO_H

#include <stdbool.h>

/* Begins at the loop's next turn. */
void co_start(void (*run)(void *arg), void *arg);
/* Events on fd wake the running coroutine, edge-triggered: try first, then wait. Ends with close().
 */
void co_watch(int fd);
/* Until an event or the deadline (0: none); false if that passed. */
bool co_wait(double deadline);
void co_sleep_until(double when);
/* Runs until no coroutine is left. */
void co_loop(void);
/* Every wait ends now, and each to come does too. */
void co_stop(void);
bool co_is_stopping(void);
double co_now(void);

#endif
