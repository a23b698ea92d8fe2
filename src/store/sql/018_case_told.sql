-- SPDX-License-Identifier: ISC
-- When staff were mailed that the case waits for them; 0: not yet.
ALTER TABLE sending_case ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sending_case_told ON sending_case (told_at) WHERE told_at > 0;
