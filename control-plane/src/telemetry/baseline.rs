//! What subjects have spent, for data planes that rebuild their counters.
//!
//! Many ask at once when Redis was flushed. As many questions as [`AT_ONCE`] are at the database together, so that usage
//! is taken in meanwhile; the others wait their turn, at most [`PATIENCE`].

use std::str::FromStr;
use std::time::Duration;

use penstock_core::invalid::Invalid;
use penstock_core::limits::Level;
use penstock_core::time::UnixMs;
use penstock_proto::convert::enums::level_from_wire;
use penstock_proto::telemetry::v1 as wire;
use penstock_store::{Baseline, BaselineQuestion, Error, Spend, SpendSpan, SpendSubject};
use tokio::sync::Semaphore;
use tonic::Status;

use crate::clock;
use crate::context::Context;

const AT_ONCE: usize = 6;
/// Whoever asks has given up long before.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_QUESTIONS: usize = 64;
const MAX_SPANS: usize = 8;
/// Spend is kept by minute for so long.
const BY_MINUTE_MS: i64 = 35 * 86_400_000;

/// The way to the ledger's sums.
#[derive(Debug)]
pub(super) struct Baselines(Semaphore);

impl Default for Baselines {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Baselines {
    pub(super) async fn answer(
        &self,
        context: &Context,
        request: wire::BaselineRequest,
    ) -> Result<wire::BaselineResponse, Status> {
        let questions = read(request, clock::now()).map_err(|e| Status::invalid_argument(e.to_string()))?;
        let asking = async {
            // It is never closed.
            let _turn = self.0.acquire().await.ok();
            context.store.baseline(&questions).await
        };
        let baseline = tokio::time::timeout(PATIENCE, asking).await;
        let baseline = baseline.map_err(|_| {
            tracing::warn!("a data plane's question for a baseline waits too long for the database");
            Status::unavailable("the ledger is too busy now; ask again")
        })?;
        Ok(write(baseline.map_err(|error| refused(&error))?))
    }
}

fn read(request: wire::BaselineRequest, now: UnixMs) -> Result<Vec<BaselineQuestion>, Invalid> {
    let number = request.questions.len();
    if number == 0 || number > MAX_QUESTIONS {
        let problem = format!("are {number}, not 1 to {MAX_QUESTIONS}");
        return Err(Invalid::new("questions", problem));
    }
    let questions = request.questions.into_iter().enumerate();
    questions
        .map(|(i, question)| {
            read_question(question, now).map_err(|error| error.within(&format!("questions[{i}]")))
        })
        .collect()
}

fn read_question(question: wire::BaselineQuestion, now: UnixMs) -> Result<BaselineQuestion, Invalid> {
    let number = question.spans.len();
    if number > MAX_SPANS {
        return Err(Invalid::new(
            "spans",
            format!("are {number}, more than {MAX_SPANS}"),
        ));
    }
    let id = &question.id;
    let subject = match level_from_wire("level", question.level)? {
        Level::Key => SpendSubject::Key(read_id(id)?),
        Level::User => SpendSubject::User(read_id(id)?),
        Level::Provider => SpendSubject::Provider(read_id(id)?),
    };
    let spans = question.spans.into_iter().map(|span| read_span(span, now));
    Ok(BaselineQuestion {
        subject,
        spans: spans.collect::<Result<_, _>>()?,
    })
}

fn read_id<T: FromStr>(id: &str) -> Result<T, Invalid> {
    id.parse()
        .map_err(|_| Invalid::new("id", format!("{id:?} is not an id")))
}

fn read_span(span: wire::SpendSpan, now: UnixMs) -> Result<SpendSpan, Invalid> {
    if span.from_ms < 0 {
        return Err(Invalid::new("spans.from_ms", "is negative"));
    }
    if span.by_minute && span.from_ms < now.0.saturating_sub(BY_MINUTE_MS) {
        let problem = "is only for spans that begin within the last 35 days";
        return Err(Invalid::new("spans.by_minute", problem));
    }
    Ok(SpendSpan {
        from: UnixMs(span.from_ms),
        by_minute: span.by_minute,
    })
}

fn write(baseline: Baseline) -> wire::BaselineResponse {
    let answer = |spends: Vec<Spend>| wire::BaselineAnswer {
        spends: spends.into_iter().map(write_spend).collect(),
    };
    let marks = baseline.marks.into_iter().map(|mark| wire::SpoolMark {
        spool_id: mark.spool.to_string(),
        through_sequence: mark.through,
    });
    wire::BaselineResponse {
        answers: baseline.answers.into_iter().map(answer).collect(),
        marks: marks.collect(),
    }
}

fn write_spend(spend: Spend) -> wire::Spend {
    let minutes = spend.minutes.into_iter().map(|minute| wire::MinuteSpend {
        minute_ms: minute.minute.0,
        nanousd: minute.spent.0,
    });
    wire::Spend {
        nanousd: spend.total.0,
        minutes: minutes.collect(),
    }
}

fn refused(error: &Error) -> Status {
    if let Error::Invalid(invalid) = error {
        return Status::invalid_argument(invalid.to_string());
    }
    tracing::warn!(%error, "a data plane asks for a baseline of its counters, and the ledger cannot be read");
    Status::unavailable("the ledger cannot be read now; ask again")
}
