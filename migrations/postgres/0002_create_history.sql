-- The history. A commit writes its changes under a change set of its own while it works, and takes the head row and
-- thereby its revision number last, so that a long commit never makes a short one wait.

CREATE TABLE config_head (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    epoch    UUID NOT NULL,
    revision BIGINT NOT NULL CHECK (revision >= 0)
);

CREATE TABLE config_revisions (
    revision     BIGINT PRIMARY KEY CHECK (revision > 0),
    epoch        UUID NOT NULL,
    change_set   UUID NOT NULL UNIQUE,
    actor        TEXT NOT NULL,
    reason       TEXT NOT NULL,
    change_count BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE TABLE config_changes (
    change_set  UUID NOT NULL,
    -- Counts the changes of the set from 0.
    seq         BIGINT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('provider', 'user', 'key', 'price', 'setting', 'import_suffix')),
    resource_id TEXT COLLATE "C" NOT NULL,
    label       TEXT NOT NULL,
    action      TEXT NOT NULL CHECK (action IN ('created', 'updated', 'deleted')),
    -- Of the resource after the change.
    version     BIGINT NOT NULL CHECK (version > 0),
    before_spec JSONB,
    after_spec  JSONB,
    PRIMARY KEY (change_set, seq),
    UNIQUE (kind, resource_id, version)
);
