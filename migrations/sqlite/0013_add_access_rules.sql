-- What users and keys may be used for: dialects, clients, addresses; and expiry that counts from the first use.

ALTER TABLE users ADD COLUMN allowed_dialects TEXT NOT NULL DEFAULT '[]' CHECK (json_type(allowed_dialects) = 'array');
ALTER TABLE users ADD COLUMN allowed_clients TEXT NOT NULL DEFAULT '[]' CHECK (json_type(allowed_clients) = 'array');
ALTER TABLE users ADD COLUMN blocked_clients TEXT NOT NULL DEFAULT '[]' CHECK (json_type(blocked_clients) = 'array');
ALTER TABLE users ADD COLUMN allowed_addresses TEXT NOT NULL DEFAULT '[]' CHECK (json_type(allowed_addresses) = 'array');
-- NULL: its expiry does not count from the first use.
ALTER TABLE users ADD COLUMN expires_after_ms INTEGER CHECK (expires_after_ms > 0);
-- NULL: not used yet, as far as anybody asked.
ALTER TABLE users ADD COLUMN first_used_at INTEGER;

ALTER TABLE api_keys ADD COLUMN allowed_dialects TEXT NOT NULL DEFAULT '[]' CHECK (json_type(allowed_dialects) = 'array');
ALTER TABLE api_keys ADD COLUMN allowed_clients TEXT NOT NULL DEFAULT '[]' CHECK (json_type(allowed_clients) = 'array');
ALTER TABLE api_keys ADD COLUMN blocked_clients TEXT NOT NULL DEFAULT '[]' CHECK (json_type(blocked_clients) = 'array');
ALTER TABLE api_keys ADD COLUMN allowed_addresses TEXT NOT NULL DEFAULT '[]' CHECK (json_type(allowed_addresses) = 'array');
ALTER TABLE api_keys ADD COLUMN expires_after_ms INTEGER CHECK (expires_after_ms > 0);
ALTER TABLE api_keys ADD COLUMN first_used_at INTEGER;
