-- Who operates the installation beside the admin token, and what everybody did. Neither is configuration of data planes,
-- so neither is in the history.

CREATE TABLE operators (
    id             UUID PRIMARY KEY,
    name           TEXT COLLATE "C" NOT NULL UNIQUE,
    role           TEXT NOT NULL CHECK (role IN ('user', 'viewer', 'operator', 'admin')),
    -- Whom the role user sees. No reference: a rollback can bring a deleted user back.
    user_id        UUID,
    enabled        BOOLEAN NOT NULL,
    expires_at     BIGINT,
    -- SHA-256 of the token, and its first and last characters.
    token_hash     BYTEA NOT NULL UNIQUE,
    token_hint     TEXT NOT NULL,
    -- The token before the last rotation, and until when it is still taken.
    previous_hash  BYTEA UNIQUE,
    previous_until BIGINT,
    -- Right to some minutes. NULL: never.
    last_used_at   BIGINT,
    version        BIGINT NOT NULL CHECK (version > 0),
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    CHECK ((role = 'user') = (user_id IS NOT NULL)),
    CHECK ((previous_hash IS NULL) = (previous_until IS NULL))
);

-- One row. Rises with each change of an operator, so that replicas see with one read that there is something new.
CREATE TABLE operators_head (
    generation BIGINT NOT NULL
);
INSERT INTO operators_head (generation) VALUES (0);

CREATE TABLE audit_log (
    -- UUIDv7: by time.
    id       UUID PRIMARY KEY,
    at       BIGINT NOT NULL,
    -- Empty: nobody that is known.
    actor    TEXT COLLATE "C" NOT NULL,
    role     TEXT NOT NULL,
    -- Service and method, or sign-in.
    action   TEXT COLLATE "C" NOT NULL,
    -- What it was about, for people.
    target   TEXT NOT NULL,
    -- A gRPC code in small letters. Empty: the call has not ended, or its control plane was killed.
    outcome  TEXT NOT NULL,
    revision BIGINT,
    peer     TEXT NOT NULL,
    reason   TEXT NOT NULL
);
CREATE INDEX audit_log_by_actor ON audit_log (actor, id);
CREATE INDEX audit_log_by_at ON audit_log (at);
