-- What users, keys and providers have spent: counters of limits are rebuilt from this when they are lost.
--
-- Spend is booked at admitted_at, or started_at without one. All tables here grow in the transaction that inserts the
-- records, and by new records only.

-- When the call's limits were taken, by the clock that counts them.
ALTER TABLE usage_records ADD COLUMN admitted_at INTEGER;
CREATE INDEX usage_records_by_provider ON usage_records (provider_id, id);

CREATE TABLE spend_totals (
    subject_kind  TEXT NOT NULL CHECK (subject_kind IN ('key', 'user', 'provider')),
    subject_id    BLOB NOT NULL,
    total_nanousd INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
) STRICT, WITHOUT ROWID;

-- By minute, at least the last 35 days. Older ones are moved to spend_days, a whole day at a time.
CREATE TABLE spend_minutes (
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('key', 'user', 'provider')),
    subject_id   BLOB NOT NULL,
    -- The minute's first millisecond.
    minute       INTEGER NOT NULL,
    cost_nanousd INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, minute)
) STRICT, WITHOUT ROWID;
CREATE INDEX spend_minutes_by_minute ON spend_minutes (minute);

-- By UTC day.
CREATE TABLE spend_days (
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('key', 'user', 'provider')),
    subject_id   BLOB NOT NULL,
    -- The day's first millisecond.
    day          INTEGER NOT NULL,
    cost_nanousd INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, day)
) STRICT, WITHOUT ROWID;

-- Up to which number the records of a data plane's spool are in the ledger.
CREATE TABLE spool_marks (
    spool_id         BLOB NOT NULL PRIMARY KEY,
    through_sequence INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Commands to data planes, asked at a replica that holds no data plane's stream. They live for a minute.
CREATE TABLE node_commands (
    id         BLOB NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    request    BLOB NOT NULL,
    -- The replica that has given it to a data plane.
    taken_by   TEXT,
    node_id    TEXT,
    answer     BLOB
) STRICT;

-- What was spent before this release.
INSERT INTO spend_totals (subject_kind, subject_id, total_nanousd)
SELECT kind, id, SUM(cost)
FROM (
    SELECT 'key' AS kind, key_id AS id, cost_nanousd AS cost FROM usage_rollups
    UNION ALL SELECT 'user', user_id, cost_nanousd FROM usage_rollups
    UNION ALL SELECT 'provider', provider_id, cost_nanousd FROM usage_rollups
) spent
WHERE cost <> 0 AND id <> zeroblob(16)
GROUP BY kind, id;

INSERT INTO spend_days (subject_kind, subject_id, day, cost_nanousd)
SELECT kind, id, hour - hour % 86400000, SUM(cost)
FROM (
    SELECT 'key' AS kind, key_id AS id, hour, cost_nanousd AS cost FROM usage_rollups
    UNION ALL SELECT 'user', user_id, hour, cost_nanousd FROM usage_rollups
    UNION ALL SELECT 'provider', provider_id, hour, cost_nanousd FROM usage_rollups
) spent
WHERE cost <> 0 AND id <> zeroblob(16)
    AND hour < (CAST(strftime('%s', 'now') AS INTEGER) / 86400 - 35) * 86400000
GROUP BY kind, id, hour - hour % 86400000;

INSERT INTO spend_minutes (subject_kind, subject_id, minute, cost_nanousd)
SELECT kind, id, started_at - started_at % 60000, SUM(cost)
FROM (
    SELECT 'key' AS kind, key_id AS id, started_at, cost_nanousd AS cost FROM usage_records
    UNION ALL SELECT 'user', user_id, started_at, cost_nanousd FROM usage_records
    UNION ALL SELECT 'provider', provider_id, started_at, cost_nanousd FROM usage_records
) spent
WHERE cost <> 0 AND id IS NOT NULL
    AND started_at >= (CAST(strftime('%s', 'now') AS INTEGER) / 86400 - 35) * 86400000
GROUP BY kind, id, started_at - started_at % 60000;
