-- Telling operators of trouble: where to, what is watched, what was told, and how far its delivery is. One control plane
-- at a time looks and delivers, by its lease.

CREATE TABLE leases (
    name       TEXT COLLATE "C" PRIMARY KEY,
    owner      TEXT NOT NULL,
    -- Rises with each taking by another owner.
    fence      BIGINT NOT NULL,
    -- 0: given back.
    held_until BIGINT NOT NULL
);

CREATE TABLE webhooks (
    id                UUID PRIMARY KEY,
    name              TEXT COLLATE "C" NOT NULL UNIQUE,
    enabled           BOOLEAN NOT NULL,
    preset            TEXT NOT NULL,
    -- Empty: all rules.
    rules             JSONB NOT NULL CHECK (jsonb_typeof(rules) = 'array'),
    -- Scheme and host of the URL. The URL itself may hold a secret.
    host              TEXT NOT NULL,
    -- URL and signing secret, sealed as one.
    key_id            TEXT NOT NULL,
    ciphertext        BYTEA NOT NULL,
    signed            BOOLEAN NOT NULL,
    version           BIGINT NOT NULL CHECK (version > 0),
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);

CREATE TABLE alerts (
    rule      TEXT COLLATE "C" NOT NULL,
    subject   TEXT COLLATE "C" NOT NULL,
    -- NULL: the condition does not hold.
    since     BIGINT,
    told      BOOLEAN NOT NULL,
    last_told BIGINT,
    title     TEXT NOT NULL,
    PRIMARY KEY (rule, subject)
);

CREATE TABLE notifications (
    id      UUID PRIMARY KEY,
    rule    TEXT NOT NULL,
    subject TEXT NOT NULL,
    event   TEXT NOT NULL CHECK (event IN ('fired', 'recovered')),
    title   TEXT NOT NULL,
    detail  TEXT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX notifications_by_time ON notifications (at, id);

CREATE TABLE deliveries (
    notification_id UUID NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    webhook_id      UUID NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts        BIGINT NOT NULL,
    -- While waiting: when it is tried next.
    next_at         BIGINT NOT NULL,
    -- Of the last answer; NULL: there was none.
    status          BIGINT,
    error           TEXT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (notification_id, webhook_id)
);
CREATE INDEX deliveries_waiting ON deliveries (next_at) WHERE state = 'waiting';

-- Rules look at what failed lately; of what went well only the number counts.
CREATE INDEX usage_records_failed ON usage_records (id) WHERE status >= 400;
