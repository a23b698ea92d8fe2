/* SPDX-License-Identifier: ISC */
/*
 * Checks of our own invariants. They stay on in production: a process whose state is wrong stops,
 * and gatepostd starts a fresh one. Bytes from a peer are never asserted on.
 */
#ifndef GP_BASE_CHECK_H
#define GP_BASE_CHECK_H

#define GP_ASSERT(condition) \
	((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

#define GP_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Writes one line to standard error and aborts. */
_Noreturn void check_failed(const char *condition, const char *file, int line, const char *func);

#endif
