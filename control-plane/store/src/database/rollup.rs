//! Sums over calls: what a batch of new records adds to them.
//!
//! Three tables hold the same sums, each for its questions: by hour, user, key, provider and model (`usage_rollups`); the
//! same by UTC day (`usage_days`), for months; and by hour, provider and model alone (`usage_traffic`), with how long
//! calls took. A fourth counts how calls ended (`usage_outcomes`). Rows of the first two are shared by few batches, rows of
//! the others by most: those are written last, so that batches wait for each other only for the end of a transaction.

use std::collections::BTreeMap;

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::times::{BUCKETS, bucket};
use uuid::Uuid;

use super::records::{DAY_MS, LedgerRow};
use super::sums;
use crate::api::usage::UsageTotals;
use crate::sql::tx::Tx;
use crate::sql::value::Value;

/// What a row of sums is about. The order is that in which rows are locked, the same in every batch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    /// An hour's first millisecond, or a day's.
    since: i64,
    user_id: Uuid,
    key_id: Uuid,
    /// Nil: no provider was asked.
    provider_id: Uuid,
    model: String,
}

type Traffic = (i64, Uuid, String);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Ending {
    traffic: Traffic,
    outcome: String,
    status: i64,
    code: String,
}

impl Subject {
    fn of(row: &LedgerRow) -> Self {
        Self {
            since: UnixMs(row.started_at).hour().0,
            user_id: row.user_id,
            key_id: row.key_id,
            provider_id: row.provider_id.unwrap_or_default(),
            model: row.model.clone(),
        }
    }

    fn traffic(&self) -> Traffic {
        (self.since, self.provider_id, self.model.clone())
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

/// How long calls took: the sum, and how many in each bucket.
#[derive(Clone, Copy, Default)]
struct Times {
    sum: i64,
    buckets: [i64; BUCKETS],
}

/// The sums of some records.
#[derive(Default)]
pub(super) struct Rollup {
    by_subject: BTreeMap<Subject, Sums>,
    times: BTreeMap<Traffic, (Times, Times)>,
    endings: BTreeMap<Ending, (i64, i64)>,
}

impl Rollup {
    /// `answered`: a provider answered, so it counts as a request.
    pub(super) fn add(&mut self, row: &LedgerRow, answered: bool) {
        let subject = Subject::of(row);
        let traffic = subject.traffic();
        self.by_subject
            .entry(subject)
            .or_default()
            .add(&Sums::of(row, answered));
        if answered {
            let (duration, first_byte) = self.times.entry(traffic.clone()).or_default();
            duration.add(row.duration_ms);
            if let Some(ms) = row.first_byte_ms {
                first_byte.add(ms);
            }
        }
        let ending = Ending {
            traffic,
            outcome: row.outcome.clone(),
            status: row.status,
            code: row.code.clone().unwrap_or_default(),
        };
        let (calls, retried) = self.endings.entry(ending).or_default();
        *calls += 1;
        *retried += i64::from(row.attempts > 1);
    }

    /// The same record costs something else.
    pub(super) fn adjust(&mut self, old: &LedgerRow, new: &LedgerRow) {
        let sums = self.by_subject.entry(Subject::of(old)).or_default();
        let unpriced = |row: &LedgerRow| i64::from(row.unpriced.is_some());
        sums.unpriced_requests += unpriced(new) - unpriced(old);
        sums.cost_nanousd += new.cost_nanousd - old.cost_nanousd;
    }

    /// Sums of few batches.
    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        let hours = self.by_subject.iter().map(row);
        sums::ROLLUPS.write(tx, hours).await?;
        let mut days: BTreeMap<Subject, Sums> = BTreeMap::new();
        for (subject, sums) in &self.by_subject {
            let since = subject.since - subject.since.rem_euclid(DAY_MS);
            let day = Subject {
                since,
                ..subject.clone()
            };
            days.entry(day).or_default().add(sums);
        }
        sums::DAYS.write(tx, days.iter().map(row)).await
    }

    /// Sums that most batches share: to be written last.
    pub(super) async fn write_shared(self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        let mut traffic: BTreeMap<Traffic, Sums> = BTreeMap::new();
        for (subject, sums) in &self.by_subject {
            traffic.entry(subject.traffic()).or_default().add(sums);
        }
        let rows = traffic.into_iter().map(|(key, sums)| {
            let (duration, first_byte) = self.times.get(&key).copied().unwrap_or_default();
            let (hour, provider, model) = key;
            let mut row = vec![hour.into(), provider.into(), Value::from(&model)];
            row.extend(sums.values());
            row.extend(duration.values());
            row.extend(first_byte.values());
            row
        });
        sums::TRAFFIC.write(tx, rows).await?;
        let rows = self.endings.into_iter().map(|(ending, (calls, retried))| {
            let (hour, provider, model) = &ending.traffic;
            vec![
                (*hour).into(),
                (*provider).into(),
                Value::from(model),
                Value::from(&ending.outcome),
                ending.status.into(),
                Value::from(&ending.code),
                calls.into(),
                retried.into(),
            ]
        });
        sums::OUTCOMES.write(tx, rows).await
    }
}

fn row((subject, sums): (&Subject, &Sums)) -> Vec<Value> {
    let mut row = vec![
        subject.since.into(),
        subject.user_id.into(),
        subject.key_id.into(),
        subject.provider_id.into(),
        Value::from(&subject.model),
    ];
    row.extend(sums.values());
    row
}

impl Times {
    fn add(&mut self, ms: i64) {
        self.sum += ms;
        if let Some(count) = self.buckets.get_mut(bucket(u64::try_from(ms).unwrap_or(0))) {
            *count += 1;
        }
    }

    fn values(self) -> impl Iterator<Item = Value> {
        std::iter::once(self.sum).chain(self.buckets).map(Value::from)
    }
}

impl Sums {
    fn of(row: &LedgerRow, answered: bool) -> Self {
        Self {
            requests: i64::from(answered),
            rejected: i64::from(!answered),
            unpriced_requests: i64::from(answered && row.unpriced.is_some()),
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            cache_read_tokens: row.cache_read_tokens,
            cache_write_tokens: row.cache_write_tokens,
            cache_write_1h_tokens: row.cache_write_1h_tokens,
            cache_write_12h_tokens: row.cache_write_12h_tokens,
            reasoning_tokens: row.reasoning_tokens,
            web_searches: row.web_searches,
            cost_nanousd: row.cost_nanousd,
            audio_input_tokens: row.audio_input_tokens,
            image_input_tokens: row.image_input_tokens,
            audio_output_tokens: row.audio_output_tokens,
            image_output_tokens: row.image_output_tokens,
        }
    }

    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.rejected += other.rejected;
        self.unpriced_requests += other.unpriced_requests;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.cache_write_1h_tokens += other.cache_write_1h_tokens;
        self.cache_write_12h_tokens += other.cache_write_12h_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.web_searches += other.web_searches;
        self.cost_nanousd += other.cost_nanousd;
        self.audio_input_tokens += other.audio_input_tokens;
        self.image_input_tokens += other.image_input_tokens;
        self.audio_output_tokens += other.audio_output_tokens;
        self.image_output_tokens += other.image_output_tokens;
    }

    /// In the order of [`sums::SUMS`].
    fn values(&self) -> [Value; 16] {
        [
            self.requests,
            self.rejected,
            self.unpriced_requests,
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_tokens,
            self.cache_write_1h_tokens,
            self.cache_write_12h_tokens,
            self.reasoning_tokens,
            self.web_searches,
            self.cost_nanousd,
            self.audio_input_tokens,
            self.image_input_tokens,
            self.audio_output_tokens,
            self.image_output_tokens,
        ]
        .map(Value::from)
    }

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
