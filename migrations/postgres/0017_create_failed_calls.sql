-- Records of the failure log: one for each call that failed, and one for each of its attempts that failed before another.

CREATE TABLE failed_calls (
    -- Of the call, as in usage_records. Not every failed call is there.
    id           UUID NOT NULL,
    -- Counts the records of one call.
    number       BIGINT NOT NULL,
    -- The call's own; false: an attempt's.
    is_final     BOOLEAN NOT NULL,
    started_at   BIGINT NOT NULL,
    user_id      UUID NOT NULL,
    key_id       UUID NOT NULL,
    provider_id  UUID,
    model        TEXT COLLATE "C" NOT NULL,
    session      TEXT,
    -- What the caller saw; of an attempt, what it got.
    status       BIGINT NOT NULL,
    error_type   TEXT COLLATE "C" NOT NULL,
    error_class  TEXT COLLATE "C" NOT NULL,
    duration_ms  BIGINT NOT NULL,
    node_id      TEXT NOT NULL,
    -- The line as it was logged.
    record       JSONB NOT NULL,
    PRIMARY KEY (id, number)
);
CREATE INDEX failed_calls_by_time ON failed_calls (started_at);
CREATE INDEX failed_calls_by_user ON failed_calls (user_id, id);
CREATE INDEX failed_calls_by_key ON failed_calls (key_id, id);
CREATE INDEX failed_calls_by_provider ON failed_calls (provider_id, id);
CREATE INDEX failed_calls_by_model ON failed_calls (model, id);
CREATE INDEX failed_calls_by_status ON failed_calls (status, id);
