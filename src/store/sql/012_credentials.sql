-- SPDX-License-Identifier: ISC
-- Which domains a domain-admin is for, the language of letters to an account, what last used a device password,
-- recovery addresses, and what is good once.
ALTER TABLE account ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN used_service TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN used_client TEXT NOT NULL DEFAULT '';

CREATE TABLE role_domain (
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	domain_id BIGINT NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
	PRIMARY KEY (account_id, domain_id)
);
CREATE INDEX role_domain_domain ON role_domain (domain_id);

-- address is in force once confirmed; pending is the one whose code is awaited.
CREATE TABLE recovery_address (
	account_id BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	address TEXT NOT NULL DEFAULT '',
	confirmed_at BIGINT NOT NULL DEFAULT 0,
	pending TEXT NOT NULL DEFAULT '',
	pending_tag %BYTES%,
	pending_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE link_once (
	tag %BYTES% NOT NULL PRIMARY KEY,
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX link_once_account ON link_once (account_id);
CREATE INDEX link_once_expires ON link_once (expires_at);
