-- Operators' rules on upstream errors. A rule is read and written as a whole.

CREATE TABLE error_rules (
    name       TEXT COLLATE "C" PRIMARY KEY,
    rule       JSONB NOT NULL CHECK (jsonb_typeof(rule) = 'object'),
    version    BIGINT NOT NULL CHECK (version > 0),
    min_schema BIGINT NOT NULL CHECK (min_schema > 0),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

ALTER TABLE config_changes DROP CONSTRAINT config_changes_kind_check;
ALTER TABLE config_changes ADD CONSTRAINT config_changes_kind_check
    CHECK (kind IN ('provider', 'user', 'key', 'price', 'setting', 'import_suffix', 'error_rule'));
