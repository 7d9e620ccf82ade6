-- Records of the failure log: one for each call that failed, and one for each of its attempts that failed before another.

CREATE TABLE failed_calls (
    -- Of the call, as in usage_records. Not every failed call is there.
    id           BLOB NOT NULL CHECK (length(id) = 16),
    -- Counts the records of one call.
    number       INTEGER NOT NULL,
    -- The call's own; 0: an attempt's.
    is_final     INTEGER NOT NULL CHECK (is_final IN (0, 1)),
    started_at   INTEGER NOT NULL,
    user_id      BLOB NOT NULL,
    key_id       BLOB NOT NULL,
    provider_id  BLOB,
    model        TEXT NOT NULL,
    session      TEXT,
    -- What the caller saw; of an attempt, what it got.
    status       INTEGER NOT NULL,
    error_type   TEXT NOT NULL,
    error_class  TEXT NOT NULL,
    duration_ms  INTEGER NOT NULL,
    node_id      TEXT NOT NULL,
    -- The line as it was logged.
    record       TEXT NOT NULL CHECK (json_valid(record)),
    PRIMARY KEY (id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX failed_calls_by_time ON failed_calls (started_at);
CREATE INDEX failed_calls_by_user ON failed_calls (user_id, id);
CREATE INDEX failed_calls_by_key ON failed_calls (key_id, id);
CREATE INDEX failed_calls_by_provider ON failed_calls (provider_id, id);
CREATE INDEX failed_calls_by_model ON failed_calls (model, id);
CREATE INDEX failed_calls_by_status ON failed_calls (status, id);
