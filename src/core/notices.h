/* SPDX-License-Identifier: ISC */
/*
 * Mail of Gatepost's own on its way from the vault's outbox to a front, and the answer back. Core
 * keeps nothing of it: a notice whose answer is lost is tried again by the vault.
 */
#ifndef GP_CORE_NOTICES_H
#define GP_CORE_NOTICES_H

#include "ipc/message.h"

struct core;

/* From the desk vault. To an own domain by its incoming route, else by the default one. */
void notices_on_notice(struct core *core, const struct ipc_notice *notice);
/* From a front. */
void notices_on_done(struct core *core, const struct ipc_notice_done *done);

#endif
