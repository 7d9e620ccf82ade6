-- How providers are routed to and connected to.

ALTER TABLE providers
    ADD COLUMN redirects JSONB NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(redirects) = 'array'),
    ADD COLUMN active_hours JSONB NOT NULL DEFAULT 'null' CHECK (jsonb_typeof(active_hours) IN ('object', 'null')),
    ADD COLUMN breaker JSONB NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(breaker) = 'object'),
    ADD COLUMN outbound JSONB NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(outbound) = 'object'),
    ADD COLUMN overrides JSONB NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(overrides) = 'array'),
    -- NULL: not probed.
    ADD COLUMN probe_interval_ms BIGINT CHECK (probe_interval_ms > 0),
    ADD COLUMN proxy_password_key_id TEXT,
    ADD COLUMN proxy_password_ciphertext BYTEA,
    ADD COLUMN proxy_password_hint TEXT,
    -- The version of the row that set it.
    ADD COLUMN proxy_password_version BIGINT,
    ADD CHECK (num_nonnulls(proxy_password_key_id, proxy_password_ciphertext, proxy_password_hint,
                            proxy_password_version) IN (0, 4));
