-- Calls that lasted a minute or more: few, and found by when they ended without looking at all that arrived before.
CREATE INDEX usage_records_long ON usage_records (id) WHERE duration_ms >= 60000;
