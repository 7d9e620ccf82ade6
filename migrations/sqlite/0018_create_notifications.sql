-- Telling operators of trouble: where to, what is watched, what was told, and how far its delivery is. One control plane
-- at a time looks and delivers, by its lease.

CREATE TABLE leases (
    name       TEXT NOT NULL PRIMARY KEY,
    owner      TEXT NOT NULL,
    -- Rises with each taking by another owner.
    fence      INTEGER NOT NULL,
    -- 0: given back.
    held_until INTEGER NOT NULL
) STRICT;

CREATE TABLE webhooks (
    id                BLOB NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE,
    enabled           INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    preset            TEXT NOT NULL,
    -- Empty: all rules.
    rules             TEXT NOT NULL CHECK (json_type(rules) = 'array'),
    -- Scheme and host of the URL. The URL itself may hold a secret.
    host              TEXT NOT NULL,
    -- URL and signing secret, sealed as one.
    key_id            TEXT NOT NULL,
    ciphertext        BLOB NOT NULL,
    signed            INTEGER NOT NULL CHECK (signed IN (0, 1)),
    version           INTEGER NOT NULL CHECK (version > 0),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE alerts (
    rule      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    -- NULL: the condition does not hold.
    since     INTEGER,
    told      INTEGER NOT NULL CHECK (told IN (0, 1)),
    last_told INTEGER,
    title     TEXT NOT NULL,
    PRIMARY KEY (rule, subject)
) STRICT;

CREATE TABLE notifications (
    id      BLOB NOT NULL PRIMARY KEY,
    rule    TEXT NOT NULL,
    subject TEXT NOT NULL,
    event   TEXT NOT NULL CHECK (event IN ('fired', 'recovered')),
    title   TEXT NOT NULL,
    detail  TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_by_time ON notifications (at, id);

CREATE TABLE deliveries (
    notification_id BLOB NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    webhook_id      BLOB NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts        INTEGER NOT NULL,
    -- While waiting: when it is tried next.
    next_at         INTEGER NOT NULL,
    -- Of the last answer; NULL: there was none.
    status          INTEGER,
    error           TEXT NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (notification_id, webhook_id)
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (next_at) WHERE state = 'waiting';

-- Rules look at what failed lately; of what went well only the number counts.
CREATE INDEX usage_records_failed ON usage_records (id) WHERE status >= 400;
