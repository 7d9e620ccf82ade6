-- When an expiry that counts from the first use was given to a user or key that existed before: uses before it do not count.
-- NULL: since the user or key was made.
ALTER TABLE users ADD COLUMN granted_at INTEGER;
ALTER TABLE api_keys ADD COLUMN granted_at INTEGER;

-- When the refresh token of this row was shown to its token endpoint, as long as the outcome is not known. It stays when
-- the control plane is killed in between.
ALTER TABLE provider_tokens ADD COLUMN exchange_began_at INTEGER;

-- The parts of input and output that were sound and pictures.
ALTER TABLE usage_records ADD COLUMN audio_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_records ADD COLUMN image_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_records ADD COLUMN audio_output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_records ADD COLUMN image_output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_rollups ADD COLUMN audio_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_rollups ADD COLUMN image_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_rollups ADD COLUMN audio_output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_rollups ADD COLUMN image_output_tokens INTEGER NOT NULL DEFAULT 0;
