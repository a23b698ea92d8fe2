-- SPDX-License-Identifier: ISC
-- The number of the record in core's journal: a record that is sent again is recognised by it.
ALTER TABLE event ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
