-- The ledger. It does not refer to the configuration: a deleted user's calls stay.
-- Partitioned by the time inside the UUIDv7 ids, so that a record that is sent twice meets the same unique key.

CREATE TABLE usage_records (
    id                     UUID PRIMARY KEY,
    started_at             BIGINT NOT NULL,
    user_id                UUID NOT NULL,
    key_id                 UUID NOT NULL,
    provider_id            UUID,
    dialect                TEXT NOT NULL,
    model                  TEXT NOT NULL,
    model_served           TEXT NOT NULL,
    stream                 BOOLEAN NOT NULL,
    status                 BIGINT NOT NULL,
    outcome                TEXT NOT NULL,
    code                   TEXT,
    input_tokens           BIGINT NOT NULL,
    output_tokens          BIGINT NOT NULL,
    cache_read_tokens      BIGINT NOT NULL,
    cache_write_tokens     BIGINT NOT NULL,
    cache_write_1h_tokens  BIGINT NOT NULL,
    cache_write_12h_tokens BIGINT NOT NULL,
    reasoning_tokens       BIGINT NOT NULL,
    web_searches           BIGINT NOT NULL,
    tier                   TEXT NOT NULL,
    factors                JSONB NOT NULL,
    estimated              BOOLEAN NOT NULL,
    cost_nanousd           BIGINT NOT NULL,
    price_name             TEXT,
    price_version          BIGINT,
    cost_multiplier        BIGINT NOT NULL,
    duration_ms            BIGINT NOT NULL,
    first_byte_ms          BIGINT,
    attempts               BIGINT NOT NULL,
    session                TEXT,
    revision               BIGINT NOT NULL,
    node_id                TEXT NOT NULL,
    upstream_request_id    TEXT,
    unpriced               TEXT,
    CHECK ((price_name IS NULL) = (price_version IS NULL))
) PARTITION BY RANGE (id);
CREATE INDEX usage_records_by_user ON usage_records (user_id, id);
CREATE INDEX usage_records_by_key ON usage_records (key_id, id);

CREATE TABLE usage_records_default PARTITION OF usage_records DEFAULT;

-- Sums by hour and subject. They grow only by records that are new to usage_records.
CREATE TABLE usage_rollups (
    -- The hour's first millisecond.
    hour                   BIGINT NOT NULL,
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
    PRIMARY KEY (hour, user_id, key_id, provider_id, model)
);

-- The lowest id of a UUIDv7 of this millisecond or later.
CREATE FUNCTION usage_first_id(unix_ms BIGINT) RETURNS UUID
LANGUAGE sql IMMUTABLE STRICT
AS $$ SELECT rpad(lpad(to_hex(unix_ms), 12, '0'), 32, '0')::uuid $$;

-- Makes the partition of the month that holds the instant, unless it is there. Records of that month that went to the
-- default partition meanwhile are moved, with the default partition locked until the end of the transaction.
CREATE FUNCTION usage_add_partition(at_ms BIGINT) RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    month    TIMESTAMP := date_trunc('month', to_timestamp(at_ms / 1000.0) AT TIME ZONE 'UTC');
    name     TEXT := 'usage_records_' || to_char(month, 'YYYY_MM');
    from_id  UUID := usage_first_id((extract(epoch FROM month) * 1000)::bigint);
    to_id    UUID := usage_first_id((extract(epoch FROM month + INTERVAL '1 month') * 1000)::bigint);
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE usage_records INCLUDING ALL)', name);
    LOCK TABLE usage_records_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format(
        'WITH moved AS (DELETE FROM usage_records_default WHERE id >= %L AND id < %L RETURNING *) '
        'INSERT INTO %I SELECT * FROM moved',
        from_id, to_id, name
    );
    EXECUTE format('ALTER TABLE usage_records ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, from_id, to_id);
END
$$;

-- Makes the partitions of the month that holds the instant and of the two after it. One session at a time.
CREATE FUNCTION usage_prepare_partitions(now_ms BIGINT) RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    month TIMESTAMP := date_trunc('month', to_timestamp(now_ms / 1000.0) AT TIME ZONE 'UTC');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('penstock.usage_prepare_partitions'));
    FOR ahead IN 0..2 LOOP
        PERFORM usage_add_partition((extract(epoch FROM month + ahead * INTERVAL '1 month') * 1000)::bigint);
    END LOOP;
END
$$;
