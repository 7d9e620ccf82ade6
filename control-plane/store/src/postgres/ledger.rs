//! The ledger on Postgres: inserting by columns, and monthly partitions.
//!
//! A batch goes in as one statement with one array a column, which costs the same to parse whatever the batch's size.

use std::collections::HashSet;

use penstock_core::time::UnixMs;
use sqlx::{Executor, PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::api::error::Error;
use crate::database::records::LedgerRow;
use crate::sql::tx::answered;

const INSERT: &str = "INSERT INTO usage_records (id, started_at, user_id, key_id, provider_id, dialect, model, \
    model_served, stream, status, outcome, code, input_tokens, output_tokens, cache_read_tokens, \
    cache_write_tokens, cache_write_1h_tokens, cache_write_12h_tokens, reasoning_tokens, web_searches, \
    tier, factors, estimated, cost_nanousd, price_name, price_version, cost_multiplier, duration_ms, \
    first_byte_ms, attempts, session, revision, node_id, upstream_request_id, unpriced, admitted_at, decision, \
    audio_input_tokens, image_input_tokens, audio_output_tokens, image_output_tokens) SELECT * FROM \
    UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], \
    $8::text[], $9::bool[], $10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], \
    $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], \
    $21::text[], $22::jsonb[], $23::bool[], $24::bigint[], $25::text[], $26::bigint[], $27::bigint[], \
    $28::bigint[], $29::bigint[], $30::bigint[], $31::text[], $32::bigint[], $33::text[], $34::text[], \
    $35::text[], $36::bigint[], $37::text[], $38::bigint[], $39::bigint[], $40::bigint[], $41::bigint[]) ON CONFLICT (id) DO NOTHING RETURNING id";

/// Inserts what is not there yet and answers with its ids.
pub(crate) async fn insert<'a>(
    tx: &mut Transaction<'static, Postgres>,
    rows: impl Iterator<Item = &'a LedgerRow> + Clone,
) -> Result<HashSet<Uuid>, sqlx::Error> {
    macro_rules! column {
        ($field:ident) => {
            rows.clone()
                .map(|row| row.$field.clone())
                .collect::<Vec<_>>()
        };
    }
    let query = sqlx::query_scalar(INSERT)
        .bind(column!(id))
        .bind(column!(started_at))
        .bind(column!(user_id))
        .bind(column!(key_id))
        .bind(column!(provider_id))
        .bind(column!(dialect))
        .bind(column!(model))
        .bind(column!(model_served))
        .bind(column!(stream))
        .bind(column!(status))
        .bind(column!(outcome))
        .bind(column!(code))
        .bind(column!(input_tokens))
        .bind(column!(output_tokens))
        .bind(column!(cache_read_tokens))
        .bind(column!(cache_write_tokens))
        .bind(column!(cache_write_1h_tokens))
        .bind(column!(cache_write_12h_tokens))
        .bind(column!(reasoning_tokens))
        .bind(column!(web_searches))
        .bind(column!(tier))
        .bind(column!(factors))
        .bind(column!(estimated))
        .bind(column!(cost_nanousd))
        .bind(column!(price_name))
        .bind(column!(price_version))
        .bind(column!(cost_multiplier))
        .bind(column!(duration_ms))
        .bind(column!(first_byte_ms))
        .bind(column!(attempts))
        .bind(column!(session))
        .bind(column!(revision))
        .bind(column!(node_id))
        .bind(column!(upstream_request_id))
        .bind(column!(unpriced))
        .bind(column!(admitted_at))
        .bind(column!(decision))
        .bind(column!(audio_input_tokens))
        .bind(column!(image_input_tokens))
        .bind(column!(audio_output_tokens))
        .bind(column!(image_output_tokens));
    Ok(answered(query.fetch_all(&mut **tx)).await?.into_iter().collect())
}

/// Makes the partitions of this month and the next two. A database user that may not create tables keeps the default
/// partition: that works, and is said once a call.
pub(crate) async fn prepare(pool: &PgPool, now: UnixMs) -> Result<(), Error> {
    match make(pool, now).await {
        Ok(()) => Ok(()),
        Err(error) if super::is_privilege(&error) => {
            tracing::warn!(
                %error,
                "the database user cannot make partitions of usage_records; records go to the default partition"
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn make(pool: &PgPool, now: UnixMs) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // Months that were forgotten for long take their time to move out of the default partition.
    tx.execute("SET LOCAL statement_timeout = '10min'").await?;
    sqlx::query("SELECT usage_prepare_partitions($1)")
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
