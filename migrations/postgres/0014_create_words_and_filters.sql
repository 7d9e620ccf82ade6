-- Texts that requests must not contain, and what is changed in requests. Read and written as a whole.

CREATE TABLE word_rules (
    name       TEXT COLLATE "C" PRIMARY KEY,
    rule       JSONB NOT NULL CHECK (jsonb_typeof(rule) = 'object'),
    version    BIGINT NOT NULL CHECK (version > 0),
    min_schema BIGINT NOT NULL CHECK (min_schema > 0),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE request_filters (
    name       TEXT COLLATE "C" PRIMARY KEY,
    spec       JSONB NOT NULL CHECK (jsonb_typeof(spec) = 'object'),
    version    BIGINT NOT NULL CHECK (version > 0),
    min_schema BIGINT NOT NULL CHECK (min_schema > 0),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

ALTER TABLE config_changes DROP CONSTRAINT config_changes_kind_check;
ALTER TABLE config_changes ADD CONSTRAINT config_changes_kind_check
    CHECK (kind IN ('provider', 'user', 'key', 'price', 'setting', 'import_suffix', 'error_rule', 'word_rule',
                    'request_filter'));
