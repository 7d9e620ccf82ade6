//! The ledger on SQLite: one prepared statement, once for each record.

use std::collections::HashSet;

use sqlx::{Sqlite, Transaction};
use uuid::Uuid;

use crate::database::records::LedgerRow;

const INSERT: &str = "INSERT INTO usage_records (id, started_at, user_id, key_id, provider_id, dialect, model, \
    model_served, stream, status, outcome, code, input_tokens, output_tokens, cache_read_tokens, \
    cache_write_tokens, cache_write_1h_tokens, cache_write_12h_tokens, reasoning_tokens, web_searches, \
    tier, factors, estimated, cost_nanousd, price_name, price_version, cost_multiplier, duration_ms, \
    first_byte_ms, attempts, session, revision, node_id, upstream_request_id, unpriced, admitted_at, decision, \
    audio_input_tokens, image_input_tokens, audio_output_tokens, image_output_tokens) VALUES ($1, \
    $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, \
    $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41) ON CONFLICT (id) DO NOTHING";

/// Inserts what is not there yet and answers with its ids.
pub(crate) async fn insert<'a>(
    tx: &mut Transaction<'static, Sqlite>,
    rows: impl Iterator<Item = &'a LedgerRow>,
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let mut fresh = HashSet::new();
    for row in rows {
        let query = sqlx::query(INSERT)
            .bind(row.id)
            .bind(row.started_at)
            .bind(row.user_id)
            .bind(row.key_id)
            .bind(row.provider_id)
            .bind(&row.dialect)
            .bind(&row.model)
            .bind(&row.model_served)
            .bind(row.stream)
            .bind(row.status)
            .bind(&row.outcome)
            .bind(row.code.as_deref())
            .bind(row.input_tokens)
            .bind(row.output_tokens)
            .bind(row.cache_read_tokens)
            .bind(row.cache_write_tokens)
            .bind(row.cache_write_1h_tokens)
            .bind(row.cache_write_12h_tokens)
            .bind(row.reasoning_tokens)
            .bind(row.web_searches)
            .bind(&row.tier)
            .bind(&row.factors)
            .bind(row.estimated)
            .bind(row.cost_nanousd)
            .bind(row.price_name.as_deref())
            .bind(row.price_version)
            .bind(row.cost_multiplier)
            .bind(row.duration_ms)
            .bind(row.first_byte_ms)
            .bind(row.attempts)
            .bind(row.session.as_deref())
            .bind(row.revision)
            .bind(&row.node_id)
            .bind(row.upstream_request_id.as_deref())
            .bind(row.unpriced.as_deref())
            .bind(row.admitted_at)
            .bind(row.decision.as_deref())
            .bind(row.audio_input_tokens)
            .bind(row.image_input_tokens)
            .bind(row.audio_output_tokens)
            .bind(row.image_output_tokens);
        if query.execute(&mut **tx).await?.rows_affected() == 1 {
            fresh.insert(row.id);
        }
    }
    Ok(fresh)
}
