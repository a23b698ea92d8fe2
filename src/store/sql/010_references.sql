-- SPDX-License-Identifier: ISC
-- What people read out when they were refused (base/reference.h). Good sign-ins have none: 0.
ALTER TABLE event ADD COLUMN reference BIGINT NOT NULL DEFAULT 0;
CREATE INDEX event_reference ON event (reference) WHERE reference > 0;

-- origin: the number that a ban's reference is made from.
ALTER TABLE ban ADD COLUMN origin BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ban ADD COLUMN reference BIGINT NOT NULL DEFAULT 0;
CREATE INDEX ban_reference ON ban (reference);
