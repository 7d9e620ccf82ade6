-- Why each call went where it went: JSON of the domain's own form. As text: nobody searches in it, nothing is parsed at
-- ingest, and JSONB refuses texts with an escaped NUL. NULL: the data plane said nothing.

ALTER TABLE usage_records ADD COLUMN decision TEXT;
