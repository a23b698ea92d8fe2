/* SPDX-License-Identifier: ISC */
/*
 * The channel to core: session news, questions and their answers. Core may die and come back: while
 * it is gone each question is answered "temporarily unavailable"; when it is back it is told of
 * every live session.
 */
#ifndef GP_FRONT_CORE_LINK_H
#define GP_FRONT_CORE_LINK_H

#include <stdbool.h>

#include "front/front.h"
#include "ipc/message.h"

struct core_link *core_link_new(struct front *front);
void core_link_free(struct core_link **plink);

/* A fresh channel to the core with this id (taken: *fd becomes -1) replaces the old one. */
void core_link_connect(struct core_link *link, uint32_t core_pid, int *fd);

/* false: core can not be asked now. */
bool core_link_send(struct core_link *link, const struct ipc_message *message);
/* The same for news that may come with the next question, as chan_send_later() has it. */
bool core_link_tell(struct core_link *link, const struct ipc_message *message);

/* A client was turned away at accept; told to core in batches. */
void core_link_count_refused(struct core_link *link, enum service service);

#endif
