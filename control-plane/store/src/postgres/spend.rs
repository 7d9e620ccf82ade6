//! Adding to what subjects have spent on Postgres: one statement a table, one array a column.
//!
//! The rows come in the order of locking, and an array is unfolded in its order.

use sqlx::{Postgres, Transaction};

use crate::database::spend::{Additions, Subject};
use crate::sql::tx::answered;

const MINUTES: &str = "INSERT INTO spend_minutes (subject_kind, subject_id, minute, cost_nanousd) \
    SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::bigint[], $4::bigint[]) \
    ON CONFLICT (subject_kind, subject_id, minute) \
    DO UPDATE SET cost_nanousd = spend_minutes.cost_nanousd + excluded.cost_nanousd";

const TOTALS: &str = "INSERT INTO spend_totals (subject_kind, subject_id, total_nanousd) \
    SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::bigint[]) \
    ON CONFLICT (subject_kind, subject_id) \
    DO UPDATE SET total_nanousd = spend_totals.total_nanousd + excluded.total_nanousd";

/// Adds all of it.
pub(crate) async fn add(
    tx: &mut Transaction<'static, Postgres>,
    additions: &Additions,
) -> Result<(), sqlx::Error> {
    let kinds = |subjects: &[Subject]| subjects.iter().map(|s| s.kind).collect::<Vec<_>>();
    let ids = |subjects: &[Subject]| subjects.iter().map(|s| s.id).collect::<Vec<_>>();
    let rows = &additions.minutes;
    let subjects: Vec<Subject> = rows.iter().map(|(subject, _, _)| *subject).collect();
    let query = sqlx::query(MINUTES)
        .bind(kinds(&subjects))
        .bind(ids(&subjects))
        .bind(rows.iter().map(|(_, minute, _)| *minute).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, _, cost)| *cost).collect::<Vec<_>>());
    answered(query.execute(&mut **tx)).await?;
    let rows = &additions.totals;
    let subjects: Vec<Subject> = rows.iter().map(|(subject, _)| *subject).collect();
    let query = sqlx::query(TOTALS)
        .bind(kinds(&subjects))
        .bind(ids(&subjects))
        .bind(rows.iter().map(|(_, cost)| *cost).collect::<Vec<_>>());
    answered(query.execute(&mut **tx)).await?;
    Ok(())
}
