-- Fees for answered calls, and backfills: costs counted again with other prices.

-- Nano-USD.
ALTER TABLE model_prices ADD COLUMN request_fee INTEGER NOT NULL DEFAULT 0 CHECK (request_fee >= 0);

CREATE TABLE price_backfills (
    id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    actor           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    started_at      INTEGER NOT NULL,
    -- NULL: under way, or broken off.
    finished_at     INTEGER,
    range_from      INTEGER NOT NULL,
    range_to        INTEGER NOT NULL,
    -- NULL: all.
    model           TEXT,
    provider_id     BLOB,
    -- The last record that was looked at. NULL: none yet.
    through_id      BLOB,
    scanned         INTEGER NOT NULL,
    changed         INTEGER NOT NULL,
    skipped         INTEGER NOT NULL,
    before_nanousd  INTEGER NOT NULL,
    after_nanousd   INTEGER NOT NULL
) STRICT;
