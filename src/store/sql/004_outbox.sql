-- SPDX-License-Identifier: ISC
-- Mail of Gatepost's own until a next hop has taken it. content: what differs between two letters of a
-- kind, sealed by the vault. What is done stays for a while without its content, so that nobody is told twice.
CREATE TABLE outbox (
	id %ID%,
	account_id BIGINT NOT NULL,
	recipient TEXT NOT NULL,
	kind TEXT NOT NULL,
	language TEXT NOT NULL,
	content %BYTES% NOT NULL,
	created_at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0,
	done_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE done_at = 0;
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at > 0;
CREATE INDEX outbox_account ON outbox (account_id, created_at);
