//! Usage records ↔ their columns.

use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, TokenUsage, UsageRecord};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Database, call};
use crate::api::error::Error;
use crate::api::usage::UsageFilter;
use crate::sql::query::{Query, sql};
use crate::sql::value::{Value, storable, word};

/// A record as both databases hold it. The order is that of the columns.
#[derive(Clone, sqlx::FromRow)]
pub(crate) struct LedgerRow {
    pub(crate) id: Uuid,
    pub(crate) started_at: i64,
    pub(crate) user_id: Uuid,
    pub(crate) key_id: Uuid,
    pub(crate) provider_id: Option<Uuid>,
    pub(crate) dialect: String,
    pub(crate) model: String,
    pub(crate) model_served: String,
    pub(crate) stream: bool,
    pub(crate) status: i64,
    pub(crate) outcome: String,
    pub(crate) code: Option<String>,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) cache_read_tokens: i64,
    pub(crate) cache_write_tokens: i64,
    pub(crate) cache_write_1h_tokens: i64,
    pub(crate) cache_write_12h_tokens: i64,
    pub(crate) reasoning_tokens: i64,
    pub(crate) web_searches: i64,
    pub(crate) tier: String,
    pub(crate) factors: Json,
    pub(crate) estimated: bool,
    pub(crate) cost_nanousd: i64,
    pub(crate) price_name: Option<String>,
    pub(crate) price_version: Option<i64>,
    pub(crate) cost_multiplier: i64,
    pub(crate) duration_ms: i64,
    pub(crate) first_byte_ms: Option<i64>,
    pub(crate) attempts: i64,
    pub(crate) session: Option<String>,
    pub(crate) revision: i64,
    pub(crate) node_id: String,
    pub(crate) upstream_request_id: Option<String>,
    pub(crate) unpriced: Option<String>,
    pub(crate) admitted_at: Option<i64>,
    pub(crate) audio_input_tokens: i64,
    pub(crate) image_input_tokens: i64,
    pub(crate) audio_output_tokens: i64,
    pub(crate) image_output_tokens: i64,
    /// Only in one that is read alone.
    pub(crate) decision: Option<String>,
}

/// All but the decision.
macro_rules! columns {
    () => {
        "id, started_at, user_id, key_id, provider_id, dialect, model, model_served, stream, status, outcome, code, \
         input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, \
         cache_write_12h_tokens, reasoning_tokens, web_searches, tier, factors, estimated, cost_nanousd, price_name, \
         price_version, cost_multiplier, duration_ms, first_byte_ms, attempts, session, revision, node_id, \
         upstream_request_id, unpriced, admitted_at, audio_input_tokens, image_input_tokens, audio_output_tokens, \
         image_output_tokens"
    };
}
pub(super) use columns;

/// More than this of anything in one record is a mistake; sums of such records cannot overflow for a long time.
const MAX_COUNT: u64 = 1 << 43;
const MAX_COST: u64 = 1 << 50;
const MAX_RECORDS: u32 = 1000;
pub(super) const DAY_MS: i64 = 86_400_000;

impl Database {
    pub(super) async fn newest_records(
        &self,
        filter: &UsageFilter,
        limit: u32,
        before: Option<RequestId>,
    ) -> Result<Vec<UsageRecord>, Error> {
        let query = sql(concat!(
            "SELECT ",
            columns!(),
            ", NULL AS decision FROM usage_records WHERE started_at >= $1 AND started_at < $2"
        ));
        let query = in_range(query, filter)
            .push_some(" AND id < ", before.map(|id| id.0))
            .push(" ORDER BY id DESC LIMIT ")
            .push_bind(limit.min(MAX_RECORDS));
        let mut tx = self.pools.read().await?;
        let rows: Vec<LedgerRow> = tx.fetch_all(query).await?;
        tx.commit().await?;
        Ok(rows.into_iter().filter_map(LedgerRow::readable).collect())
    }
}

/// A statement on records that ends with `started_at >= $1 AND started_at < $2`, held to the filter.
pub(super) fn in_range(query: Query, filter: &UsageFilter) -> Query {
    let query = query
        .bind(filter.from)
        .bind(filter.to)
        // These two let Postgres leave out whole partitions.
        .push_some(
            " AND id >= ",
            Some(first_id(filter.from.0.saturating_sub(DAY_MS))),
        )
        .push_some(" AND id < ", Some(first_id(filter.to.0.saturating_add(DAY_MS))))
        .push_some(" AND session = ", filter.session.as_deref())
        .push_some(" AND outcome = ", filter.outcome.map(Outcome::as_str));
    let query = match filter.status {
        Some((from, to)) if from == to => query.push(" AND status = ").push_bind(i64::from(from)),
        Some((from, to)) => query
            .push(" AND status >= ")
            .push_bind(i64::from(from))
            .push(" AND status <= ")
            .push_bind(i64::from(to)),
        None => query,
    };
    of_subjects(query, filter)
}

/// Held to the filter's subjects and its model.
pub(super) fn of_subjects(query: Query, filter: &UsageFilter) -> Query {
    let query = query
        .push_some(" AND user_id = ", filter.user.map(|id| id.0))
        .push_some(" AND key_id = ", filter.key.map(|id| id.0))
        .push_some(" AND provider_id = ", filter.provider.map(|id| id.0))
        .push_some(" AND model = ", filter.model.as_deref());
    let Some(among) = &filter.among else {
        return query;
    };
    let users: Vec<Value> = among.users.iter().map(|id| id.0.into()).collect();
    let keys: Vec<Value> = among.keys.iter().map(|id| id.0.into()).collect();
    match (users.is_empty(), keys.is_empty()) {
        (true, true) => query.push(" AND 1 = 0"),
        (false, true) => query.push(" AND user_id IN ").push_list(users),
        (true, false) => query.push(" AND key_id IN ").push_list(keys),
        (false, false) => query
            .push(" AND (user_id IN ")
            .push_list(users)
            .push(" OR key_id IN ")
            .push_list(keys)
            .push(")"),
    }
}

/// The lowest UUIDv7 of an instant or later.
pub(super) fn first_id(unix_ms: i64) -> Uuid {
    let ms = u64::try_from(unix_ms).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(u128::from(ms) << 80)
}

impl LedgerRow {
    /// What is wrong with a record that can never be stored is the error.
    pub(super) fn new(record: &UsageRecord) -> Result<Self, String> {
        let tokens = &record.tokens;
        if record.cost.0.unsigned_abs() > MAX_COST {
            return Err(format!("a cost of {} USD cannot be", record.cost));
        }
        let text = |text: &Option<String>| text.as_deref().map(storable);
        Ok(Self {
            id: record.id.0,
            started_at: record.started_at.0,
            user_id: record.user_id.0,
            key_id: record.key_id.0,
            provider_id: record.provider_id.map(|id| id.0),
            dialect: storable(&record.dialect),
            model: storable(&record.model),
            model_served: storable(&record.model_served),
            stream: record.stream,
            status: record.status.into(),
            outcome: record.outcome.as_str().to_owned(),
            code: text(&record.code),
            input_tokens: column("input tokens", tokens.input)?,
            output_tokens: column("output tokens", tokens.output)?,
            cache_read_tokens: column("cache read tokens", tokens.cache_read)?,
            cache_write_tokens: column("cache write tokens", tokens.cache_write)?,
            cache_write_1h_tokens: column("1 h cache write tokens", tokens.cache_write_1h)?,
            cache_write_12h_tokens: column("12 h cache write tokens", tokens.cache_write_12h)?,
            reasoning_tokens: column("reasoning tokens", tokens.reasoning)?,
            web_searches: tokens.web_searches.into(),
            tier: required("tier", tokens.tier)?,
            factors: tokens.factors.iter().map(|factor| storable(factor)).collect(),
            estimated: record.estimated,
            cost_nanousd: record.cost.0,
            price_name: record.price.as_ref().map(|(name, _)| storable(name)),
            price_version: record
                .price
                .as_ref()
                .map(|(_, version)| column("price version", *version))
                .transpose()?,
            cost_multiplier: record.cost_multiplier.0.into(),
            duration_ms: record.duration_ms.into(),
            first_byte_ms: record.first_byte_ms.map(i64::from),
            attempts: record.attempts.into(),
            session: text(&record.session),
            revision: column("revision", record.revision)?,
            node_id: storable(&record.node_id),
            upstream_request_id: text(&record.upstream_request_id),
            unpriced: record
                .unpriced
                .map(|action| required("unpriced", action))
                .transpose()?,
            admitted_at: record.admitted_at.map(|at| at.0),
            audio_input_tokens: column("audio input tokens", tokens.audio_input)?,
            image_input_tokens: column("image input tokens", tokens.image_input)?,
            audio_output_tokens: column("audio output tokens", tokens.audio_output)?,
            image_output_tokens: column("image output tokens", tokens.image_output)?,
            decision: record.decision.as_deref().and_then(call::write),
        })
    }

    /// When its cost counts.
    pub(super) fn booked_at(&self) -> i64 {
        self.admitted_at.unwrap_or(self.started_at)
    }

    /// None, and a line in the log, for a row that this release cannot read.
    pub(super) fn readable(self) -> Option<UsageRecord> {
        let id = self.id;
        self.record()
            .inspect_err(|problem| {
                tracing::error!(%id, problem, "a usage record cannot be read; it is left out of the list");
            })
            .ok()
    }

    pub(super) fn record(self) -> Result<UsageRecord, String> {
        Ok(UsageRecord {
            admitted_at: self.admitted_at.map(UnixMs),
            id: RequestId(self.id),
            started_at: UnixMs(self.started_at),
            user_id: UserId(self.user_id),
            key_id: KeyId(self.key_id),
            provider_id: self.provider_id.map(ProviderId),
            dialect: self.dialect,
            model: self.model,
            model_served: self.model_served,
            stream: self.stream,
            status: number("status", self.status)?,
            outcome: known("outcome", self.outcome)?,
            code: self.code,
            tokens: TokenUsage {
                input: number("input_tokens", self.input_tokens)?,
                output: number("output_tokens", self.output_tokens)?,
                cache_read: number("cache_read_tokens", self.cache_read_tokens)?,
                cache_write: number("cache_write_tokens", self.cache_write_tokens)?,
                cache_write_1h: number("cache_write_1h_tokens", self.cache_write_1h_tokens)?,
                cache_write_12h: number("cache_write_12h_tokens", self.cache_write_12h_tokens)?,
                reasoning: number("reasoning_tokens", self.reasoning_tokens)?,
                audio_input: number("audio_input_tokens", self.audio_input_tokens)?,
                image_input: number("image_input_tokens", self.image_input_tokens)?,
                audio_output: number("audio_output_tokens", self.audio_output_tokens)?,
                image_output: number("image_output_tokens", self.image_output_tokens)?,
                web_searches: number("web_searches", self.web_searches)?,
                tier: known("tier", self.tier)?,
                factors: serde_json::from_value(self.factors).map_err(|e| format!("factors: {e}"))?,
            },
            estimated: self.estimated,
            cost: NanoUsd(self.cost_nanousd),
            price: match self.price_name.zip(self.price_version) {
                Some((name, version)) => Some((name, number("price_version", version)?)),
                None => None,
            },
            cost_multiplier: Millionths(number("cost_multiplier", self.cost_multiplier)?),
            duration_ms: number("duration_ms", self.duration_ms)?,
            first_byte_ms: self
                .first_byte_ms
                .map(|ms| number("first_byte_ms", ms))
                .transpose()?,
            attempts: number("attempts", self.attempts)?,
            session: self.session,
            revision: number("revision", self.revision)?,
            node_id: self.node_id,
            upstream_request_id: self.upstream_request_id,
            unpriced: self
                .unpriced
                .map(|action| known("unpriced", action))
                .transpose()?,
            decision: self.decision.as_deref().and_then(call::read),
        })
    }
}

fn column(what: &str, count: u64) -> Result<i64, String> {
    if count > MAX_COUNT {
        return Err(format!("{count} {what} cannot be"));
    }
    i64::try_from(count).map_err(|e| e.to_string())
}

fn required<T: Serialize>(what: &str, value: T) -> Result<String, String> {
    word(value).ok_or_else(|| format!("{what} is not a word"))
}

fn number<T: TryFrom<i64>>(what: &str, value: i64) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("{what}: {value} is out of range"))
}

fn known<T: DeserializeOwned>(what: &str, text: String) -> Result<T, String> {
    serde_json::from_value(Json::String(text)).map_err(|e| format!("{what}: {e}"))
}
