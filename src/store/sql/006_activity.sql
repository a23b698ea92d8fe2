-- SPDX-License-Identifier: ISC
-- What tells people which of their devices is refused, and why.

-- The main passwords an account had before, as Argon2id hashes; changed_at: when each was replaced.
CREATE TABLE old_password (
	id %ID%,
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	hash TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);
CREATE INDEX old_password_account ON old_password (account_id, id);

-- What a refused main password turned out to be when it was compared with those: changed_at is that
-- of the one it is, or 0. The last finding for each place and protocol.
CREATE TABLE finding (
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	source TEXT NOT NULL,
	protocol TEXT NOT NULL,
	session TEXT NOT NULL,
	at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, source, protocol)
);
CREATE INDEX finding_at ON finding (at);
