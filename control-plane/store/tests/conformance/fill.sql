-- Fills an empty ledger with ROWS calls of the 60 days before NOW_MS, spread as those of a company: few of its 300 users
-- make most of the calls, a key mostly asks for one model and its sessions stay with a provider, most calls succeed. The sums are those that ingest would have made.

SELECT setseed(0.5);
SELECT usage_add_partition(NOW_MS - n * 86400000::bigint) FROM generate_series(0, 60, 10) AS n;

INSERT INTO usage_records (id, started_at, user_id, key_id, provider_id, dialect, model, model_served, stream, status, outcome,
    code, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, cache_write_12h_tokens,
    reasoning_tokens, web_searches, tier, factors, estimated, cost_nanousd, price_name, price_version, cost_multiplier, duration_ms,
    first_byte_ms, attempts, session, revision, node_id, upstream_request_id, unpriced, admitted_at, decision)
SELECT
    (lpad(to_hex(at), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid,
    at,
    ('00000000-0000-7000-8000-' || lpad(to_hex(who), 12, '0'))::uuid,
    ('00000000-0000-7000-9000-' || lpad(to_hex(key), 12, '0'))::uuid,
    CASE WHEN how < 0.02 THEN NULL ELSE ('00000000-0000-7000-a000-' || lpad(to_hex(provider), 12, '0'))::uuid END,
    'anthropic', 'model-' || model, 'model-' || model, d < 0.8,
    CASE WHEN how < 0.02 THEN 429 WHEN how < 0.03 THEN 529 WHEN how < 0.035 THEN 500 WHEN how < 0.04 THEN 429 WHEN how < 0.05 THEN 499 ELSE 200 END,
    CASE WHEN how < 0.02 THEN 'rejected' WHEN how < 0.04 THEN 'upstream_error' WHEN how < 0.05 THEN 'client_abort' ELSE 'succeeded' END,
    CASE WHEN how < 0.02 THEN 'RATE_LIMIT_EXCEEDED' END,
    (2000 * a)::bigint, (900 * b)::bigint, (40000 * c)::bigint, (3000 * d)::bigint, 0, 0, 0, 0, 'standard', '[]', FALSE,
    CASE WHEN how < 0.05 THEN 0 ELSE (30000000 * b)::bigint END, 'model', 1, 1000000, (300 + 60000 * a * a * a)::bigint, (200 + 4000 * b * b)::bigint,
    CASE WHEN e < 0.03 THEN 2 ELSE 1 END, md5(key || '/' || i / 20000), 7, 'node-' || i % 3, 'req_' || i, NULL, at, NULL
FROM (
    SELECT *, CASE WHEN f < 0.9 THEN (key + model) % 8 ELSE (8 * b)::int % 8 END AS provider
    FROM (
        SELECT *, CASE WHEN g < 0.9 THEN key % 12 ELSE (12 * c)::int % 12 END AS model
        FROM (
            SELECT *, who * 4 + (4 * k * k)::int % 4 AS key
            FROM (
                SELECT i, NOW_MS - 60 * 86400000::bigint + (i * (60 * 86400000.0 / ROWS))::bigint - 1 AS at,
                    (300 * r * r)::int % 300 AS who, random() AS a, random() AS b, random() AS c, random() AS d, random() AS e,
                    random() AS f, random() AS g, random() AS k, random() AS how
                FROM (SELECT i, random() AS r FROM generate_series(1, ROWS) AS i) AS calls
            ) AS users
        ) AS keys
    ) AS models
) AS calls;

INSERT INTO usage_rollups
SELECT started_at - started_at % 3600000, user_id, key_id, COALESCE(provider_id, '00000000-0000-0000-0000-000000000000'), model,
    SUM(CASE WHEN outcome = 'rejected' THEN 0 ELSE 1 END), SUM(CASE WHEN outcome = 'rejected' THEN 1 ELSE 0 END), 0,
    SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), 0, 0, 0, 0, SUM(cost_nanousd)
FROM usage_records GROUP BY 1, 2, 3, 4, 5 ORDER BY 1;

-- From here on as migration 20 does it.
