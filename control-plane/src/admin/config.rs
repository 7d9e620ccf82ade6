//! The history of the configuration, rolling it back, and settings.

mod resource;
mod settings;

use penstock_core::invalid::Invalid;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::config_service_server::ConfigService;
use penstock_store::{Change, Revision, RevisionFilter};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::rollback::{self, Rules};
use super::{reply, status};
use crate::clock;
use crate::context::Context;

/// Changes of one revision in a listing.
const CHANGES: u32 = 20;
const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 1_000;

pub(super) struct Configuration(pub(super) Context);

#[tonic::async_trait]
impl ConfigService for Configuration {
    async fn list_revisions(
        &self,
        request: Request<wire::ListRevisionsRequest>,
    ) -> Result<Response<wire::ListRevisionsResponse>, Status> {
        let request = request.into_inner();
        let limit = if request.limit == 0 {
            DEFAULT_LIMIT
        } else {
            request.limit.min(MAX_LIMIT)
        };
        let filter = RevisionFilter {
            before: (request.before > 0).then_some(request.before),
            actor: (!request.actor.is_empty()).then_some(request.actor),
            resource: resource::read(&request.resource).map_err(|error| status::invalid(&error))?,
        };
        let revisions = self
            .0
            .store
            .revisions(&filter, limit, CHANGES)
            .await
            .map_err(status::from_store)?;
        Ok(Response::new(wire::ListRevisionsResponse {
            revisions: revisions.iter().map(revision).collect(),
            head: self.head().await?,
        }))
    }

    async fn diff_revisions(
        &self,
        request: Request<wire::DiffRevisionsRequest>,
    ) -> Result<Response<wire::DiffRevisionsResponse>, Status> {
        let request = request.into_inner();
        let to = match request.to_revision {
            0 => self.head().await?,
            revision => revision,
        };
        let differences = self.0.store.differences(request.from_revision, to).await;
        let differences = differences.map_err(status::from_store)?;
        let asked = resource::read(&request.resource).map_err(|error| status::invalid(&error))?;
        let is_asked = |change: &&Change| asked.as_ref().is_none_or(|asked| resource::is(change, asked));
        let changes = differences.changes.iter().filter(is_asked);
        Ok(Response::new(wire::DiffRevisionsResponse {
            changes: changes.map(reply::change).collect(),
            from_revision: differences.from,
            to_revision: differences.to,
        }))
    }

    async fn rollback(
        &self,
        request: Request<wire::RollbackRequest>,
    ) -> Result<Response<wire::RollbackResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        if request.to_revision == 0 {
            let problem = "is missing; name the revision whose state shall come back";
            return Err(status::invalid(&Invalid::new("to_revision", problem)));
        }
        let rules = Rules {
            include_access: request.include_access,
            now: clock::now(),
        };
        let plan = rollback::plan(&*self.0.store, self.head().await?, request.to_revision, rules).await?;
        let mut revision = 0;
        if !request.dry_run && !plan.ops.is_empty() {
            let committed = author.commit_all(&self.0, request.change, plan.ops).await?;
            revision = if committed.made_revision {
                committed.head.revision
            } else {
                0
            };
        }
        Ok(Response::new(wire::RollbackResponse {
            revision,
            changes: plan.changes.iter().map(reply::change).collect(),
            skipped: plan.skipped,
        }))
    }

    async fn list_settings(
        &self,
        _: Request<wire::ListSettingsRequest>,
    ) -> Result<Response<wire::ListSettingsResponse>, Status> {
        let settings = settings::list(&*self.0.store).await?;
        Ok(Response::new(wire::ListSettingsResponse { settings }))
    }

    async fn set_setting(
        &self,
        request: Request<wire::SetSettingRequest>,
    ) -> Result<Response<wire::SetSettingResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let put = settings::put(request.setting, request.expected_version)?;
        let revision = author.commit(&self.0, request.change, put).await?.revision;
        Ok(Response::new(wire::SetSettingResponse { revision }))
    }

    async fn reset_setting(
        &self,
        request: Request<wire::ResetSettingRequest>,
    ) -> Result<Response<wire::ResetSettingResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let revision = match settings::reset(&*self.0.store, &request.name).await? {
            Some(op) => author.commit(&self.0, request.change, op).await?.revision,
            None => self.head().await?,
        };
        Ok(Response::new(wire::ResetSettingResponse { revision }))
    }
}

impl Configuration {
    async fn head(&self) -> Result<u64, Status> {
        Ok(self.0.store.head().await.map_err(status::from_store)?.revision)
    }
}

fn revision(revision: &Revision) -> wire::Revision {
    wire::Revision {
        revision: revision.revision,
        at_ms: revision.at.0,
        actor: revision.actor.clone(),
        reason: revision.reason.clone(),
        changes: revision.changes.iter().map(reply::change).collect(),
        change_count: revision.change_count,
    }
}
