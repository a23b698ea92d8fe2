/* SPDX-License-Identifier: ISC */
/*
 * Signing in at the portal: name and password, which take the same way as a mail program's
 * (signin.h), then the second step where the account has one. To whom the name belongs, if to
 * anyone, shows neither in the answer nor in its time.
 */
#ifndef GP_CORE_FORM_H
#define GP_CORE_FORM_H

#include "base/err.h"

enum {
	FORM_CODE_MAX = 64 /* bytes of a code as typed, blanks and hyphens included */
};

struct attempt_answer;

/* How an attempt that was not judged ended, for who asked at the portal. */
enum gp_err form_explain(const struct attempt_answer *answer, struct gp_why *why);

#endif
