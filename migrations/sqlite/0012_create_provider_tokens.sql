-- Access tokens that the control plane obtains for providers: OAuth, service accounts. One row a provider. Tokens are no
-- configuration, so they are not in the history; each new one takes a revision, by which data planes get it.

CREATE TABLE provider_tokens (
    provider_id        BLOB NOT NULL PRIMARY KEY REFERENCES providers (id) ON DELETE CASCADE,
    -- Rises with each token; 0: there was none yet. Whoever writes one names the version that it replaces.
    version            INTEGER NOT NULL CHECK (version >= 0),
    -- The version of the provider's credential that it was obtained with; of another one it is worth nothing.
    credential_version INTEGER NOT NULL,
    -- The revision in which data planes learn of its last change.
    revision           INTEGER NOT NULL,
    -- Of the lease under which it was written. An older holder writes nothing any more.
    fence              INTEGER NOT NULL,
    state              TEXT NOT NULL CHECK (state IN ('ready', 'needs_login', 'misconfigured')),
    -- Access token, refresh token and the refresh token before it. NULL, all four: there is none.
    key_id             TEXT,
    ciphertext         BLOB,
    obtained_at        INTEGER,
    expires_at         INTEGER,
    -- What went wrong since then, without secrets.
    failure            TEXT CHECK (json_type(failure) = 'object'),
    updated_at         INTEGER NOT NULL,
    CHECK ((version > 0 OR ciphertext IS NULL) AND (key_id IS NULL) = (ciphertext IS NULL)
           AND (obtained_at IS NULL) = (ciphertext IS NULL) AND (expires_at IS NULL) = (ciphertext IS NULL))
) STRICT;

CREATE INDEX provider_tokens_by_revision ON provider_tokens (revision);

-- Who may refresh a provider's token now, of all replicas.
CREATE TABLE token_leases (
    provider_id BLOB NOT NULL PRIMARY KEY REFERENCES providers (id) ON DELETE CASCADE,
    owner       TEXT NOT NULL,
    -- Rises with each taking.
    fence       INTEGER NOT NULL,
    -- 0: given back.
    held_until  INTEGER NOT NULL
) STRICT;

-- Logins that operators have begun. Each is used once.
CREATE TABLE oauth_logins (
    provider_id BLOB NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    actor       TEXT NOT NULL,
    -- The state, the verifier and the client that was asked for.
    key_id      TEXT NOT NULL,
    ciphertext  BLOB NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (provider_id, actor)
) STRICT;
