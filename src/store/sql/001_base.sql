-- SPDX-License-Identifier: ISC
-- Written once for SQLite and PostgreSQL. %ID% is the engine's way to number rows itself, never giving
-- a number twice; %BYTES% its type for bytes. Times are seconds since 1970, flags 0 or 1.

CREATE TABLE domain (
	id %ID%,
	name TEXT NOT NULL UNIQUE,
	alias_of BIGINT REFERENCES domain (id),
	created_at BIGINT NOT NULL
);
CREATE INDEX domain_alias ON domain (alias_of);

CREATE TABLE account (
	id %ID%,
	domain_id BIGINT NOT NULL REFERENCES domain (id),
	address TEXT NOT NULL UNIQUE,
	role TEXT NOT NULL,
	route TEXT NOT NULL,
	password TEXT NOT NULL,
	password_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	is_off INTEGER NOT NULL DEFAULT 0,
	blocked_at BIGINT NOT NULL DEFAULT 0,
	block_reason TEXT NOT NULL DEFAULT '',
	twofactor_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX account_domain ON account (domain_id);

-- An address is an account's own or an alias, never both: the store sees to it.
CREATE TABLE alias (
	address TEXT NOT NULL PRIMARY KEY,
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE
);
CREATE INDEX alias_account ON alias (account_id);

CREATE TABLE device (
	id %ID%,
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	tag %BYTES% NOT NULL,
	name TEXT NOT NULL,
	scopes INTEGER NOT NULL,
	created_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL DEFAULT 0,
	used_from TEXT NOT NULL DEFAULT '',
	UNIQUE (account_id, tag)
);

CREATE TABLE ban (
	source TEXT NOT NULL PRIMARY KEY,
	set_at BIGINT NOT NULL,
	until_at BIGINT NOT NULL,
	reason TEXT NOT NULL
);

-- Sign-in events outlive the account and the device they name.
CREATE TABLE event (
	id %ID%,
	at BIGINT NOT NULL,
	session TEXT NOT NULL,
	client TEXT NOT NULL,
	client_port INTEGER NOT NULL,
	source TEXT NOT NULL,
	service TEXT NOT NULL,
	mechanism TEXT NOT NULL,
	verdict TEXT NOT NULL,
	reason TEXT NOT NULL,
	counted INTEGER NOT NULL,
	account_id BIGINT NOT NULL,
	device_id BIGINT NOT NULL,
	login TEXT NOT NULL,
	client_name TEXT NOT NULL,
	tls TEXT NOT NULL,
	detail TEXT NOT NULL
);
CREATE INDEX event_at ON event (at);
CREATE INDEX event_source ON event (source, id);
CREATE INDEX event_account ON event (account_id, id);
CREATE INDEX event_counted ON event (at) WHERE counted = 1;

CREATE TABLE audit (
	id %ID%,
	at BIGINT NOT NULL,
	actor TEXT NOT NULL,
	operation TEXT NOT NULL,
	account_id BIGINT NOT NULL,
	account TEXT NOT NULL,
	detail TEXT NOT NULL
);
CREATE INDEX audit_account ON audit (account, id);

-- Where an import is gathered before it becomes accounts in one step.
CREATE TABLE staged_account (
	address TEXT NOT NULL PRIMARY KEY,
	domain TEXT NOT NULL,
	role TEXT NOT NULL,
	route TEXT NOT NULL,
	password TEXT NOT NULL,
	is_off INTEGER NOT NULL
);
CREATE TABLE staged_alias (
	address TEXT NOT NULL PRIMARY KEY,
	domain TEXT NOT NULL,
	account TEXT NOT NULL
);
CREATE INDEX staged_alias_account ON staged_alias (account);
