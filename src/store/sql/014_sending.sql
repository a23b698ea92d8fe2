-- SPDX-License-Identifier: ISC
-- How each account sends (policy/profile.h, packed), who else it may send as, and what it has sent.
CREATE TABLE sending_profile (
	account_id BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	packed %BYTES% NOT NULL,
	saved_at BIGINT NOT NULL
);

-- Addresses (@domain: all of it) that an account, or every account of a domain, may send as. One of the two is 0.
CREATE TABLE sender (
	id %ID%,
	account_id BIGINT NOT NULL,
	domain_id BIGINT NOT NULL,
	address TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	UNIQUE (account_id, domain_id, address)
);
CREATE INDEX sender_domain ON sender (domain_id);

-- One row for each transaction; for what was refused before it came to one, a row for each session and outcome. They outlive
-- the account. subject is sealed; number is as in event.
CREATE TABLE sent (
	id %ID%,
	at BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	domain_id BIGINT NOT NULL,
	session TEXT NOT NULL,
	device_id BIGINT NOT NULL,
	client TEXT NOT NULL,
	source TEXT NOT NULL,
	country TEXT NOT NULL,
	client_name TEXT NOT NULL,
	sender TEXT NOT NULL,
	subject %BYTES% NOT NULL,
	recipients BIGINT NOT NULL,
	strangers BIGINT NOT NULL,
	size BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	number BIGINT NOT NULL
);
CREATE INDEX sent_at ON sent (at);
CREATE INDEX sent_account ON sent (account_id, at);
CREATE INDEX sent_domain ON sent (domain_id, at);
CREATE INDEX sent_source ON sent (source, at);
