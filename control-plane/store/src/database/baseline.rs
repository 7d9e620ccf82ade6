//! What subjects have spent in spans until now, as at one moment.
//!
//! A span is the sum of whole days (older than 35 days), whole minutes, and the minute in which it begins, of which the
//! single records tell what came after its beginning. Whether a day was folded ([`super::fold`]) is seen from its row,
//! not from a clock: of a folded day the single records tell the part. Where they are cleaned, sums tell a little more
//! ([`super::cleaned`]).

use std::collections::{BTreeMap, HashSet};

use penstock_core::invalid::Invalid;
use penstock_core::limits::Level;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use super::cleaned;
use super::records::{DAY_MS, first_id};
use super::spend::{MINUTE_MS, Subject};
use crate::api::error::Error;
use crate::api::spend::{Baseline, BaselineQuestion, MinuteSpend, Spend, SpendSpan, SpendSubject, SpoolMark};
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;
use crate::sql::value::{Value, int};

/// A span, cut where whole minutes or days begin.
struct Cut {
    span: SpendSpan,
    /// From here on minutes count.
    minutes_from: i64,
    /// From here on days count.
    days_from: i64,
}

/// Minutes that may still be told.
struct Room(usize);

impl Database {
    pub(super) async fn read_baseline(&self, questions: &[BaselineQuestion]) -> Result<Baseline, Error> {
        let mut tx = self.pools.read().await?;
        let mut room = Room(Baseline::MAX_MINUTES);
        let gone = cleaned::until(&mut tx).await?;
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(answer(&mut tx, question, gone, &mut room).await?);
        }
        let marks = sql(
            "SELECT spool_id, through_sequence FROM spool_marks ORDER BY updated_at DESC, spool_id LIMIT ",
        )
        .push_bind(Baseline::MAX_MARKS);
        let marks: Vec<(Uuid, i64)> = tx.fetch_all(marks).await?;
        tx.commit().await?;
        let mark = |(spool, through): (Uuid, i64)| SpoolMark {
            spool,
            through: through.unsigned_abs(),
        };
        Ok(Baseline {
            answers,
            marks: marks.into_iter().map(mark).collect(),
        })
    }
}

/// `gone`: up to when records are cleaned.
async fn answer(
    tx: &mut Tx,
    question: &BaselineQuestion,
    gone: i64,
    room: &mut Room,
) -> Result<Vec<Spend>, Error> {
    let subject = Subject {
        kind: question.subject.level().as_str(),
        id: question.subject.id(),
    };
    let cuts = cut(tx, subject, &question.spans).await?;
    let whole = whole(tx, subject, &cuts).await?;
    let mut spends = Vec::with_capacity(cuts.len());
    for (cut, whole) in cuts.iter().zip(whole) {
        let first = match cut.span.from.0 < gone.saturating_add(DAY_MS) {
            true => first_of_sums(tx, question.subject, cut).await?,
            false => first(tx, question.subject, cut).await?,
        };
        let total = whole + first.values().sum::<i64>();
        let minutes = match cut.span.by_minute {
            true => minutes(tx, subject, cut, first, room).await?,
            false => Vec::new(),
        };
        spends.push(Spend {
            total: NanoUsd(total),
            minutes,
        });
    }
    Ok(spends)
}

async fn cut(tx: &mut Tx, subject: Subject, spans: &[SpendSpan]) -> Result<Vec<Cut>, sqlx::Error> {
    let days: Vec<Value> = spans
        .iter()
        .map(|span| Value::from(span.from.0 - span.from.0.rem_euclid(DAY_MS)))
        .collect();
    let mut folded = HashSet::new();
    if !days.is_empty() {
        let query = sql("SELECT day FROM spend_days WHERE subject_kind = $1 AND subject_id = $2 AND day IN ");
        let query = query.bind(subject.kind).bind(subject.id).push_list(days);
        let found: Vec<(i64,)> = tx.fetch_all(query).await?;
        folded.extend(found.into_iter().map(|(day,)| day));
    }
    let cut = |span: &SpendSpan| {
        let from = span.from.0;
        let days_from = up_to(from, DAY_MS);
        let minutes_from = match folded.contains(&(from - from.rem_euclid(DAY_MS))) {
            true => days_from,
            false => up_to(from, MINUTE_MS),
        };
        Cut {
            span: *span,
            minutes_from,
            days_from,
        }
    };
    Ok(spans.iter().map(cut).collect())
}

/// What is in whole minutes and days, of each span.
async fn whole(tx: &mut Tx, subject: Subject, cuts: &[Cut]) -> Result<Vec<i64>, sqlx::Error> {
    if cuts.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql("SELECT span.column1, CAST(CASE WHEN span.column2 <= 0 \
         THEN COALESCE((SELECT total_nanousd FROM spend_totals WHERE subject_kind = $1 AND subject_id = $2), 0) \
         ELSE (SELECT COALESCE(SUM(cost_nanousd), 0) FROM spend_days \
         WHERE subject_kind = $1 AND subject_id = $2 AND day >= span.column4) \
         + (SELECT COALESCE(SUM(cost_nanousd), 0) FROM spend_minutes \
         WHERE subject_kind = $1 AND subject_id = $2 AND minute >= span.column3) END AS BIGINT) \
         FROM (VALUES ")
    .bind(subject.kind)
    .bind(subject.id);
    for (i, cut) in (0_i64..).zip(cuts) {
        let row: [Value; 4] = [
            i.into(),
            cut.span.from.into(),
            cut.minutes_from.into(),
            cut.days_from.into(),
        ];
        query = query.push(if i == 0 { "" } else { ", " }).push_list(row);
    }
    let sums: Vec<(i64, i64)> = tx.fetch_all(query.push(") AS span ORDER BY 1")).await?;
    Ok(sums.into_iter().map(|(_, sum)| sum).collect())
}

/// What came between the beginning of a span and its whole minutes, by minute, from the records themselves.
async fn first(tx: &mut Tx, subject: SpendSubject, cut: &Cut) -> Result<BTreeMap<i64, i64>, sqlx::Error> {
    let (from, to) = (cut.span.from.0, cut.minutes_from);
    if from <= 0 || from == to {
        return Ok(BTreeMap::new());
    }
    let query = sql(
        "SELECT booked - booked % 60000, CAST(SUM(cost_nanousd) AS BIGINT) FROM (\
         SELECT COALESCE(admitted_at, started_at) AS booked, cost_nanousd FROM usage_records WHERE cost_nanousd <> 0",
    )
    .push(match subject.level() {
        Level::Key => " AND key_id = ",
        Level::User => " AND user_id = ",
        Level::Provider => " AND provider_id = ",
    })
    .push_bind(subject.id())
    .push(" AND id >= ")
    .push_bind(first_id(from.saturating_sub(DAY_MS)))
    .push(" AND id < ")
    .push_bind(first_id(to.saturating_add(DAY_MS)))
    .push(") AS near WHERE booked >= ")
    .push_bind(from)
    .push(" AND booked < ")
    .push_bind(to)
    .push(" GROUP BY 1");
    Ok(pairs(tx, query).await?.into_iter().collect())
}

/// The same where the records may be gone: the whole of the minute in which the span begins, or of the hour in a folded
/// day. A little more than was spent, never less.
async fn first_of_sums(
    tx: &mut Tx,
    subject: SpendSubject,
    cut: &Cut,
) -> Result<BTreeMap<i64, i64>, sqlx::Error> {
    let (from, to) = (cut.span.from.0, cut.minutes_from);
    if from <= 0 || from == to {
        return Ok(BTreeMap::new());
    }
    let minute = from - from.rem_euclid(MINUTE_MS);
    if to == up_to(from, MINUTE_MS) {
        let query = sql(
            "SELECT minute, cost_nanousd FROM spend_minutes WHERE subject_kind = $1 AND subject_id = $2 AND minute = $3",
        );
        let query = query
            .bind(subject.level().as_str())
            .bind(subject.id())
            .bind(minute);
        return Ok(pairs(tx, query).await?.into_iter().collect());
    }
    let query = sql("SELECT CAST(COALESCE(SUM(cost_nanousd), 0) AS BIGINT) FROM usage_rollups WHERE hour >= $1 AND hour < $2")
        .bind(UnixMs(from).hour())
        .bind(to)
        .push(match subject.level() {
            Level::Key => " AND key_id = ",
            Level::User => " AND user_id = ",
            Level::Provider => " AND provider_id = ",
        })
        .push_bind(subject.id());
    let (spent,): (i64,) = tx.fetch_one(query).await?;
    Ok(BTreeMap::from([(minute, spent)]))
}

async fn minutes(
    tx: &mut Tx,
    subject: Subject,
    cut: &Cut,
    first: BTreeMap<i64, i64>,
    room: &mut Room,
) -> Result<Vec<MinuteSpend>, Error> {
    let query = sql(
        "SELECT minute, cost_nanousd FROM spend_minutes WHERE subject_kind = $1 AND subject_id = $2 \
         AND minute >= $3 ORDER BY minute LIMIT $4",
    )
    .bind(subject.kind)
    .bind(subject.id)
    .bind(cut.minutes_from)
    // One more tells that there are too many.
    .bind(int(u64::try_from(room.0).unwrap_or(u64::MAX)).saturating_add(1));
    let whole = pairs(tx, query).await?;
    room.take(first.len() + whole.len())?;
    let all = first.into_iter().chain(whole).filter(|(_, spent)| *spent != 0);
    let all = all.map(|(minute, spent)| MinuteSpend {
        minute: UnixMs(minute),
        spent: NanoUsd(spent),
    });
    Ok(all.collect())
}

async fn pairs(tx: &mut Tx, query: Query) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    tx.fetch_all(query).await
}

impl Room {
    fn take(&mut self, minutes: usize) -> Result<(), Error> {
        let rest = self.0.checked_sub(minutes);
        self.0 = rest.ok_or_else(|| {
            let problem = format!(
                "holds more than {} minutes with spend; ask for fewer subjects or shorter spans by minute",
                Baseline::MAX_MINUTES
            );
            Error::from(Invalid::new("questions", problem))
        })?;
        Ok(())
    }
}

/// The first multiple at or after it.
fn up_to(at: i64, step: i64) -> i64 {
    match at.rem_euclid(step) {
        0 => at,
        rest => at.saturating_add(step - rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_that_begins_amid_a_minute_is_cut_at_the_next_one() {
        assert_eq!(up_to(120_000, MINUTE_MS), 120_000);
        assert_eq!(up_to(120_001, MINUTE_MS), 180_000);
        assert_eq!(up_to(179_999, MINUTE_MS), 180_000);
        assert_eq!(up_to(-1, MINUTE_MS), 0);
    }

    #[test]
    fn a_baseline_of_too_many_minutes_is_refused_and_says_what_to_do() {
        let mut room = Room(10);
        room.take(10).unwrap();
        let problem = room.take(1).unwrap_err().to_string();
        assert!(problem.contains("shorter spans"), "{problem}");
    }
}
