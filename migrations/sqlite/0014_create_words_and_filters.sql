-- Texts that requests must not contain, and what is changed in requests. Read and written as a whole.

CREATE TABLE word_rules (
    name       TEXT NOT NULL PRIMARY KEY,
    rule       TEXT NOT NULL CHECK (json_type(rule) = 'object'),
    version    INTEGER NOT NULL CHECK (version > 0),
    min_schema INTEGER NOT NULL CHECK (min_schema > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE request_filters (
    name       TEXT NOT NULL PRIMARY KEY,
    spec       TEXT NOT NULL CHECK (json_type(spec) = 'object'),
    version    INTEGER NOT NULL CHECK (version > 0),
    min_schema INTEGER NOT NULL CHECK (min_schema > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- The history knows them too. SQLite cannot change a CHECK, so the table is made anew; its index comes with it.
CREATE TABLE config_changes_with_filters (
    change_set  BLOB NOT NULL,
    -- Counts the changes of the set from 0.
    seq         INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (
        kind IN ('provider', 'user', 'key', 'price', 'setting', 'import_suffix', 'error_rule', 'word_rule',
                 'request_filter')
    ),
    resource_id TEXT NOT NULL,
    label       TEXT NOT NULL,
    action      TEXT NOT NULL CHECK (action IN ('created', 'updated', 'deleted')),
    -- Of the resource after the change.
    version     INTEGER NOT NULL CHECK (version > 0),
    before_spec TEXT CHECK (json_valid(before_spec)),
    after_spec  TEXT CHECK (json_valid(after_spec)),
    PRIMARY KEY (change_set, seq),
    UNIQUE (kind, resource_id, version)
) STRICT;
INSERT INTO config_changes_with_filters
    SELECT change_set, seq, kind, resource_id, label, action, version, before_spec, after_spec FROM config_changes;
DROP TABLE config_changes;
ALTER TABLE config_changes_with_filters RENAME TO config_changes;
