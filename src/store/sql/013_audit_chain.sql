-- SPDX-License-Identifier: ISC
-- The audit is a chain: each record's hash covers the one before. The head tells the last record, so that none
-- can be cut off; first: the last record from before there was a chain.
ALTER TABLE audit ADD COLUMN hash %BYTES%;

CREATE TABLE audit_head (
	id INTEGER NOT NULL PRIMARY KEY,
	first_id BIGINT NOT NULL,
	last_id BIGINT NOT NULL,
	hash %BYTES%,
	seal %BYTES%
);
INSERT INTO audit_head (id, first_id, last_id)
SELECT 1, COALESCE(MAX(id), 0), COALESCE(MAX(id), 0) FROM audit;

%APPEND_ONLY_AUDIT%
