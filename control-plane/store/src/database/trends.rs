//! How calls ended and how long they took, from the hourly sums.

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_core::usage::times::{BUCKETS, Times};
use uuid::Uuid;

use super::Database;
use crate::api::error::Error;
use crate::api::trends::{Endings, Kind, Route, TrendFilter, Trends};
use crate::sql::query::{Query, sql};

#[derive(sqlx::FromRow)]
struct EndingsRow {
    calls: i64,
    succeeded: i64,
    failed: i64,
    rejected: i64,
    client_aborts: i64,
    retried: i64,
    retried_succeeded: i64,
    upstream_rate_limited: i64,
    rate_limited: i64,
}

#[derive(sqlx::FromRow)]
struct HourRow {
    hour: i64,
    #[sqlx(flatten)]
    endings: EndingsRow,
}

#[derive(sqlx::FromRow)]
struct RouteRow {
    provider_id: Uuid,
    model: String,
    #[sqlx(flatten)]
    endings: EndingsRow,
}

#[derive(sqlx::FromRow)]
struct KindRow {
    outcome: String,
    status: i64,
    code: String,
    calls: i64,
}

#[derive(sqlx::FromRow)]
struct TimesRow {
    provider_id: Uuid,
    model: String,
    duration_ms: i64,
    duration_0: i64,
    duration_1: i64,
    duration_2: i64,
    duration_3: i64,
    duration_4: i64,
    duration_5: i64,
    duration_6: i64,
    duration_7: i64,
    duration_8: i64,
    duration_9: i64,
    duration_10: i64,
    duration_11: i64,
    first_byte_ms: i64,
    first_byte_0: i64,
    first_byte_1: i64,
    first_byte_2: i64,
    first_byte_3: i64,
    first_byte_4: i64,
    first_byte_5: i64,
    first_byte_6: i64,
    first_byte_7: i64,
    first_byte_8: i64,
    first_byte_9: i64,
    first_byte_10: i64,
    first_byte_11: i64,
}

macro_rules! sum_of {
    ($what:literal, $name:literal) => {
        concat!("CAST(COALESCE(SUM(", $what, "), 0) AS BIGINT) AS ", $name)
    };
}

/// What outcomes mean: `penstock_core::usage::Outcome::failed`.
const ENDINGS: &str = concat!(
    sum_of!("calls", "calls"),
    ", ",
    sum_of!(
        "CASE WHEN outcome = 'succeeded' THEN calls ELSE 0 END",
        "succeeded"
    ),
    ", ",
    sum_of!(
        "CASE WHEN outcome IN ('upstream_error', 'interrupted', 'failed') THEN calls ELSE 0 END",
        "failed"
    ),
    ", ",
    sum_of!("CASE WHEN outcome = 'rejected' THEN calls ELSE 0 END", "rejected"),
    ", ",
    sum_of!(
        "CASE WHEN outcome = 'client_abort' THEN calls ELSE 0 END",
        "client_aborts"
    ),
    ", ",
    sum_of!("retried", "retried"),
    ", ",
    sum_of!(
        "CASE WHEN outcome = 'succeeded' THEN retried ELSE 0 END",
        "retried_succeeded"
    ),
    ", ",
    sum_of!(
        "CASE WHEN status = 429 AND outcome <> 'rejected' THEN calls ELSE 0 END",
        "upstream_rate_limited"
    ),
    ", ",
    sum_of!(
        "CASE WHEN status = 429 AND outcome = 'rejected' THEN calls ELSE 0 END",
        "rate_limited"
    ),
    " FROM usage_outcomes WHERE hour >= ",
);

macro_rules! times {
    ($($name:literal),*) => {
        concat!("SELECT provider_id, model", $(", ", "CAST(SUM(", $name, ") AS BIGINT) AS ", $name),*,
            " FROM usage_traffic WHERE hour >= ")
    };
}

const TIMES: &str = times!(
    "duration_ms",
    "duration_0",
    "duration_1",
    "duration_2",
    "duration_3",
    "duration_4",
    "duration_5",
    "duration_6",
    "duration_7",
    "duration_8",
    "duration_9",
    "duration_10",
    "duration_11",
    "first_byte_ms",
    "first_byte_0",
    "first_byte_1",
    "first_byte_2",
    "first_byte_3",
    "first_byte_4",
    "first_byte_5",
    "first_byte_6",
    "first_byte_7",
    "first_byte_8",
    "first_byte_9",
    "first_byte_10",
    "first_byte_11"
);

impl Database {
    pub(super) async fn read_trends(&self, filter: &TrendFilter) -> Result<Trends, Error> {
        let span = TrendFilter {
            from: filter.from.hour(),
            to: UnixMs(filter.to.0.saturating_sub(1)).hour().plus_ms(3_600_000),
            ..filter.clone()
        };
        let mut tx = self.pools.read().await?;
        let hours = restrict(sql("SELECT hour, ").push(ENDINGS), &span).push(" GROUP BY hour ORDER BY hour");
        let hours: Vec<HourRow> = tx.fetch_all(hours).await?;
        let routes = restrict(sql("SELECT provider_id, model, ").push(ENDINGS), &span)
            .push(" GROUP BY provider_id, model ORDER BY calls DESC, provider_id, model LIMIT ")
            .push_bind(Trends::MAX_ROUTES);
        let routes: Vec<RouteRow> = tx.fetch_all(routes).await?;
        let kinds = sql(
            "SELECT outcome, status, code, CAST(SUM(calls) AS BIGINT) AS calls FROM usage_outcomes WHERE hour >= ",
        );
        let kinds = restrict(kinds, &span)
            .push(" AND outcome <> 'succeeded' GROUP BY outcome, status, code ORDER BY calls DESC, outcome, status, code LIMIT ")
            .push_bind(Trends::MAX_KINDS);
        let kinds: Vec<KindRow> = tx.fetch_all(kinds).await?;
        let times = restrict(sql(TIMES), &span).push(" GROUP BY provider_id, model");
        let times: Vec<TimesRow> = tx.fetch_all(times).await?;
        tx.commit().await?;
        let hours = hours
            .into_iter()
            .map(|row| (UnixMs(row.hour), row.endings.read()));
        Ok(Trends {
            from: span.from,
            to: span.to,
            hours: hours.collect(),
            routes: routes.into_iter().map(|row| row.with(&times)).collect(),
            kinds: kinds.into_iter().filter_map(KindRow::read).collect(),
        })
    }
}

fn restrict(query: Query, filter: &TrendFilter) -> Query {
    query
        .push_bind(filter.from)
        .push(" AND hour < ")
        .push_bind(filter.to)
        .push_some(" AND provider_id = ", filter.provider.map(|id| id.0))
        .push_some(" AND model = ", filter.model.as_deref())
}

impl EndingsRow {
    fn read(&self) -> Endings {
        Endings {
            calls: self.calls.unsigned_abs(),
            succeeded: self.succeeded.unsigned_abs(),
            failed: self.failed.unsigned_abs(),
            rejected: self.rejected.unsigned_abs(),
            client_aborts: self.client_aborts.unsigned_abs(),
            retried: self.retried.unsigned_abs(),
            retried_succeeded: self.retried_succeeded.unsigned_abs(),
            upstream_rate_limited: self.upstream_rate_limited.unsigned_abs(),
            rate_limited: self.rate_limited.unsigned_abs(),
        }
    }
}

impl RouteRow {
    fn with(self, times: &[TimesRow]) -> Route {
        let timed = times
            .iter()
            .find(|timed| timed.provider_id == self.provider_id && timed.model == self.model);
        Route {
            provider: (!self.provider_id.is_nil()).then_some(ProviderId(self.provider_id)),
            endings: self.endings.read(),
            duration: timed.map(TimesRow::duration).unwrap_or_default(),
            first_byte: timed.map(TimesRow::first_byte).unwrap_or_default(),
            model: self.model,
        }
    }
}

impl KindRow {
    /// None for an outcome of a newer release.
    fn read(self) -> Option<Kind> {
        Some(Kind {
            outcome: serde_json::from_value(serde_json::Value::String(self.outcome)).ok()?,
            status: u16::try_from(self.status).ok()?,
            code: self.code,
            calls: self.calls.unsigned_abs(),
        })
    }
}

impl TimesRow {
    fn duration(&self) -> Times {
        let counts: [i64; BUCKETS] = [
            self.duration_0,
            self.duration_1,
            self.duration_2,
            self.duration_3,
            self.duration_4,
            self.duration_5,
            self.duration_6,
            self.duration_7,
            self.duration_8,
            self.duration_9,
            self.duration_10,
            self.duration_11,
        ];
        Times {
            sum_ms: self.duration_ms.unsigned_abs(),
            counts: counts.map(i64::unsigned_abs),
        }
    }

    fn first_byte(&self) -> Times {
        let counts: [i64; BUCKETS] = [
            self.first_byte_0,
            self.first_byte_1,
            self.first_byte_2,
            self.first_byte_3,
            self.first_byte_4,
            self.first_byte_5,
            self.first_byte_6,
            self.first_byte_7,
            self.first_byte_8,
            self.first_byte_9,
            self.first_byte_10,
            self.first_byte_11,
        ];
        Times {
            sum_ms: self.first_byte_ms.unsigned_abs(),
            counts: counts.map(i64::unsigned_abs),
        }
    }
}
