-- SPDX-License-Identifier: ISC
-- API tokens of hosting panels: who holds one may what its role, scopes and domains say. tag: a keyed
-- tag of the token, which itself is nowhere. Lists have a space between.
CREATE TABLE token (
	id %ID%,
	tag %BYTES% NOT NULL UNIQUE,
	name TEXT NOT NULL,
	role TEXT NOT NULL,
	scopes TEXT NOT NULL,
	domains TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL DEFAULT 0
);
