-- Data planes, each row written by the replica that holds the node's stream.

CREATE TABLE nodes (
    id              TEXT PRIMARY KEY,
    version         TEXT NOT NULL,
    zone            TEXT NOT NULL,
    config_schema   BIGINT NOT NULL,
    connected       BOOLEAN NOT NULL,
    control_plane   TEXT NOT NULL,
    connected_since BIGINT NOT NULL,
    last_seen       BIGINT NOT NULL,
    -- What is in force on the node; NULL: nothing was acknowledged yet.
    held_epoch      UUID,
    held_revision   BIGINT,
    acked_at        BIGINT,
    refused         JSONB NOT NULL CHECK (jsonb_typeof(refused) = 'array'),
    health          JSONB,
    CHECK ((held_epoch IS NULL) = (held_revision IS NULL))
);
CREATE INDEX nodes_by_last_seen ON nodes (last_seen);
