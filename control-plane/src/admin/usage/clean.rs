//! Cleaning at once, and what would go.

use std::time::Duration;

use penstock_proto::admin::v1 as wire;
use penstock_store::Retained;
use tokio::time::Instant;
use tokio_stream::Stream;
use tonic::Status;

use super::super::status;
use crate::clock;
use crate::context::Context;
use crate::retention::{self, Denied, Part, Pass};

/// How often it is told how it goes on.
const TELL: Duration = Duration::from_millis(500);

/// A cleaning that an operator watches. Who goes away ends it; its lease runs out.
pub(super) struct Cleaning {
    pass: Pass,
    done: bool,
}

impl Cleaning {
    pub(super) async fn begin(context: &Context) -> Result<Self, Status> {
        let pass = Pass::begin(context).await.map_err(denied)?;
        Ok(Self { pass, done: false })
    }

    pub(super) fn pieces(self) -> impl Stream<Item = Result<wire::CleanUsageResponse, Status>> + Send {
        futures::stream::unfold(Some(self), |cleaning| async {
            let mut cleaning = cleaning.filter(|cleaning| !cleaning.done)?;
            match cleaning.some().await {
                Ok(answer) => Some((Ok(answer), Some(cleaning))),
                Err(error) => Some((Err(denied(error)), None)),
            }
        })
    }

    async fn some(&mut self) -> Result<wire::CleanUsageResponse, Denied> {
        let began = Instant::now();
        while began.elapsed() < TELL && !self.done {
            self.done = !self.pass.step().await?;
        }
        Ok(wire::CleanUsageResponse {
            kinds: self.pass.parts().iter().map(part).collect(),
            done: self.done,
        })
    }
}

pub(super) async fn dry_run(context: &Context) -> Result<wire::CleanUsageResponse, Status> {
    let policy = retention::policy(&*context.store)
        .await
        .map_err(status::from_store)?;
    let parts = retention::parts(policy, clock::now());
    let ages: Vec<(Retained, _)> = parts.iter().map(|part| (part.kind, part.before)).collect();
    let aged = context.store.aged(&ages).await.map_err(status::from_store)?;
    let kinds = parts.iter().filter_map(|cleaned| {
        let aged = aged.iter().find(|aged| aged.kind == cleaned.kind)?;
        Some(wire::CleanedKind {
            rows: aged.rows,
            partitions: aged.partitions,
            cleaned_at_ms: aged.cleaned_at.map(|at| at.0),
            deleted: aged.deleted,
            ..part(cleaned)
        })
    });
    Ok(wire::CleanUsageResponse {
        kinds: kinds.collect(),
        done: true,
    })
}

fn part(part: &Part) -> wire::CleanedKind {
    wire::CleanedKind {
        kind: part.kind.as_str().to_owned(),
        days: part.days,
        before_ms: part.before.0,
        rows: part.rows,
        partitions: part.partitions,
        cleaned_at_ms: None,
        deleted: 0,
    }
}

fn denied(denied: Denied) -> Status {
    match denied {
        Denied::Off | Denied::Elsewhere | Denied::Clocks(_) => {
            Status::failed_precondition(denied.to_string())
        }
        Denied::Store(error) => status::from_store(error),
    }
}
