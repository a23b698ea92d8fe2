/* SPDX-License-Identifier: ISC */
#include "front/smtp_lease.h"

#include "base/mem.h"

void smtp_lease_end(struct smtp_lease *lease)
{
	mem_free(lease->sender);
	*lease = (struct smtp_lease){ 0 };
}

void smtp_lease_take(struct smtp_lease *lease, struct slice sender, uint64_t size)
{
	struct smtp_lease taken = { slice_dup(sender), size };

	smtp_lease_end(lease);
	*lease = taken;
}

bool smtp_lease_covers(const struct smtp_lease *lease, struct slice sender, uint64_t size)
{
	return lease->sender != NULL && slice_is(sender, lease->sender) &&
	       (lease->size == 0 || size <= lease->size);
}
