-- SPDX-License-Identifier: ISC
-- Links that set up one device of an account, good once and for minutes; name: what the device will be called.
CREATE TABLE setup_link (
	tag %BYTES% NOT NULL PRIMARY KEY,
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX setup_link_account ON setup_link (account_id);
CREATE INDEX setup_link_expires ON setup_link (expires_at);
