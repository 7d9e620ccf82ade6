-- Which providers are well, as data planes report it and operators decide it. One row a provider.

CREATE TABLE fleet_states (
    provider_id BLOB NOT NULL PRIMARY KEY REFERENCES providers (id) ON DELETE CASCADE,
    -- Raised by each write; whoever writes names the one that it has read.
    version     INTEGER NOT NULL,
    -- Raised by operators: what data planes report of an older one is ignored.
    generation  INTEGER NOT NULL,
    entries     TEXT NOT NULL CHECK (json_type(entries) = 'object'),
    updated_at  INTEGER NOT NULL
) STRICT;

-- What operators did to them. It outlives the provider.
CREATE TABLE fleet_state_actions (
    id          BLOB NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    provider_id BLOB NOT NULL,
    -- Empty: the provider as a whole.
    model       TEXT NOT NULL,
    generation  INTEGER NOT NULL
) STRICT;
