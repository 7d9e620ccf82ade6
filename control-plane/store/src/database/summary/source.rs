//! Which table answers a question.
//!
//! The smallest that knows its dimensions: `usage_traffic` (hour, provider, model), when neither users nor keys are named;
//! `usage_days` for the whole UTC days of a span and `usage_rollups` for the hours at its ends, when they are;
//! `usage_rollups` alone for users' and keys' hours. What no sums know (sessions, statuses, outcomes) is summed from the
//! records, as far back as they are kept.

use crate::api::usage::{UsageFilter, UsageGrouping, UsageOrder};
use crate::database::records::{DAY_MS, in_range, of_subjects};
use crate::sql::query::Query;

/// Sums of bigints are wider on Postgres; cast, both databases give the same.
const SUMS: &str = "CAST(COALESCE(SUM(requests), 0) AS BIGINT) AS requests, \
    CAST(COALESCE(SUM(rejected), 0) AS BIGINT) AS rejected, \
    CAST(COALESCE(SUM(unpriced_requests), 0) AS BIGINT) AS unpriced_requests, \
    CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens, \
    CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens, \
    CAST(COALESCE(SUM(cache_read_tokens), 0) AS BIGINT) AS cache_read_tokens, \
    CAST(COALESCE(SUM(cache_write_tokens), 0) AS BIGINT) AS cache_write_tokens, \
    CAST(COALESCE(SUM(cache_write_1h_tokens), 0) AS BIGINT) AS cache_write_1h_tokens, \
    CAST(COALESCE(SUM(cache_write_12h_tokens), 0) AS BIGINT) AS cache_write_12h_tokens, \
    CAST(COALESCE(SUM(reasoning_tokens), 0) AS BIGINT) AS reasoning_tokens, \
    CAST(COALESCE(SUM(web_searches), 0) AS BIGINT) AS web_searches, \
    CAST(COALESCE(SUM(cost_nanousd), 0) AS BIGINT) AS cost_nanousd, \
    CAST(COALESCE(SUM(audio_input_tokens), 0) AS BIGINT) AS audio_input_tokens, \
    CAST(COALESCE(SUM(image_input_tokens), 0) AS BIGINT) AS image_input_tokens, \
    CAST(COALESCE(SUM(audio_output_tokens), 0) AS BIGINT) AS audio_output_tokens, \
    CAST(COALESCE(SUM(image_output_tokens), 0) AS BIGINT) AS image_output_tokens FROM (";

/// The columns of sums, of one row of a table of them.
macro_rules! summed {
    () => {
        "requests, rejected, unpriced_requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, \
         cache_write_1h_tokens, cache_write_12h_tokens, reasoning_tokens, web_searches, cost_nanousd, \
         audio_input_tokens, image_input_tokens, audio_output_tokens, image_output_tokens"
    };
}

/// The same of one record. Which outcomes count as answered: `Outcome::answered`.
const OF_RECORDS: &str = "SELECT user_id, key_id, provider_id, model, session, \
    started_at - started_at % 3600000 AS hour, \
    CASE WHEN outcome IN ('rejected', 'failed') THEN 0 ELSE 1 END AS requests, \
    CASE WHEN outcome IN ('rejected', 'failed') THEN 1 ELSE 0 END AS rejected, \
    CASE WHEN unpriced IS NULL OR outcome IN ('rejected', 'failed') THEN 0 ELSE 1 END AS unpriced_requests, \
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, \
    cache_write_12h_tokens, reasoning_tokens, web_searches, cost_nanousd, \
    audio_input_tokens, image_input_tokens, audio_output_tokens, image_output_tokens \
    FROM usage_records WHERE started_at >= $1 AND started_at < $2";

const OF_TRAFFIC: &str = concat!(
    "SELECT hour, provider_id, model, ",
    summed!(),
    " FROM usage_traffic WHERE hour >= "
);
const OF_HOURS: &str = concat!(
    "SELECT hour, user_id, key_id, provider_id, model, ",
    summed!(),
    " FROM usage_rollups WHERE hour >= "
);
const OF_DAYS: &str = concat!(
    "SELECT day, user_id, key_id, provider_id, model, ",
    summed!(),
    " FROM usage_days WHERE day >= "
);

/// What is asked of a span.
pub(super) struct Question {
    /// Of whole hours.
    pub(super) filter: UsageFilter,
    pub(super) grouping: Option<UsageGrouping>,
    pub(super) order: UsageOrder,
    pub(super) limit: u32,
}

/// Which table answers.
enum Source {
    Records,
    Traffic,
    Hours,
    DaysAndHours,
}

impl Question {
    /// Continues a statement up to the end of its `FROM`.
    pub(super) fn summed(&self, query: Query) -> Query {
        self.rows(query.push(SUMS)).push(") AS calls")
    }

    fn source(&self) -> Source {
        let Self { filter, grouping, .. } = self;
        if filter.needs_records() || *grouping == Some(UsageGrouping::Session) {
            return Source::Records;
        }
        let subjects = filter.user.is_some()
            || filter.key.is_some()
            || filter.among.is_some()
            || matches!(grouping, Some(UsageGrouping::User | UsageGrouping::Key));
        match (subjects, grouping) {
            (false, _) => Source::Traffic,
            (true, Some(UsageGrouping::Hour)) => Source::Hours,
            (true, _) => Source::DaysAndHours,
        }
    }

    /// The rows to be summed.
    fn rows(&self, query: Query) -> Query {
        let (from, to) = (self.filter.from.0, self.filter.to.0);
        match self.source() {
            Source::Records => {
                // The records' text numbers its placeholders from 1: nothing may be bound before.
                in_range(query.push(OF_RECORDS), &self.filter)
            }
            Source::Traffic => self.part(query, OF_TRAFFIC, " AND hour < ", from, to),
            Source::Hours => self.part(query, OF_HOURS, " AND hour < ", from, to),
            Source::DaysAndHours => {
                let first = from + (DAY_MS - from.rem_euclid(DAY_MS)) % DAY_MS;
                let last = to - to.rem_euclid(DAY_MS);
                if first >= last {
                    return self.part(query, OF_HOURS, " AND hour < ", from, to);
                }
                let mut query = self.part(query, OF_DAYS, " AND day < ", first, last);
                for (from, to) in [(from, first), (last, to)] {
                    if from < to {
                        query = self.part(query.push(" UNION ALL "), OF_HOURS, " AND hour < ", from, to);
                    }
                }
                query
            }
        }
    }

    fn part(&self, query: Query, text: &'static str, below: &'static str, from: i64, to: i64) -> Query {
        let query = query.push(text).push_bind(from).push(below).push_bind(to);
        of_subjects(query, &self.filter)
    }
}
