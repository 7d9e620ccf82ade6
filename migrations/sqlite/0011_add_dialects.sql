-- What providers speak, and for whom it is translated.

ALTER TABLE providers ADD COLUMN dialects TEXT NOT NULL DEFAULT '[]' CHECK (json_type(dialects) = 'array');
ALTER TABLE providers ADD COLUMN translate TEXT NOT NULL DEFAULT '[]' CHECK (json_type(translate) = 'array');
-- NULL: none.
ALTER TABLE providers ADD COLUMN api_version TEXT;
