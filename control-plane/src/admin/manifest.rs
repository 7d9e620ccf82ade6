//! Declared configuration: manifests in, one commit; the configuration out, as manifests.
//!
//! What is there is read at once ([`present`]), each manifest is turned into what its resource shall be ([`plan`]), and
//! the difference is one commit. Every operation expects the version that the plan was made from: a change in between
//! refuses the whole, and nothing has happened. Nothing to change makes no revision, so applying twice is applying once.
//!
//! Secrets are compared here, where they can be unsealed: the same one again is no change. One that is left out stays.

mod credential;
mod export;
mod key;
mod plan;
mod present;
mod provider;
mod prune;
mod step;
mod wanted;

use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::manifest_service_server::ManifestService;
use tonic::{Request, Response, Status};

use self::present::Present;
pub(super) use self::present::label;
use self::step::{Plan, Step};
use super::author::Author;
use super::{breaker, reply};
use crate::context::Context;

/// Thousands of keys, or prices with all their rates, stay far below.
pub(super) const MAX_REQUEST: usize = 64 << 20;

pub(super) struct Manifests(pub(super) Context);

#[tonic::async_trait]
impl ManifestService for Manifests {
    async fn apply_manifests(
        &self,
        request: Request<wire::ApplyManifestsRequest>,
    ) -> Result<Response<wire::ApplyManifestsResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let present = Present::read(&*self.0.store).await?;
        if request.expected_revision != 0 && request.expected_revision != present.head {
            return Err(Status::aborted(format!(
                "the configuration is at revision {}, not at {}: look at what changed (penstock config diff {}) and apply again",
                present.head, request.expected_revision, request.expected_revision
            )));
        }
        let plan = plan::make(&self.0, &present, &request)?;
        if !plan.problems.is_empty() {
            return Ok(Response::new(wire::ApplyManifestsResponse {
                problems: plan.problems,
                warnings: plan.warnings,
                ..wire::ApplyManifestsResponse::default()
            }));
        }
        let revision = match request.dry_run {
            true => 0,
            false => self.commit(author, request.change, &plan).await?,
        };
        Ok(Response::new(wire::ApplyManifestsResponse {
            revision,
            results: plan
                .steps
                .into_iter()
                .map(|step| result(step, request.dry_run))
                .collect(),
            problems: Vec::new(),
            warnings: plan.warnings,
        }))
    }

    async fn export_manifests(
        &self,
        request: Request<wire::ExportManifestsRequest>,
    ) -> Result<Response<wire::ExportManifestsResponse>, Status> {
        let present = Present::read(&*self.0.store).await?;
        Ok(Response::new(export::run(
            &self.0,
            &present,
            &request.into_inner(),
        )?))
    }
}

impl Manifests {
    /// The new revision; 0 when nothing had to change.
    async fn commit(
        &self,
        author: Author,
        change: Option<wire::ChangeInfo>,
        plan: &Plan,
    ) -> Result<u64, Status> {
        let ops = plan.ops();
        if ops.is_empty() {
            return Ok(0);
        }
        let committed = author.clone().commit_all(&self.0, change, ops).await?;
        for (provider, name) in plan.new_credentials() {
            breaker::new_credential(&self.0, provider, name, &author).await;
        }
        Ok(if committed.made_revision {
            committed.head.revision
        } else {
            0
        })
    }
}

fn result(step: Step, dry_run: bool) -> wire::AppliedManifest {
    let secret = step.generated.filter(|_| !dry_run);
    wire::AppliedManifest {
        action: step.action.into(),
        change: Some(reply::change(&step.change)),
        // The one time that it is shown.
        generated_secret: secret
            .map(|secret| secret.expose().to_owned())
            .unwrap_or_default(),
    }
}
