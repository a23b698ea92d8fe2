-- SPDX-License-Identifier: ISC
-- Accounts that were stopped from sending: what for, what their owners answered, and who let them go on. An account has
-- one open case at most. proof_portal: the session at the portal that gave the proof.
CREATE TABLE sending_case (
	id %ID%,
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	kind TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	began_at BIGINT NOT NULL,
	reason TEXT NOT NULL,
	session TEXT NOT NULL DEFAULT '',
	device_id BIGINT NOT NULL DEFAULT 0,
	opened_by TEXT NOT NULL DEFAULT '',
	is_repeat INTEGER NOT NULL DEFAULT 0,
	is_for_staff INTEGER NOT NULL DEFAULT 0,
	answer TEXT NOT NULL DEFAULT '',
	answered_at BIGINT NOT NULL DEFAULT 0,
	proof TEXT NOT NULL DEFAULT '',
	proof_at BIGINT NOT NULL DEFAULT 0,
	proof_portal BIGINT NOT NULL DEFAULT 0,
	wrong INTEGER NOT NULL DEFAULT 0,
	password_at BIGINT NOT NULL DEFAULT 0,
	closed_at BIGINT NOT NULL DEFAULT 0,
	closed_by TEXT NOT NULL DEFAULT '',
	outcome TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX sending_case_open ON sending_case (account_id) WHERE closed_at = 0;
CREATE INDEX sending_case_account ON sending_case (account_id, id);

-- Where the abuse came from.
CREATE TABLE sending_case_source (
	case_id BIGINT NOT NULL REFERENCES sending_case (id) ON DELETE CASCADE,
	source TEXT NOT NULL,
	PRIMARY KEY (case_id, source)
);

-- What proves something once: a link or a code that was mailed, a code that the hosting panel shows. portal: the one
-- session that may use it, 0 for any.
CREATE TABLE sending_secret (
	tag %BYTES% NOT NULL PRIMARY KEY,
	case_id BIGINT NOT NULL REFERENCES sending_case (id) ON DELETE CASCADE,
	kind TEXT NOT NULL,
	portal BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sending_secret_case ON sending_secret (case_id, kind);

-- Whoever is blocked by now can find a way out, too.
INSERT INTO sending_case (account_id, kind, opened_at, began_at, reason)
	SELECT id, 'block', blocked_at, blocked_at, block_reason FROM account WHERE blocked_at > 0;
