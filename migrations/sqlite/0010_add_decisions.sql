-- Why each call went where it went: JSON of the domain's own form. NULL: the data plane said nothing.

ALTER TABLE usage_records ADD COLUMN decision TEXT;
