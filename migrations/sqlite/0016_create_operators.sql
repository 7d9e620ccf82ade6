-- Who operates the installation beside the admin token, and what everybody did. Neither is configuration of data planes,
-- so neither is in the history.

CREATE TABLE operators (
    id             BLOB NOT NULL PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    role           TEXT NOT NULL CHECK (role IN ('user', 'viewer', 'operator', 'admin')),
    -- Whom the role user sees. No reference: a rollback can bring a deleted user back.
    user_id        BLOB,
    enabled        INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    expires_at     INTEGER,
    -- SHA-256 of the token, and its first and last characters.
    token_hash     BLOB NOT NULL UNIQUE,
    token_hint     TEXT NOT NULL,
    -- The token before the last rotation, and until when it is still taken.
    previous_hash  BLOB UNIQUE,
    previous_until INTEGER,
    -- Right to some minutes. NULL: never.
    last_used_at   INTEGER,
    version        INTEGER NOT NULL CHECK (version > 0),
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    CHECK ((role = 'user') = (user_id IS NOT NULL)),
    CHECK ((previous_hash IS NULL) = (previous_until IS NULL))
) STRICT;

-- One row. Rises with each change of an operator, so that replicas see with one read that there is something new.
CREATE TABLE operators_head (
    generation INTEGER NOT NULL
) STRICT;
INSERT INTO operators_head (generation) VALUES (0);

CREATE TABLE audit_log (
    -- UUIDv7: by time.
    id       BLOB NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    -- Empty: nobody that is known.
    actor    TEXT NOT NULL,
    role     TEXT NOT NULL,
    -- Service and method, or sign-in.
    action   TEXT NOT NULL,
    -- What it was about, for people.
    target   TEXT NOT NULL,
    -- A gRPC code in small letters. Empty: the call has not ended, or its control plane was killed.
    outcome  TEXT NOT NULL,
    revision INTEGER,
    peer     TEXT NOT NULL,
    reason   TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_by_actor ON audit_log (actor, id);
CREATE INDEX audit_log_by_at ON audit_log (at);
