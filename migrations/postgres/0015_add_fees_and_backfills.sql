-- Fees for answered calls, and backfills: costs counted again with other prices.

-- Nano-USD.
ALTER TABLE model_prices ADD COLUMN request_fee BIGINT NOT NULL DEFAULT 0 CHECK (request_fee >= 0);

CREATE TABLE price_backfills (
    id              UUID PRIMARY KEY,
    actor           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    started_at      BIGINT NOT NULL,
    -- NULL: under way, or broken off.
    finished_at     BIGINT,
    range_from      BIGINT NOT NULL,
    range_to        BIGINT NOT NULL,
    -- NULL: all.
    model           TEXT,
    provider_id     UUID,
    -- The last record that was looked at. NULL: none yet.
    through_id      UUID,
    scanned         BIGINT NOT NULL,
    changed         BIGINT NOT NULL,
    skipped         BIGINT NOT NULL,
    before_nanousd  BIGINT NOT NULL,
    after_nanousd   BIGINT NOT NULL
);
