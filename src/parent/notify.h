/* SPDX-License-Identifier: ISC */
/* What the service manager is told (sd_notify(3)); nothing where there is none. */
#ifndef GP_PARENT_NOTIFY_H
#define GP_PARENT_NOTIFY_H

#include <stddef.h>

#include "event/loop.h"

/* Starts answering the watchdog, if one is set. */
void notify_init(struct loop *loop);
void notify_fini(void);

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
/* So many processes of all of them are up. */
void notify_status(size_t up, size_t all);

#endif
