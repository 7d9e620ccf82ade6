//! Hourly sums: what a batch of new records adds to them.

use std::collections::BTreeMap;

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::records::LedgerRow;
use crate::api::usage::UsageTotals;
use crate::sql::query::sql;
use crate::sql::tx::Tx;
use crate::sql::value::Value;

/// How many rows one statement writes; SQLite allows 32 766 values in one.
const CHUNK: usize = 500;

/// What a row of sums is about. The order is that in which rows are locked, the same in every batch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    hour: i64,
    user_id: Uuid,
    key_id: Uuid,
    /// Nil: no provider was asked.
    provider_id: Uuid,
    model: String,
}

impl Subject {
    fn of(row: &LedgerRow) -> Self {
        Self {
            hour: UnixMs(row.started_at).hour().0,
            user_id: row.user_id,
            key_id: row.key_id,
            provider_id: row.provider_id.unwrap_or_default(),
            model: row.model.clone(),
        }
    }
}

/// The columns that are summed.
#[derive(Clone, Copy, Default, sqlx::FromRow)]
pub(super) struct Sums {
    requests: i64,
    rejected: i64,
    unpriced_requests: i64,
    input_tokens: i64,
    output_tokens: i64,
    cache_read_tokens: i64,
    cache_write_tokens: i64,
    cache_write_1h_tokens: i64,
    cache_write_12h_tokens: i64,
    reasoning_tokens: i64,
    web_searches: i64,
    cost_nanousd: i64,
    audio_input_tokens: i64,
    image_input_tokens: i64,
    audio_output_tokens: i64,
    image_output_tokens: i64,
}

/// The sums of some records.
#[derive(Default)]
pub(super) struct Rollup {
    by_subject: BTreeMap<Subject, Sums>,
}

const INSERT: &str = "INSERT INTO usage_rollups (hour, user_id, key_id, provider_id, model, requests, rejected, \
    unpriced_requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, \
    cache_write_12h_tokens, reasoning_tokens, web_searches, cost_nanousd, audio_input_tokens, image_input_tokens, \
    audio_output_tokens, image_output_tokens) VALUES ";
const ADD: &str = " ON CONFLICT (hour, user_id, key_id, provider_id, model) DO UPDATE SET \
    requests = usage_rollups.requests + excluded.requests, \
    rejected = usage_rollups.rejected + excluded.rejected, \
    unpriced_requests = usage_rollups.unpriced_requests + excluded.unpriced_requests, \
    input_tokens = usage_rollups.input_tokens + excluded.input_tokens, \
    output_tokens = usage_rollups.output_tokens + excluded.output_tokens, \
    cache_read_tokens = usage_rollups.cache_read_tokens + excluded.cache_read_tokens, \
    cache_write_tokens = usage_rollups.cache_write_tokens + excluded.cache_write_tokens, \
    cache_write_1h_tokens = usage_rollups.cache_write_1h_tokens + excluded.cache_write_1h_tokens, \
    cache_write_12h_tokens = usage_rollups.cache_write_12h_tokens + excluded.cache_write_12h_tokens, \
    reasoning_tokens = usage_rollups.reasoning_tokens + excluded.reasoning_tokens, \
    web_searches = usage_rollups.web_searches + excluded.web_searches, \
    cost_nanousd = usage_rollups.cost_nanousd + excluded.cost_nanousd, \
    audio_input_tokens = usage_rollups.audio_input_tokens + excluded.audio_input_tokens, \
    image_input_tokens = usage_rollups.image_input_tokens + excluded.image_input_tokens, \
    audio_output_tokens = usage_rollups.audio_output_tokens + excluded.audio_output_tokens, \
    image_output_tokens = usage_rollups.image_output_tokens + excluded.image_output_tokens";

impl Rollup {
    /// `answered`: a provider answered, so it counts as a request.
    pub(super) fn add(&mut self, row: &LedgerRow, answered: bool) {
        let sums = self.by_subject.entry(Subject::of(row)).or_default();
        sums.requests += i64::from(answered);
        sums.rejected += i64::from(!answered);
        sums.unpriced_requests += i64::from(answered && row.unpriced.is_some());
        sums.input_tokens += row.input_tokens;
        sums.output_tokens += row.output_tokens;
        sums.cache_read_tokens += row.cache_read_tokens;
        sums.cache_write_tokens += row.cache_write_tokens;
        sums.cache_write_1h_tokens += row.cache_write_1h_tokens;
        sums.cache_write_12h_tokens += row.cache_write_12h_tokens;
        sums.reasoning_tokens += row.reasoning_tokens;
        sums.web_searches += row.web_searches;
        sums.cost_nanousd += row.cost_nanousd;
        sums.audio_input_tokens += row.audio_input_tokens;
        sums.image_input_tokens += row.image_input_tokens;
        sums.audio_output_tokens += row.audio_output_tokens;
        sums.image_output_tokens += row.image_output_tokens;
    }

    /// The same record costs something else.
    pub(super) fn adjust(&mut self, old: &LedgerRow, new: &LedgerRow) {
        let sums = self.by_subject.entry(Subject::of(old)).or_default();
        let unpriced = |row: &LedgerRow| i64::from(row.unpriced.is_some());
        sums.unpriced_requests += unpriced(new) - unpriced(old);
        sums.cost_nanousd += new.cost_nanousd - old.cost_nanousd;
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        let rows: Vec<(Subject, Sums)> = self.by_subject.into_iter().collect();
        for chunk in rows.chunks(CHUNK) {
            let mut query = sql(INSERT);
            for (i, (subject, sums)) in chunk.iter().enumerate() {
                let separator = if i == 0 { "" } else { ", " };
                query = query.push(separator).push_list(values(subject, sums));
            }
            tx.execute(query.push(ADD)).await?;
        }
        Ok(())
    }
}

impl Sums {
    /// Counts are only ever added to, so never negative; cost can be.
    pub(super) fn totals(self) -> UsageTotals {
        let count = |sum: i64| u64::try_from(sum).unwrap_or(0);
        UsageTotals {
            requests: count(self.requests),
            rejected: count(self.rejected),
            unpriced_requests: count(self.unpriced_requests),
            input_tokens: count(self.input_tokens),
            output_tokens: count(self.output_tokens),
            cache_read_tokens: count(self.cache_read_tokens),
            cache_write_tokens: count(self.cache_write_tokens),
            cache_write_1h_tokens: count(self.cache_write_1h_tokens),
            cache_write_12h_tokens: count(self.cache_write_12h_tokens),
            reasoning_tokens: count(self.reasoning_tokens),
            web_searches: count(self.web_searches),
            audio_input_tokens: count(self.audio_input_tokens),
            image_input_tokens: count(self.image_input_tokens),
            audio_output_tokens: count(self.audio_output_tokens),
            image_output_tokens: count(self.image_output_tokens),
            cost: NanoUsd(self.cost_nanousd),
        }
    }
}

fn values(subject: &Subject, sums: &Sums) -> [Value; 21] {
    [
        subject.hour.into(),
        subject.user_id.into(),
        subject.key_id.into(),
        subject.provider_id.into(),
        Value::from(&subject.model),
        sums.requests.into(),
        sums.rejected.into(),
        sums.unpriced_requests.into(),
        sums.input_tokens.into(),
        sums.output_tokens.into(),
        sums.cache_read_tokens.into(),
        sums.cache_write_tokens.into(),
        sums.cache_write_1h_tokens.into(),
        sums.cache_write_12h_tokens.into(),
        sums.reasoning_tokens.into(),
        sums.web_searches.into(),
        sums.cost_nanousd.into(),
        sums.audio_input_tokens.into(),
        sums.image_input_tokens.into(),
        sums.audio_output_tokens.into(),
        sums.image_output_tokens.into(),
    ]
}
