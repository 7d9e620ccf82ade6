-- Data planes, each row written by the replica that holds the node's stream.

CREATE TABLE nodes (
    id              TEXT NOT NULL PRIMARY KEY,
    version         TEXT NOT NULL,
    zone            TEXT NOT NULL,
    config_schema   INTEGER NOT NULL,
    connected       INTEGER NOT NULL CHECK (connected IN (0, 1)),
    control_plane   TEXT NOT NULL,
    connected_since INTEGER NOT NULL,
    last_seen       INTEGER NOT NULL,
    -- What is in force on the node; NULL: nothing was acknowledged yet.
    held_epoch      BLOB,
    held_revision   INTEGER,
    acked_at        INTEGER,
    refused         TEXT NOT NULL CHECK (json_type(refused) = 'array'),
    health          TEXT CHECK (json_valid(health)),
    CHECK ((held_epoch IS NULL) = (held_revision IS NULL))
) STRICT;
CREATE INDEX nodes_by_last_seen ON nodes (last_seen);
