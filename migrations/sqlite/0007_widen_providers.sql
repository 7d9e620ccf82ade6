-- How providers are routed to and connected to.

ALTER TABLE providers ADD COLUMN redirects TEXT NOT NULL DEFAULT '[]' CHECK (json_type(redirects) = 'array');
ALTER TABLE providers ADD COLUMN active_hours TEXT NOT NULL DEFAULT 'null'
    CHECK (json_type(active_hours) IN ('object', 'null'));
ALTER TABLE providers ADD COLUMN breaker TEXT NOT NULL DEFAULT '{}' CHECK (json_type(breaker) = 'object');
ALTER TABLE providers ADD COLUMN outbound TEXT NOT NULL DEFAULT '{}' CHECK (json_type(outbound) = 'object');
ALTER TABLE providers ADD COLUMN overrides TEXT NOT NULL DEFAULT '[]' CHECK (json_type(overrides) = 'array');
-- NULL: not probed.
ALTER TABLE providers ADD COLUMN probe_interval_ms INTEGER CHECK (probe_interval_ms > 0);
ALTER TABLE providers ADD COLUMN proxy_password_key_id TEXT;
ALTER TABLE providers ADD COLUMN proxy_password_ciphertext BLOB;
ALTER TABLE providers ADD COLUMN proxy_password_hint TEXT;
-- The version of the row that set it.
ALTER TABLE providers ADD COLUMN proxy_password_version INTEGER
    CHECK ((proxy_password_key_id IS NULL) + (proxy_password_ciphertext IS NULL)
           + (proxy_password_hint IS NULL) + (proxy_password_version IS NULL) IN (0, 4));
