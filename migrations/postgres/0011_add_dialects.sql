-- What providers speak, and for whom it is translated.

ALTER TABLE providers
    ADD COLUMN dialects JSONB NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(dialects) = 'array'),
    ADD COLUMN translate JSONB NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(translate) = 'array'),
    -- NULL: none.
    ADD COLUMN api_version TEXT;
