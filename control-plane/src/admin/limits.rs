//! How much of their limits users, keys and providers have used, and beginning anew.
//!
//! What is used stands in the counters that data planes share, so one of them is asked. A reset is a change of the
//! resource like any other: it sets the instant before which nothing counts, and so it reaches every data plane, outlives
//! lost counters and stands in the history.

mod forecast;
mod subject;

use penstock_core::limits::{Dimension, Limits};
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::limits_service_server::LimitsService;
use penstock_proto::convert::enums::{dimension_from_wire, dimension_to_wire, level_to_wire};
use penstock_proto::sync::v1::{ReadLimits, command, command_result};
use tonic::{Code, Request, Response, Status};

use super::author::Author;
use super::scope::Scope;
use super::status::{self, required};
use crate::clock;
use crate::context::Context;
use crate::sync;
use subject::Held;

/// A conflict with another editor is met again at most so often.
const ATTEMPTS: usize = 5;

pub(super) struct LimitsOf(pub(super) Context);

#[tonic::async_trait]
impl LimitsService for LimitsOf {
    async fn show_limits(
        &self,
        request: Request<wire::ShowLimitsRequest>,
    ) -> Result<Response<wire::ShowLimitsResponse>, Status> {
        let (store, scope) = (&*self.0.store, Scope::of(&request));
        let subject = required("subject", request.into_inner().subject)?;
        let held = subject::find(store, scope, &subject).await?;
        let owner = held.owner(store).await?;
        let (first, second) = tokio::try_join!(self.read(&held), async {
            match &owner {
                Some(owner) => self.read(owner).await.map(Some),
                None => Ok(None),
            }
        })?;
        let (first, node_id) = first;
        let second = second.map(|(limits, _)| limits);
        Ok(Response::new(wire::ShowLimitsResponse {
            subjects: std::iter::once(first).chain(second).collect(),
            node_id,
        }))
    }

    async fn forecast_limits(
        &self,
        request: Request<wire::ForecastLimitsRequest>,
    ) -> Result<Response<wire::ForecastLimitsResponse>, Status> {
        let (store, scope) = (&*self.0.store, Scope::of(&request));
        let request = request.into_inner();
        let subject = required("subject", request.subject)?;
        let held = subject::find(store, scope, &subject).await?;
        let owner = held.owner(store).await?;
        forecast::make(store, &held, owner.as_ref(), request.hours, clock::now())
            .await
            .map(Response::new)
    }

    async fn reset_limits(
        &self,
        request: Request<wire::ResetLimitsRequest>,
    ) -> Result<Response<wire::ResetLimitsResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let subject = required("subject", request.subject)?;
        let named = read_dimensions(&request.dimensions)?;
        let mut attempts = 1;
        loop {
            let held = subject::find(&*self.0.store, Scope::everything(), &subject).await?;
            let dimensions = chosen(held.limits(), &named, &held.label())?;
            let now = clock::now();
            let put = held.with_limits(reset(held.limits(), &dimensions, now).shared());
            let made = author.clone().commit(&self.0, request.change.clone(), put).await;
            match made {
                // Somebody else changed it in between; on the newer state the reset is right as well.
                Err(status) if status.code() == Code::Aborted && attempts < ATTEMPTS => attempts += 1,
                Err(status) => return Err(status),
                Ok(made) => {
                    return Ok(Response::new(wire::ResetLimitsResponse {
                        revision: made.revision,
                        reset_at_ms: now.0,
                        dimensions: dimensions.into_iter().map(dimension_to_wire).collect(),
                    }));
                }
            }
        }
    }
}

impl LimitsOf {
    /// What the counters say, and the node that read them.
    async fn read(&self, held: &Held) -> Result<(wire::SubjectLimits, String), Status> {
        let level = level_to_wire(held.level());
        let question = command::Command::ReadLimits(ReadLimits { level, id: held.id() });
        let answered = sync::ask(&self.0, question).await?;
        let reading = match answered.result.result {
            Some(command_result::Result::Limits(reading)) if answered.result.error.is_empty() => reading,
            Some(
                command_result::Result::Limits(_)
                | command_result::Result::Route(_)
                | command_result::Result::ProviderTest(_)
                | command_result::Result::SessionKicked(_)
                | command_result::Result::Counters(_),
            )
            | None => {
                return Err(unreadable(&held.label(), &answered.node, &answered.result.error));
            }
        };
        let limits = wire::SubjectLimits {
            level,
            id: held.id(),
            name: held.name().to_owned(),
            reading: Some(reading),
        };
        Ok((limits, answered.node))
    }
}

fn unreadable(label: &str, node: &str, error: &str) -> Status {
    let error = match error {
        "" => "it gave no answer",
        error => error,
    };
    let node = match node {
        "" => String::new(),
        node => format!("data plane {node}: "),
    };
    Status::unavailable(format!("the limits of {label} cannot be read: {node}{error}"))
}

fn read_dimensions(dimensions: &[i32]) -> Result<Vec<Dimension>, Status> {
    let mut read = Vec::new();
    for dimension in dimensions {
        let dimension =
            dimension_from_wire("dimensions", *dimension).map_err(|error| status::invalid(&error))?;
        if !read.contains(&dimension) {
            read.push(dimension);
        }
    }
    read.sort_unstable();
    Ok(read)
}

/// The budgets that were named, else all that have a limit. The other dimensions free themselves.
fn chosen(limits: &Limits, named: &[Dimension], label: &str) -> Result<Vec<Dimension>, Status> {
    if let Some(other) = named.iter().find(|dimension| !dimension.is_money()) {
        return Err(Status::invalid_argument(format!(
            "only budgets are reset; what {} counts frees itself: name dimensions of money, or none",
            other.as_str()
        )));
    }
    if !limits.has_budget() {
        return Err(Status::failed_precondition(format!(
            "{label} has no budget, so there is nothing to reset; set one first"
        )));
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let limited = Dimension::MONEY
        .into_iter()
        .filter(|dimension| limits.get(*dimension) > 0);
    Ok(limited.collect())
}

/// A reset never moves back.
fn reset(limits: &Limits, dimensions: &[Dimension], now: UnixMs) -> Limits {
    let mut limits = limits.clone();
    for dimension in dimensions {
        let at = limits.resets.entry(*dimension).or_insert(now);
        *at = now.max(*at);
    }
    limits
}

#[cfg(test)]
mod tests;
