//! Questions to the ledger that sums answer.
//!
//! [`source`] chooses the table and holds the statement to the filter; here it is grouped and read.

mod source;

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use super::rollup::Sums;
use crate::api::error::Error;
use crate::api::usage::{
    UsageFilter, UsageGroup, UsageGrouping, UsageOrder, UsageSubject, UsageSummary, UsageTotals,
};
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;
use source::Question;

/// The subject's column comes as `subject`.
#[derive(sqlx::FromRow)]
struct UuidGroup {
    /// None: no provider was asked, says a record.
    subject: Option<Uuid>,
    #[sqlx(flatten)]
    totals: Sums,
}

#[derive(sqlx::FromRow)]
struct TextGroup {
    subject: String,
    #[sqlx(flatten)]
    totals: Sums,
}

#[derive(sqlx::FromRow)]
struct HourGroup {
    subject: i64,
    #[sqlx(flatten)]
    totals: Sums,
}

impl Database {
    pub(super) async fn summarize(
        &self,
        filter: &UsageFilter,
        grouping: Option<UsageGrouping>,
        order: UsageOrder,
        limit: u32,
    ) -> Result<UsageSummary, Error> {
        let from = filter.from.hour();
        // The hour that holds the last millisecond counts whole.
        let to = UnixMs(filter.to.0.saturating_sub(1)).hour().plus_ms(3_600_000);
        let filter = UsageFilter {
            from,
            to,
            ..filter.clone()
        };
        let question = Question {
            filter,
            grouping,
            order,
            limit: match grouping {
                // Their sums are not the total.
                Some(UsageGrouping::Session) => limit,
                // With all groups at hand, the total need not be asked for.
                Some(_) | None => limit.max(UsageSummary::MAX_GROUPS),
            }
            .min(UsageSummary::ALL_GROUPS),
        };
        let mut tx = self.pools.read().await?;
        let mut groups = match grouping {
            Some(grouping) => groups(&mut tx, &question, grouping).await?,
            None => Vec::new(),
        };
        let all = usize::try_from(question.limit).unwrap_or(usize::MAX);
        let complete = grouping.is_some_and(|by| by != UsageGrouping::Session) && groups.len() <= all;
        let totals = match complete {
            true => summed(&groups),
            false => {
                let totals: Sums = tx.fetch_one(question.summed(sql("SELECT "))).await?;
                totals.totals()
            }
        };
        tx.commit().await?;
        let most = all.min(usize::try_from(limit).unwrap_or(usize::MAX));
        let truncated = groups.len() > most;
        groups.truncate(most);
        Ok(UsageSummary {
            from,
            to,
            totals,
            groups,
            truncated,
        })
    }
}

/// Qualified, the names are those of the rows and not of their sums.
const TOKENS_FIRST: &str = " ORDER BY SUM(calls.input_tokens + calls.output_tokens + calls.cache_read_tokens \
    + calls.cache_write_tokens + calls.cache_write_1h_tokens + calls.cache_write_12h_tokens) DESC, 1 LIMIT ";

async fn groups(
    tx: &mut Tx,
    question: &Question,
    grouping: UsageGrouping,
) -> Result<Vec<UsageGroup>, sqlx::Error> {
    let query = grouped(question, grouping);
    Ok(match grouping {
        UsageGrouping::User | UsageGrouping::Key | UsageGrouping::Provider => {
            let rows: Vec<UuidGroup> = tx.fetch_all(query).await?;
            rows.into_iter().map(|row| row.group(grouping)).collect()
        }
        UsageGrouping::Model | UsageGrouping::Session => {
            let rows: Vec<TextGroup> = tx.fetch_all(query).await?;
            rows.into_iter().map(|row| row.group(grouping)).collect()
        }
        UsageGrouping::Hour => {
            let rows: Vec<HourGroup> = tx.fetch_all(query).await?;
            rows.into_iter().map(HourGroup::group).collect()
        }
    })
}

fn grouped(question: &Question, grouping: UsageGrouping) -> Query {
    let subject = match grouping {
        UsageGrouping::User => "user_id",
        UsageGrouping::Key => "key_id",
        UsageGrouping::Provider => "provider_id",
        UsageGrouping::Model => "model",
        UsageGrouping::Hour => "hour",
        UsageGrouping::Session => "session",
    };
    let order = match (grouping, question.order) {
        (UsageGrouping::Hour, _) => " ORDER BY subject LIMIT ",
        (_, UsageOrder::Cost) => " ORDER BY cost_nanousd DESC, requests DESC, subject LIMIT ",
        (_, UsageOrder::Requests) => " ORDER BY requests DESC, cost_nanousd DESC, subject LIMIT ",
        (_, UsageOrder::Tokens) => TOKENS_FIRST,
    };
    let query = sql("SELECT ").push(subject).push(" AS subject, ");
    let mut query = question.summed(query);
    if grouping == UsageGrouping::Session {
        // No session is none in common.
        query = query.push(" WHERE session IS NOT NULL");
    }
    let query = query.push(" GROUP BY ").push(subject).push(order);
    // One more tells whether there are more.
    query.push_bind(question.limit.saturating_add(1))
}

/// What all groups have together, when there are all.
fn summed(groups: &[UsageGroup]) -> UsageTotals {
    let mut totals = UsageTotals::default();
    for group in groups {
        totals += group.totals;
    }
    totals
}

impl UuidGroup {
    fn group(self, grouping: UsageGrouping) -> UsageGroup {
        let id = self.subject.unwrap_or_default();
        let subject = match grouping {
            UsageGrouping::User => UsageSubject::User(UserId(id)),
            UsageGrouping::Key => UsageSubject::Key(KeyId(id)),
            UsageGrouping::Provider | UsageGrouping::Model | UsageGrouping::Hour | UsageGrouping::Session => {
                UsageSubject::Provider((!id.is_nil()).then_some(ProviderId(id)))
            }
        };
        UsageGroup {
            subject,
            totals: self.totals.totals(),
        }
    }
}

impl TextGroup {
    fn group(self, grouping: UsageGrouping) -> UsageGroup {
        let subject = match grouping {
            UsageGrouping::Session => UsageSubject::Session(self.subject),
            UsageGrouping::User
            | UsageGrouping::Key
            | UsageGrouping::Provider
            | UsageGrouping::Model
            | UsageGrouping::Hour => UsageSubject::Model(self.subject),
        };
        UsageGroup {
            subject,
            totals: self.totals.totals(),
        }
    }
}

impl HourGroup {
    fn group(self) -> UsageGroup {
        UsageGroup {
            subject: UsageSubject::Hour(UnixMs(self.subject)),
            totals: self.totals.totals(),
        }
    }
}
