-- The configuration at its head. Times are Unix milliseconds, ids UUIDv7, money integers. Names sort bytewise, as they
-- do on SQLite.

CREATE TABLE users (
    id              UUID PRIMARY KEY,
    name            TEXT COLLATE "C" NOT NULL UNIQUE,
    enabled         BOOLEAN NOT NULL,
    expires_at      BIGINT,
    tags            JSONB NOT NULL CHECK (jsonb_typeof(tags) = 'array'),
    provider_groups JSONB NOT NULL CHECK (jsonb_typeof(provider_groups) = 'array'),
    allowed_models  JSONB NOT NULL CHECK (jsonb_typeof(allowed_models) = 'array'),
    blocked_models  JSONB NOT NULL CHECK (jsonb_typeof(blocked_models) = 'array'),
    version         BIGINT NOT NULL CHECK (version > 0),
    min_schema      BIGINT NOT NULL CHECK (min_schema > 0),
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE TABLE import_suffixes (
    name       TEXT COLLATE "C" PRIMARY KEY,
    key_id     TEXT NOT NULL,
    ciphertext BYTEA NOT NULL,
    hint       TEXT NOT NULL,
    version    BIGINT NOT NULL CHECK (version > 0),
    min_schema BIGINT NOT NULL CHECK (min_schema > 0),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id              UUID PRIMARY KEY,
    user_id         UUID NOT NULL REFERENCES users (id),
    name            TEXT COLLATE "C" NOT NULL,
    enabled         BOOLEAN NOT NULL,
    expires_at      BIGINT,
    tags            JSONB NOT NULL CHECK (jsonb_typeof(tags) = 'array'),
    provider_groups JSONB NOT NULL CHECK (jsonb_typeof(provider_groups) = 'array'),
    allowed_models  JSONB NOT NULL CHECK (jsonb_typeof(allowed_models) = 'array'),
    blocked_models  JSONB NOT NULL CHECK (jsonb_typeof(blocked_models) = 'array'),
    hint            TEXT NOT NULL,
    import_suffix   TEXT COLLATE "C" REFERENCES import_suffixes (name),
    version         BIGINT NOT NULL CHECK (version > 0),
    min_schema      BIGINT NOT NULL CHECK (min_schema > 0),
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    UNIQUE (user_id, name)
);
CREATE INDEX api_keys_by_name ON api_keys (name, id);
CREATE INDEX api_keys_by_import_suffix ON api_keys (import_suffix) WHERE import_suffix IS NOT NULL;

-- What a key can be presented as: its present secret, and for a while the one before the last rotation. One table, so
-- that one unique key holds for both.
CREATE TABLE key_hashes (
    hash        BYTEA PRIMARY KEY CHECK (octet_length(hash) = 32),
    key_id      UUID NOT NULL REFERENCES api_keys (id),
    -- The secret before the last rotation.
    former      BOOLEAN NOT NULL,
    valid_until BIGINT,
    UNIQUE (key_id, former),
    CHECK (former = (valid_until IS NOT NULL))
);

-- Hashes of deleted keys, so that a rollback that includes access can bring a key back.
CREATE TABLE deleted_key_hashes (
    key_id     UUID PRIMARY KEY,
    hash       BYTEA NOT NULL CHECK (octet_length(hash) = 32),
    deleted_at BIGINT NOT NULL
);

CREATE TABLE providers (
    id                    UUID PRIMARY KEY,
    name                  TEXT COLLATE "C" NOT NULL UNIQUE,
    kind                  TEXT NOT NULL,
    base_urls             JSONB NOT NULL CHECK (jsonb_typeof(base_urls) = 'array'),
    enabled               BOOLEAN NOT NULL,
    provider_groups       JSONB NOT NULL CHECK (jsonb_typeof(provider_groups) = 'array'),
    priority              BIGINT NOT NULL CHECK (priority >= 0),
    weight                BIGINT NOT NULL CHECK (weight >= 0),
    -- Millionths.
    cost_multiplier       BIGINT NOT NULL CHECK (cost_multiplier >= 0),
    models                JSONB NOT NULL CHECK (jsonb_typeof(models) = 'array'),
    timeouts              JSONB NOT NULL CHECK (jsonb_typeof(timeouts) = 'object'),
    extra_headers         JSONB NOT NULL CHECK (jsonb_typeof(extra_headers) = 'array'),
    credential_key_id     TEXT,
    credential_ciphertext BYTEA,
    credential_hint       TEXT,
    -- The version of the row that set the credential.
    credential_version    BIGINT,
    version               BIGINT NOT NULL CHECK (version > 0),
    min_schema            BIGINT NOT NULL CHECK (min_schema > 0),
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL,
    CHECK (num_nonnulls(credential_key_id, credential_ciphertext, credential_hint, credential_version) IN (0, 4))
);

CREATE TABLE model_prices (
    name              TEXT COLLATE "C" PRIMARY KEY,
    source            TEXT NOT NULL,
    platform          TEXT NOT NULL,
    -- Pico-USD for a token.
    rates             JSONB NOT NULL CHECK (jsonb_typeof(rates) = 'array'),
    -- Nano-USD for one search.
    web_search        BIGINT NOT NULL,
    factors           JSONB NOT NULL CHECK (jsonb_typeof(factors) = 'array'),
    max_input_tokens  BIGINT,
    max_output_tokens BIGINT,
    deprecation_date  TEXT NOT NULL,
    version           BIGINT NOT NULL CHECK (version > 0),
    min_schema        BIGINT NOT NULL CHECK (min_schema > 0),
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);

CREATE TABLE settings (
    name       TEXT COLLATE "C" PRIMARY KEY,
    value      JSONB NOT NULL,
    version    BIGINT NOT NULL CHECK (version > 0),
    min_schema BIGINT NOT NULL CHECK (min_schema > 0),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- A known text sealed under each master key, to notice a wrong one.
CREATE TABLE master_key_checks (
    key_id     TEXT PRIMARY KEY,
    ciphertext BYTEA NOT NULL,
    hint       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
