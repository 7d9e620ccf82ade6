-- The configuration at its head. Times are Unix milliseconds, ids UUIDv7 as 16 bytes, money integers.

CREATE TABLE users (
    id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name            TEXT NOT NULL UNIQUE,
    enabled         INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    expires_at      INTEGER,
    tags            TEXT NOT NULL CHECK (json_type(tags) = 'array'),
    provider_groups TEXT NOT NULL CHECK (json_type(provider_groups) = 'array'),
    allowed_models  TEXT NOT NULL CHECK (json_type(allowed_models) = 'array'),
    blocked_models  TEXT NOT NULL CHECK (json_type(blocked_models) = 'array'),
    version         INTEGER NOT NULL CHECK (version > 0),
    min_schema      INTEGER NOT NULL CHECK (min_schema > 0),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE import_suffixes (
    name       TEXT NOT NULL PRIMARY KEY,
    key_id     TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    hint       TEXT NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    min_schema INTEGER NOT NULL CHECK (min_schema > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id         BLOB NOT NULL REFERENCES users (id),
    name            TEXT NOT NULL,
    enabled         INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    expires_at      INTEGER,
    tags            TEXT NOT NULL CHECK (json_type(tags) = 'array'),
    provider_groups TEXT NOT NULL CHECK (json_type(provider_groups) = 'array'),
    allowed_models  TEXT NOT NULL CHECK (json_type(allowed_models) = 'array'),
    blocked_models  TEXT NOT NULL CHECK (json_type(blocked_models) = 'array'),
    hint            TEXT NOT NULL,
    import_suffix   TEXT REFERENCES import_suffixes (name),
    version         INTEGER NOT NULL CHECK (version > 0),
    min_schema      INTEGER NOT NULL CHECK (min_schema > 0),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (user_id, name)
) STRICT;
CREATE INDEX api_keys_by_name ON api_keys (name, id);
CREATE INDEX api_keys_by_import_suffix ON api_keys (import_suffix) WHERE import_suffix IS NOT NULL;

-- What a key can be presented as: its present secret, and for a while the one before the last rotation. One table, so
-- that one unique key holds for both.
CREATE TABLE key_hashes (
    hash        BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    key_id      BLOB NOT NULL REFERENCES api_keys (id),
    -- The secret before the last rotation.
    former      INTEGER NOT NULL CHECK (former IN (0, 1)),
    valid_until INTEGER,
    UNIQUE (key_id, former),
    CHECK (former = (valid_until IS NOT NULL))
) STRICT;

-- Hashes of deleted keys, so that a rollback that includes access can bring a key back.
CREATE TABLE deleted_key_hashes (
    key_id     BLOB NOT NULL PRIMARY KEY CHECK (length(key_id) = 16),
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    deleted_at INTEGER NOT NULL
) STRICT;

CREATE TABLE providers (
    id                    BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name                  TEXT NOT NULL UNIQUE,
    kind                  TEXT NOT NULL,
    base_urls             TEXT NOT NULL CHECK (json_type(base_urls) = 'array'),
    enabled               INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    provider_groups       TEXT NOT NULL CHECK (json_type(provider_groups) = 'array'),
    priority              INTEGER NOT NULL CHECK (priority >= 0),
    weight                INTEGER NOT NULL CHECK (weight >= 0),
    -- Millionths.
    cost_multiplier       INTEGER NOT NULL CHECK (cost_multiplier >= 0),
    models                TEXT NOT NULL CHECK (json_type(models) = 'array'),
    timeouts              TEXT NOT NULL CHECK (json_type(timeouts) = 'object'),
    extra_headers         TEXT NOT NULL CHECK (json_type(extra_headers) = 'array'),
    credential_key_id     TEXT,
    credential_ciphertext BLOB,
    credential_hint       TEXT,
    -- The version of the row that set the credential.
    credential_version    INTEGER,
    version               INTEGER NOT NULL CHECK (version > 0),
    min_schema            INTEGER NOT NULL CHECK (min_schema > 0),
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    CHECK (
        (credential_key_id IS NULL) = (credential_ciphertext IS NULL)
        AND (credential_key_id IS NULL) = (credential_hint IS NULL)
        AND (credential_key_id IS NULL) = (credential_version IS NULL)
    )
) STRICT;

CREATE TABLE model_prices (
    name              TEXT NOT NULL PRIMARY KEY,
    source            TEXT NOT NULL,
    platform          TEXT NOT NULL,
    -- Pico-USD for a token.
    rates             TEXT NOT NULL CHECK (json_type(rates) = 'array'),
    -- Nano-USD for one search.
    web_search        INTEGER NOT NULL,
    factors           TEXT NOT NULL CHECK (json_type(factors) = 'array'),
    max_input_tokens  INTEGER,
    max_output_tokens INTEGER,
    deprecation_date  TEXT NOT NULL,
    version           INTEGER NOT NULL CHECK (version > 0),
    min_schema        INTEGER NOT NULL CHECK (min_schema > 0),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    name       TEXT NOT NULL PRIMARY KEY,
    value      TEXT NOT NULL CHECK (json_valid(value)),
    version    INTEGER NOT NULL CHECK (version > 0),
    min_schema INTEGER NOT NULL CHECK (min_schema > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- A known text sealed under each master key, to notice a wrong one.
CREATE TABLE master_key_checks (
    key_id     TEXT NOT NULL PRIMARY KEY,
    ciphertext BLOB NOT NULL,
    hint       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
