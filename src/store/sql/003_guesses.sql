-- SPDX-License-Identifier: ISC
-- Guesses that count against an account, failures that weigh more than one, and the sources from
-- which an account has signed in.

-- counted is the weight of the failure now; guess says that it counts against the account.
ALTER TABLE event ADD COLUMN guess INTEGER NOT NULL DEFAULT 0;
DROP INDEX event_counted;
CREATE INDEX event_counted ON event (at) WHERE counted > 0;
CREATE INDEX event_guess ON event (at) WHERE guess = 1;

CREATE TABLE known_source (
	account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	source TEXT NOT NULL,
	first_at BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, source)
);
CREATE INDEX known_source_last ON known_source (last_at);

INSERT INTO known_source (account_id, source, first_at, last_at)
SELECT account_id, source, MIN(at), MAX(at) FROM event
WHERE verdict = 'ok' AND source <> 'none' AND account_id IN (SELECT id FROM account)
GROUP BY account_id, source;
