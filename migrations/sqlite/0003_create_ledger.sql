-- The ledger. It does not refer to the configuration: a deleted user's calls stay.

CREATE TABLE usage_records (
    id                     BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    started_at             INTEGER NOT NULL,
    user_id                BLOB NOT NULL,
    key_id                 BLOB NOT NULL,
    provider_id            BLOB,
    dialect                TEXT NOT NULL,
    model                  TEXT NOT NULL,
    model_served           TEXT NOT NULL,
    stream                 INTEGER NOT NULL CHECK (stream IN (0, 1)),
    status                 INTEGER NOT NULL,
    outcome                TEXT NOT NULL,
    code                   TEXT,
    input_tokens           INTEGER NOT NULL,
    output_tokens          INTEGER NOT NULL,
    cache_read_tokens      INTEGER NOT NULL,
    cache_write_tokens     INTEGER NOT NULL,
    cache_write_1h_tokens  INTEGER NOT NULL,
    cache_write_12h_tokens INTEGER NOT NULL,
    reasoning_tokens       INTEGER NOT NULL,
    web_searches           INTEGER NOT NULL,
    tier                   TEXT NOT NULL,
    factors                TEXT NOT NULL CHECK (json_valid(factors)),
    estimated              INTEGER NOT NULL CHECK (estimated IN (0, 1)),
    cost_nanousd           INTEGER NOT NULL,
    price_name             TEXT,
    price_version          INTEGER,
    cost_multiplier        INTEGER NOT NULL,
    duration_ms            INTEGER NOT NULL,
    first_byte_ms          INTEGER,
    attempts               INTEGER NOT NULL,
    session                TEXT,
    revision               INTEGER NOT NULL,
    node_id                TEXT NOT NULL,
    upstream_request_id    TEXT,
    unpriced               TEXT,
    CHECK ((price_name IS NULL) = (price_version IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_records_by_user ON usage_records (user_id, id);
CREATE INDEX usage_records_by_key ON usage_records (key_id, id);

-- Sums by hour and subject. They grow only by records that are new to usage_records.
CREATE TABLE usage_rollups (
    -- The hour's first millisecond.
    hour                   INTEGER NOT NULL,
    user_id                BLOB NOT NULL,
    key_id                 BLOB NOT NULL,
    -- All zeros: no provider was asked.
    provider_id            BLOB NOT NULL,
    model                  TEXT NOT NULL,
    requests               INTEGER NOT NULL,
    rejected               INTEGER NOT NULL,
    unpriced_requests      INTEGER NOT NULL,
    input_tokens           INTEGER NOT NULL,
    output_tokens          INTEGER NOT NULL,
    cache_read_tokens      INTEGER NOT NULL,
    cache_write_tokens     INTEGER NOT NULL,
    cache_write_1h_tokens  INTEGER NOT NULL,
    cache_write_12h_tokens INTEGER NOT NULL,
    reasoning_tokens       INTEGER NOT NULL,
    web_searches           INTEGER NOT NULL,
    cost_nanousd           INTEGER NOT NULL,
    PRIMARY KEY (hour, user_id, key_id, provider_id, model)
) STRICT, WITHOUT ROWID;
