-- Which providers are well, as data planes report it and operators decide it. One row a provider.

CREATE TABLE fleet_states (
    provider_id UUID PRIMARY KEY REFERENCES providers (id) ON DELETE CASCADE,
    -- Raised by each write; whoever writes names the one that it has read.
    version     BIGINT NOT NULL,
    -- Raised by operators: what data planes report of an older one is ignored.
    generation  BIGINT NOT NULL,
    entries     JSONB NOT NULL CHECK (jsonb_typeof(entries) = 'object'),
    updated_at  BIGINT NOT NULL
) WITH (fillfactor = 50);

-- What operators did to them. It outlives the provider.
CREATE TABLE fleet_state_actions (
    id          UUID PRIMARY KEY,
    at          BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    provider_id UUID NOT NULL,
    -- Empty: the provider as a whole.
    model       TEXT NOT NULL,
    generation  BIGINT NOT NULL
);
