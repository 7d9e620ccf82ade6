-- What users, keys and providers have spent: counters of limits are rebuilt from this when they are lost.
--
-- Spend is booked at admitted_at, or started_at without one. All tables here grow in the transaction that inserts the
-- records, and by new records only.

-- When the call's limits were taken, by the clock that counts them.
ALTER TABLE usage_records ADD COLUMN admitted_at BIGINT;
CREATE INDEX usage_records_by_provider ON usage_records (provider_id, id);

CREATE TABLE spend_totals (
    subject_kind  TEXT COLLATE "C" NOT NULL CHECK (subject_kind IN ('key', 'user', 'provider')),
    subject_id    UUID NOT NULL,
    total_nanousd BIGINT NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
) WITH (fillfactor = 50);

-- By minute, at least the last 35 days. Older ones are moved to spend_days, a whole day at a time.
CREATE TABLE spend_minutes (
    subject_kind TEXT COLLATE "C" NOT NULL CHECK (subject_kind IN ('key', 'user', 'provider')),
    subject_id   UUID NOT NULL,
    -- The minute's first millisecond.
    minute       BIGINT NOT NULL,
    cost_nanousd BIGINT NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, minute)
) WITH (fillfactor = 80);
CREATE INDEX spend_minutes_by_minute ON spend_minutes (minute);

-- By UTC day.
CREATE TABLE spend_days (
    subject_kind TEXT COLLATE "C" NOT NULL CHECK (subject_kind IN ('key', 'user', 'provider')),
    subject_id   UUID NOT NULL,
    -- The day's first millisecond.
    day          BIGINT NOT NULL,
    cost_nanousd BIGINT NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, day)
);

-- Up to which number the records of a data plane's spool are in the ledger.
CREATE TABLE spool_marks (
    spool_id         UUID PRIMARY KEY,
    through_sequence BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Commands to data planes, asked at a replica that holds no data plane's stream. They live for a minute.
CREATE TABLE node_commands (
    id         UUID PRIMARY KEY,
    created_at BIGINT NOT NULL,
    request    BYTEA NOT NULL,
    -- The replica that has given it to a data plane.
    taken_by   TEXT,
    node_id    TEXT,
    answer     BYTEA
);

-- What was spent before this release.
INSERT INTO spend_totals (subject_kind, subject_id, total_nanousd)
SELECT kind, id, CAST(SUM(cost) AS BIGINT)
FROM (
    SELECT 'key' AS kind, key_id AS id, cost_nanousd AS cost FROM usage_rollups
    UNION ALL SELECT 'user', user_id, cost_nanousd FROM usage_rollups
    UNION ALL SELECT 'provider', provider_id, cost_nanousd FROM usage_rollups
) spent
WHERE cost <> 0 AND id <> '00000000-0000-0000-0000-000000000000'
GROUP BY kind, id;

INSERT INTO spend_days (subject_kind, subject_id, day, cost_nanousd)
SELECT kind, id, hour - hour % 86400000, CAST(SUM(cost) AS BIGINT)
FROM (
    SELECT 'key' AS kind, key_id AS id, hour, cost_nanousd AS cost FROM usage_rollups
    UNION ALL SELECT 'user', user_id, hour, cost_nanousd FROM usage_rollups
    UNION ALL SELECT 'provider', provider_id, hour, cost_nanousd FROM usage_rollups
) spent
WHERE cost <> 0 AND id <> '00000000-0000-0000-0000-000000000000'
    AND hour < (CAST(extract(epoch FROM now()) AS BIGINT) / 86400 - 35) * 86400000
GROUP BY kind, id, hour - hour % 86400000;

-- Two days more of ids than of times: the time inside an id is about that of the call.
INSERT INTO spend_minutes (subject_kind, subject_id, minute, cost_nanousd)
SELECT kind, subject.id, started_at - started_at % 60000, CAST(SUM(cost_nanousd) AS BIGINT)
FROM usage_records
CROSS JOIN LATERAL (VALUES ('key', key_id), ('user', user_id), ('provider', provider_id)) AS subject (kind, id)
WHERE cost_nanousd <> 0 AND subject.id IS NOT NULL
    AND started_at >= (CAST(extract(epoch FROM now()) AS BIGINT) / 86400 - 35) * 86400000
    AND usage_records.id >= usage_first_id((CAST(extract(epoch FROM now()) AS BIGINT) / 86400 - 37) * 86400000)
GROUP BY kind, subject.id, started_at - started_at % 60000;
