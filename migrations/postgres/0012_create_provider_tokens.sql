-- Access tokens that the control plane obtains for providers: OAuth, service accounts. One row a provider. Tokens are no
-- configuration, so they are not in the history; each new one takes a revision, by which data planes get it.

CREATE TABLE provider_tokens (
    provider_id        UUID PRIMARY KEY REFERENCES providers (id) ON DELETE CASCADE,
    -- Rises with each token; 0: there was none yet. Whoever writes one names the version that it replaces.
    version            BIGINT NOT NULL CHECK (version >= 0),
    -- The version of the provider's credential that it was obtained with; of another one it is worth nothing.
    credential_version BIGINT NOT NULL,
    -- The revision in which data planes learn of its last change.
    revision           BIGINT NOT NULL,
    -- Of the lease under which it was written. An older holder writes nothing any more.
    fence              BIGINT NOT NULL,
    state              TEXT NOT NULL CHECK (state IN ('ready', 'needs_login', 'misconfigured')),
    -- Access token, refresh token and the refresh token before it. NULL, all four: there is none.
    key_id             TEXT,
    ciphertext         BYTEA,
    obtained_at        BIGINT,
    expires_at         BIGINT,
    -- What went wrong since then, without secrets.
    failure            JSONB CHECK (jsonb_typeof(failure) = 'object'),
    updated_at         BIGINT NOT NULL,
    CHECK ((version > 0 OR ciphertext IS NULL) AND (key_id IS NULL) = (ciphertext IS NULL)
           AND (obtained_at IS NULL) = (ciphertext IS NULL) AND (expires_at IS NULL) = (ciphertext IS NULL))
);

CREATE INDEX provider_tokens_by_revision ON provider_tokens (revision);

-- Who may refresh a provider's token now, of all replicas.
CREATE TABLE token_leases (
    provider_id UUID PRIMARY KEY REFERENCES providers (id) ON DELETE CASCADE,
    owner       TEXT NOT NULL,
    -- Rises with each taking.
    fence       BIGINT NOT NULL,
    -- 0: given back.
    held_until  BIGINT NOT NULL
);

-- Logins that operators have begun. Each is used once.
CREATE TABLE oauth_logins (
    provider_id UUID NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    actor       TEXT NOT NULL,
    -- The state, the verifier and the client that was asked for.
    key_id      TEXT NOT NULL,
    ciphertext  BYTEA NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (provider_id, actor)
);
