-- SPDX-License-Identifier: ISC
-- Answers to creations that were asked for under an idempotency key: who asks again under the same key
-- gets the same answer, and nothing is created twice. answer: sealed.
CREATE TABLE replay (
	actor TEXT NOT NULL,
	idempotency TEXT NOT NULL,
	request %BYTES% NOT NULL,
	answer %BYTES% NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (actor, idempotency)
);
CREATE INDEX replay_at ON replay (at);
