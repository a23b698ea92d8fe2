-- SPDX-License-Identifier: ISC
-- The wall clock may be moved. What still counts is known by the machine's steady clock too: boot
-- says which start of the machine that ran since (0: not known), steady what it showed, in seconds.
ALTER TABLE event ADD COLUMN boot BIGINT NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN steady BIGINT NOT NULL DEFAULT 0;
CREATE INDEX event_counted_steady ON event (boot, steady) WHERE counted > 0;
CREATE INDEX event_guess_steady ON event (boot, steady) WHERE guess = 1;

ALTER TABLE ban ADD COLUMN boot BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ban ADD COLUMN steady_until BIGINT NOT NULL DEFAULT 0;
