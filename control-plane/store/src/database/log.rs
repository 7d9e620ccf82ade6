//! The log of all calls: the ledger's records, joined with those of the failure log.
//!
//! A call that failed is mostly in both; one that makes no usage record (a list of models, a caller who left early) is in
//! the failure log alone, and a success in the ledger alone. Each of the two gives its newest calls of the filter, and
//! the two lists become one by id; so a page is whole without looking at more than a page of each.

use std::collections::BTreeMap;

use penstock_core::id::RequestId;
use uuid::Uuid;

use super::Database;
use super::failures::{Row, failure_columns};
use super::records::{DAY_MS, LedgerRow, columns, first_id, in_range};
use crate::api::error::Error;
use crate::api::failure::{LogFilter, LogPage, LoggedCall};
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;
use crate::sql::value::Value;

const MAX_CALLS: u32 = 1000;

impl Database {
    pub(super) async fn search_log(
        &self,
        filter: &LogFilter,
        limit: u32,
        before: Option<RequestId>,
    ) -> Result<LogPage, Error> {
        let limit = limit.clamp(1, MAX_CALLS);
        let mut tx = self.pools.read().await?;
        let mut calls: BTreeMap<Uuid, LoggedCall> = BTreeMap::new();
        // What the failure log alone knows restricts the search to it.
        let by_failure = filter.error_type.is_some() || filter.error_class.is_some() || filter.failed;
        if !by_failure {
            for row in ledger(&mut tx, filter, limit, before).await? {
                calls.insert(row.id, of(row.id, row.readable()));
            }
        }
        for row in failures(&mut tx, filter, limit, before, by_failure).await? {
            let id = row.id;
            calls.entry(id).or_insert_with(|| of(id, None)).failure = Some(row.read());
        }
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut newest: Vec<_> = calls.into_values().rev().take(wanted).collect();
        let older = newest.get(wanted - 1).map(|last| last.id);
        join(&mut tx, &mut newest).await?;
        tx.commit().await?;
        newest.retain(|call| call.usage.is_some() || call.failure.is_some());
        Ok(LogPage { calls: newest, older })
    }
}

fn of(id: Uuid, usage: Option<penstock_core::usage::UsageRecord>) -> LoggedCall {
    LoggedCall {
        id: RequestId(id),
        usage,
        failure: None,
    }
}

async fn ledger(
    tx: &mut Tx,
    filter: &LogFilter,
    limit: u32,
    before: Option<RequestId>,
) -> Result<Vec<LedgerRow>, sqlx::Error> {
    let query = sql(concat!(
        "SELECT ",
        columns!(),
        ", NULL AS decision FROM usage_records WHERE started_at >= $1 AND started_at < $2"
    ));
    let mut query = common(in_range(query, &filter.usage), filter);
    if let Some(pattern) = filter.grep.as_deref().map(pattern) {
        query = query
            .push_some(" AND (LOWER(model) LIKE LOWER(", Some(pattern.as_str()))
            .push_some(
                ") ESCAPE '!' OR LOWER(COALESCE(code, '')) LIKE LOWER(",
                Some(pattern.as_str()),
            )
            .push_some(
                ") ESCAPE '!' OR LOWER(COALESCE(upstream_request_id, '')) LIKE LOWER(",
                Some(pattern.as_str()),
            )
            .push_some(") ESCAPE '!' OR id = ", Some(id_of(filter)))
            .push_some(
                " OR EXISTS (SELECT 1 FROM failed_calls f WHERE f.id = usage_records.id AND \
                 LOWER(CAST(f.record AS TEXT)) LIKE LOWER(",
                Some(pattern.as_str()),
            )
            .push(") ESCAPE '!'))");
    }
    tx.fetch_all(newest(query, limit, before)).await
}

/// `all`: also of calls that the ledger holds.
async fn failures(
    tx: &mut Tx,
    filter: &LogFilter,
    limit: u32,
    before: Option<RequestId>,
    all: bool,
) -> Result<Vec<Row>, sqlx::Error> {
    let query = sql(concat!(
        "SELECT ",
        failure_columns!(),
        " FROM failed_calls WHERE started_at >= $1 AND started_at < $2"
    ));
    let mut query = common(in_range(query, &filter.usage), filter)
        .push_some(" AND is_final = ", Some(true))
        .push_some(" AND error_type = ", filter.error_type.as_deref())
        .push_some(" AND error_class = ", filter.error_class.as_deref());
    if let Some(pattern) = filter.grep.as_deref().map(pattern) {
        query = query
            .push_some(" AND (id = ", Some(id_of(filter)))
            .push_some(
                " OR LOWER(CAST(record AS TEXT)) LIKE LOWER(",
                Some(pattern.as_str()),
            )
            .push(") ESCAPE '!')");
    }
    if !all {
        query = query.push(" AND NOT EXISTS (SELECT 1 FROM usage_records u WHERE u.id = failed_calls.id)");
    }
    tx.fetch_all(newest(query, limit, before)).await
}

/// What both tables can tell.
fn common(query: Query, filter: &LogFilter) -> Query {
    let status = filter.status.as_ref();
    query
        .push_some(" AND session = ", filter.session.as_deref())
        .push_some(" AND status >= ", status.map(|range| u32::from(*range.start())))
        .push_some(" AND status <= ", status.map(|range| u32::from(*range.end())))
        .push_some(" AND duration_ms > ", filter.slower_than_ms)
        .push_some(" AND started_at + duration_ms >= ", filter.ended_since)
}

fn newest(query: Query, limit: u32, before: Option<RequestId>) -> Query {
    query
        .push_some(" AND id < ", before.map(|id| id.0))
        .push(" ORDER BY id DESC LIMIT ")
        .push_bind(limit)
}

/// A part of a text. Its own wildcards stand for themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The text as a call's id; an id that no call has for what is none.
fn id_of(filter: &LogFilter) -> Uuid {
    let text = filter.grep.as_deref().unwrap_or_default();
    Uuid::parse_str(text.trim()).unwrap_or_else(|_| first_id(-DAY_MS))
}

/// Adds the failure records of calls that came from the ledger.
async fn join(tx: &mut Tx, calls: &mut [LoggedCall]) -> Result<(), sqlx::Error> {
    let ids: Vec<Value> = calls
        .iter()
        .filter(|call| call.failure.is_none())
        .map(|call| call.id.0.into())
        .collect();
    if ids.is_empty() {
        return join_usage(tx, calls).await;
    }
    let query = sql(concat!(
        "SELECT ",
        failure_columns!(),
        " FROM failed_calls WHERE is_final = $1 AND id IN "
    ));
    let rows: Vec<Row> = tx.fetch_all(query.bind(true).push_list(ids)).await?;
    for row in rows {
        if let Some(call) = calls.iter_mut().find(|call| call.id.0 == row.id) {
            call.failure = Some(row.read());
        }
    }
    join_usage(tx, calls).await
}

/// Adds the usage records of calls that came from the failure log.
async fn join_usage(tx: &mut Tx, calls: &mut [LoggedCall]) -> Result<(), sqlx::Error> {
    let ids: Vec<Value> = calls
        .iter()
        .filter(|call| call.usage.is_none())
        .map(|call| call.id.0.into())
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let query = sql(concat!(
        "SELECT ",
        columns!(),
        ", NULL AS decision FROM usage_records WHERE id IN "
    ));
    let rows: Vec<LedgerRow> = tx.fetch_all(query.push_list(ids)).await?;
    for row in rows {
        let id = row.id;
        if let Some(call) = calls.iter_mut().find(|call| call.id.0 == id) {
            call.usage = row.readable();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_to_look_for_stands_for_itself() {
        assert_eq!(pattern("50%_Off!"), "%50!%!_Off!!%");
    }
}
