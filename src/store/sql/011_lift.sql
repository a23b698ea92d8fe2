-- SPDX-License-Identifier: ISC
-- Bans that people lifted for themselves: how often one may is counted by account and by source.
CREATE TABLE ban_lift (
	id %ID%,
	at BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	source TEXT NOT NULL
);
CREATE INDEX ban_lift_at ON ban_lift (at);
