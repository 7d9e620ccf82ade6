-- The history. A commit writes its changes under a change set of its own while it works, and takes its revision
-- number last, as on Postgres.

CREATE TABLE config_head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch    BLOB NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;

CREATE TABLE config_revisions (
    revision     INTEGER PRIMARY KEY CHECK (revision > 0),
    epoch        BLOB NOT NULL,
    change_set   BLOB NOT NULL UNIQUE,
    actor        TEXT NOT NULL,
    reason       TEXT NOT NULL,
    change_count INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE config_changes (
    change_set  BLOB NOT NULL,
    -- Counts the changes of the set from 0.
    seq         INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('provider', 'user', 'key', 'price', 'setting', 'import_suffix')),
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
