-- Cleaning of old records, and sums by which questions over months are answered fast.
--
-- All sums grow in the transaction that inserts the records, and by new records only. Cleaning leaves them alone.

-- How far each kind of record is cleaned.
CREATE TABLE retention_marks (
    kind           TEXT PRIMARY KEY,
    -- Of what is older than this nothing may be there any more.
    cleaned_before BIGINT NOT NULL,
    cleaned_at     BIGINT NOT NULL,
    -- In all, dropped partitions included.
    deleted        BIGINT NOT NULL
);

-- As usage_rollups, by UTC day.
CREATE TABLE usage_days (
    -- The day's first millisecond.
    day                    BIGINT NOT NULL,
    user_id                UUID NOT NULL,
    key_id                 UUID NOT NULL,
    -- All zeros: no provider was asked.
    provider_id            UUID NOT NULL,
    model                  TEXT COLLATE "C" NOT NULL,
    requests               BIGINT NOT NULL,
    rejected               BIGINT NOT NULL,
    unpriced_requests      BIGINT NOT NULL,
    input_tokens           BIGINT NOT NULL,
    output_tokens          BIGINT NOT NULL,
    cache_read_tokens      BIGINT NOT NULL,
    cache_write_tokens     BIGINT NOT NULL,
    cache_write_1h_tokens  BIGINT NOT NULL,
    cache_write_12h_tokens BIGINT NOT NULL,
    reasoning_tokens       BIGINT NOT NULL,
    web_searches           BIGINT NOT NULL,
    cost_nanousd           BIGINT NOT NULL,
    audio_input_tokens     BIGINT NOT NULL,
    image_input_tokens     BIGINT NOT NULL,
    audio_output_tokens    BIGINT NOT NULL,
    image_output_tokens    BIGINT NOT NULL,
    PRIMARY KEY (day, user_id, key_id, provider_id, model)
) WITH (fillfactor = 80);
CREATE INDEX usage_days_by_user ON usage_days (user_id, day);
CREATE INDEX usage_days_by_key ON usage_days (key_id, day);
CREATE INDEX usage_rollups_by_user ON usage_rollups (user_id, hour);
CREATE INDEX usage_rollups_by_key ON usage_rollups (key_id, hour);

-- By hour, provider and model, with how long calls took. Answered calls alone have times.
--
-- The times are counted in twelve buckets: duration_0 up to 250 ms, then 0.5, 1, 2, 4, 8, 15, 30, 60, 120 and 300 s, and the last one
-- beyond. The same for the time until the first byte.
CREATE TABLE usage_traffic (
    hour                   BIGINT NOT NULL,
    provider_id            UUID NOT NULL,
    model                  TEXT COLLATE "C" NOT NULL,
    requests               BIGINT NOT NULL,
    rejected               BIGINT NOT NULL,
    unpriced_requests      BIGINT NOT NULL,
    input_tokens           BIGINT NOT NULL,
    output_tokens          BIGINT NOT NULL,
    cache_read_tokens      BIGINT NOT NULL,
    cache_write_tokens     BIGINT NOT NULL,
    cache_write_1h_tokens  BIGINT NOT NULL,
    cache_write_12h_tokens BIGINT NOT NULL,
    reasoning_tokens       BIGINT NOT NULL,
    web_searches           BIGINT NOT NULL,
    cost_nanousd           BIGINT NOT NULL,
    audio_input_tokens     BIGINT NOT NULL,
    image_input_tokens     BIGINT NOT NULL,
    audio_output_tokens    BIGINT NOT NULL,
    image_output_tokens    BIGINT NOT NULL,
    -- Sum.
    duration_ms            BIGINT NOT NULL,
    duration_0             BIGINT NOT NULL,
    duration_1             BIGINT NOT NULL,
    duration_2             BIGINT NOT NULL,
    duration_3             BIGINT NOT NULL,
    duration_4             BIGINT NOT NULL,
    duration_5             BIGINT NOT NULL,
    duration_6             BIGINT NOT NULL,
    duration_7             BIGINT NOT NULL,
    duration_8             BIGINT NOT NULL,
    duration_9             BIGINT NOT NULL,
    duration_10            BIGINT NOT NULL,
    duration_11            BIGINT NOT NULL,
    first_byte_ms          BIGINT NOT NULL,
    first_byte_0           BIGINT NOT NULL,
    first_byte_1           BIGINT NOT NULL,
    first_byte_2           BIGINT NOT NULL,
    first_byte_3           BIGINT NOT NULL,
    first_byte_4           BIGINT NOT NULL,
    first_byte_5           BIGINT NOT NULL,
    first_byte_6           BIGINT NOT NULL,
    first_byte_7           BIGINT NOT NULL,
    first_byte_8           BIGINT NOT NULL,
    first_byte_9           BIGINT NOT NULL,
    first_byte_10          BIGINT NOT NULL,
    first_byte_11          BIGINT NOT NULL,
    PRIMARY KEY (hour, provider_id, model)
) WITH (fillfactor = 50);

-- By hour: how calls ended.
CREATE TABLE usage_outcomes (
    hour                   BIGINT NOT NULL,
    provider_id            UUID NOT NULL,
    model                  TEXT COLLATE "C" NOT NULL,
    outcome                TEXT COLLATE "C" NOT NULL,
    -- What the caller saw.
    status                 BIGINT NOT NULL,
    -- The business code; empty: none.
    code                   TEXT COLLATE "C" NOT NULL,
    calls                  BIGINT NOT NULL,
    -- Of them, with more than one attempt.
    retried                BIGINT NOT NULL,
    PRIMARY KEY (hour, provider_id, model, outcome, status, code)
) WITH (fillfactor = 50);

-- Single calls by what else they are asked for.
CREATE INDEX usage_records_by_session ON usage_records (session, id) WHERE session IS NOT NULL;
CREATE INDEX usage_records_by_model ON usage_records (model, id);
CREATE INDEX usage_records_by_status ON usage_records (status, id) WHERE status >= 400;
CREATE INDEX usage_records_by_outcome ON usage_records (outcome, id) WHERE outcome <> 'succeeded';

-- What was before this release. Sound and pictures were not told apart.
INSERT INTO usage_days
SELECT hour - hour % 86400000, user_id, key_id, provider_id, model,
    CAST(SUM(requests) AS BIGINT),
    CAST(SUM(rejected) AS BIGINT),
    CAST(SUM(unpriced_requests) AS BIGINT),
    CAST(SUM(input_tokens) AS BIGINT),
    CAST(SUM(output_tokens) AS BIGINT),
    CAST(SUM(cache_read_tokens) AS BIGINT),
    CAST(SUM(cache_write_tokens) AS BIGINT),
    CAST(SUM(cache_write_1h_tokens) AS BIGINT),
    CAST(SUM(cache_write_12h_tokens) AS BIGINT),
    CAST(SUM(reasoning_tokens) AS BIGINT),
    CAST(SUM(web_searches) AS BIGINT),
    CAST(SUM(cost_nanousd) AS BIGINT),
    0, 0, 0, 0
FROM usage_rollups GROUP BY 1, 2, 3, 4, 5 ORDER BY 1;

INSERT INTO usage_traffic
SELECT hour, provider_id, model,
    CAST(SUM(requests) AS BIGINT),
    CAST(SUM(rejected) AS BIGINT),
    CAST(SUM(unpriced_requests) AS BIGINT),
    CAST(SUM(input_tokens) AS BIGINT),
    CAST(SUM(output_tokens) AS BIGINT),
    CAST(SUM(cache_read_tokens) AS BIGINT),
    CAST(SUM(cache_write_tokens) AS BIGINT),
    CAST(SUM(cache_write_1h_tokens) AS BIGINT),
    CAST(SUM(cache_write_12h_tokens) AS BIGINT),
    CAST(SUM(reasoning_tokens) AS BIGINT),
    CAST(SUM(web_searches) AS BIGINT),
    CAST(SUM(cost_nanousd) AS BIGINT),
    0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM usage_rollups GROUP BY 1, 2, 3 ORDER BY 1;

INSERT INTO usage_outcomes
SELECT started_at - started_at % 3600000, COALESCE(provider_id, CAST('00000000-0000-0000-0000-000000000000' AS UUID)), model, outcome, status,
    COALESCE(code, ''), COUNT(*), CAST(SUM(CASE WHEN attempts > 1 THEN 1 ELSE 0 END) AS BIGINT)
FROM usage_records GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1;

UPDATE usage_traffic SET
    duration_ms = timed.duration_ms,
    duration_0 = timed.duration_0,
    duration_1 = timed.duration_1,
    duration_2 = timed.duration_2,
    duration_3 = timed.duration_3,
    duration_4 = timed.duration_4,
    duration_5 = timed.duration_5,
    duration_6 = timed.duration_6,
    duration_7 = timed.duration_7,
    duration_8 = timed.duration_8,
    duration_9 = timed.duration_9,
    duration_10 = timed.duration_10,
    duration_11 = timed.duration_11,
    first_byte_ms = timed.first_byte_ms,
    first_byte_0 = timed.first_byte_0,
    first_byte_1 = timed.first_byte_1,
    first_byte_2 = timed.first_byte_2,
    first_byte_3 = timed.first_byte_3,
    first_byte_4 = timed.first_byte_4,
    first_byte_5 = timed.first_byte_5,
    first_byte_6 = timed.first_byte_6,
    first_byte_7 = timed.first_byte_7,
    first_byte_8 = timed.first_byte_8,
    first_byte_9 = timed.first_byte_9,
    first_byte_10 = timed.first_byte_10,
    first_byte_11 = timed.first_byte_11
FROM (
    SELECT started_at - started_at % 3600000 AS hour, provider_id, model,
        CAST(SUM(duration_ms) AS BIGINT) AS duration_ms,
        CAST(SUM(CASE WHEN duration_ms <= 250 THEN 1 ELSE 0 END) AS BIGINT) AS duration_0,
        CAST(SUM(CASE WHEN duration_ms > 250 AND duration_ms <= 500 THEN 1 ELSE 0 END) AS BIGINT) AS duration_1,
        CAST(SUM(CASE WHEN duration_ms > 500 AND duration_ms <= 1000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_2,
        CAST(SUM(CASE WHEN duration_ms > 1000 AND duration_ms <= 2000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_3,
        CAST(SUM(CASE WHEN duration_ms > 2000 AND duration_ms <= 4000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_4,
        CAST(SUM(CASE WHEN duration_ms > 4000 AND duration_ms <= 8000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_5,
        CAST(SUM(CASE WHEN duration_ms > 8000 AND duration_ms <= 15000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_6,
        CAST(SUM(CASE WHEN duration_ms > 15000 AND duration_ms <= 30000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_7,
        CAST(SUM(CASE WHEN duration_ms > 30000 AND duration_ms <= 60000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_8,
        CAST(SUM(CASE WHEN duration_ms > 60000 AND duration_ms <= 120000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_9,
        CAST(SUM(CASE WHEN duration_ms > 120000 AND duration_ms <= 300000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_10,
        CAST(SUM(CASE WHEN duration_ms > 300000 THEN 1 ELSE 0 END) AS BIGINT) AS duration_11,
        CAST(SUM(COALESCE(first_byte_ms, 0)) AS BIGINT) AS first_byte_ms,
        CAST(SUM(CASE WHEN first_byte_ms <= 250 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_0,
        CAST(SUM(CASE WHEN first_byte_ms > 250 AND first_byte_ms <= 500 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_1,
        CAST(SUM(CASE WHEN first_byte_ms > 500 AND first_byte_ms <= 1000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_2,
        CAST(SUM(CASE WHEN first_byte_ms > 1000 AND first_byte_ms <= 2000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_3,
        CAST(SUM(CASE WHEN first_byte_ms > 2000 AND first_byte_ms <= 4000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_4,
        CAST(SUM(CASE WHEN first_byte_ms > 4000 AND first_byte_ms <= 8000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_5,
        CAST(SUM(CASE WHEN first_byte_ms > 8000 AND first_byte_ms <= 15000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_6,
        CAST(SUM(CASE WHEN first_byte_ms > 15000 AND first_byte_ms <= 30000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_7,
        CAST(SUM(CASE WHEN first_byte_ms > 30000 AND first_byte_ms <= 60000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_8,
        CAST(SUM(CASE WHEN first_byte_ms > 60000 AND first_byte_ms <= 120000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_9,
        CAST(SUM(CASE WHEN first_byte_ms > 120000 AND first_byte_ms <= 300000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_10,
        CAST(SUM(CASE WHEN first_byte_ms > 300000 THEN 1 ELSE 0 END) AS BIGINT) AS first_byte_11
    FROM usage_records
    WHERE provider_id IS NOT NULL AND outcome IN ('succeeded', 'upstream_error', 'interrupted', 'client_abort')
    GROUP BY 1, 2, 3
) AS timed
WHERE usage_traffic.hour = timed.hour AND usage_traffic.provider_id = timed.provider_id AND usage_traffic.model = timed.model;
