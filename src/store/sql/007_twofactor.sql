-- SPDX-License-Identifier: ISC
-- Two-factor sign-in. A row is there while it is on, being set up, or to be set up anew; account.twofactor_at
-- says whether it is on.

CREATE TABLE twofactor (
	account_id BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	secret %BYTES%,
	used_step BIGINT NOT NULL DEFAULT 0,
	wrong INTEGER NOT NULL DEFAULT 0,
	pending %BYTES%,
	pending_at BIGINT NOT NULL DEFAULT 0,
	pending_wrong INTEGER NOT NULL DEFAULT 0,
	removal_due_at BIGINT NOT NULL DEFAULT 0,
	must_twofactor INTEGER NOT NULL DEFAULT 0,
	must_password INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX twofactor_removal ON twofactor (removal_due_at) WHERE removal_due_at > 0;

CREATE TABLE recovery_code (
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	tag %BYTES% NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, tag)
);
