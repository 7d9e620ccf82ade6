-- What users, keys and providers may use. Without any: {}.

ALTER TABLE users ADD COLUMN limits JSONB NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object');
ALTER TABLE api_keys ADD COLUMN limits JSONB NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object');
ALTER TABLE providers ADD COLUMN limits JSONB NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object');
