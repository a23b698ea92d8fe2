-- SPDX-License-Identifier: ISC
-- The recovery address that was in force before, for as long as it counts more than the one that took its place.
ALTER TABLE recovery_address ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE recovery_address ADD COLUMN former_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE recovery_address ADD COLUMN former_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX recovery_address_former ON recovery_address (former_until) WHERE former_until > 0;
