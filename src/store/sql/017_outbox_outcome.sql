-- SPDX-License-Identifier: ISC
-- What came of mail of Gatepost's own: '' while it waits (and of what was done before this was kept), 'taken' or
-- 'refused'; said: the words of the next hop that refused it.
ALTER TABLE outbox ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN said TEXT NOT NULL DEFAULT '';
