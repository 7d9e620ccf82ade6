//! Who makes a change, and why; and making it.

use penstock_core::invalid::Invalid;
use penstock_proto::admin::v1::ChangeInfo;
use penstock_store::{Applied, Commit, Committed, FleetAction, Op, Stored};
use tonic::{Request, Status};

use super::status;
use crate::access::Actor;
use crate::clock;
use crate::context::Context;

/// Longer reasons belong elsewhere.
const MAX_REASON: usize = 1_000;

/// The authenticated caller of a request.
#[derive(Clone, Debug)]
pub(super) struct Author(Actor);

/// What a commit of one resource made.
pub(super) struct Made {
    /// The new revision; the head when nothing had to change.
    pub(super) revision: u64,
    /// None after a deletion.
    pub(super) stored: Option<Stored>,
}

impl Author {
    /// As the access check found; without one, the call came from within.
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let actor = request.extensions().get::<Actor>().cloned();
        Self(actor.unwrap_or_else(Actor::admin))
    }

    /// Commits one operation.
    pub(super) async fn commit(
        self,
        context: &Context,
        info: Option<ChangeInfo>,
        op: impl Into<Op>,
    ) -> Result<Made, Status> {
        let committed = self.commit_all(context, info, vec![op.into()]).await?;
        let stored = committed
            .applied
            .into_iter()
            .next()
            .and_then(|applied: Applied| applied.stored);
        Ok(Made {
            revision: committed.head.revision,
            stored,
        })
    }

    /// Commits several operations as one revision.
    pub(super) async fn commit_all(
        self,
        context: &Context,
        info: Option<ChangeInfo>,
        ops: Vec<Op>,
    ) -> Result<Committed, Status> {
        let reason = reason(info)?;
        let mut commit = Commit::new(self.0.0.to_string(), reason, clock::now());
        commit.ops = ops;
        context.store.commit(commit).await.map_err(status::from_store)
    }
}

impl Author {
    /// By name.
    pub(super) fn name(&self) -> &str {
        &self.0.0
    }

    /// What is done to a provider's state, to be kept with it.
    pub(super) fn fleet_action(
        self,
        action: &'static str,
        model: &str,
        info: Option<ChangeInfo>,
    ) -> Result<FleetAction, Status> {
        Ok(FleetAction {
            actor: self.0.0.to_string(),
            action,
            reason: reason(info)?,
            model: model.to_owned(),
        })
    }
}

impl Author {
    /// Who, and why, for what is no commit.
    pub(super) fn signed(self, info: Option<ChangeInfo>) -> Result<(String, String), Status> {
        Ok((self.0.0.to_string(), reason(info)?))
    }
}

fn reason(info: Option<ChangeInfo>) -> Result<String, Status> {
    let reason = info.map(|info| info.reason).unwrap_or_default();
    if reason.len() > MAX_REASON {
        let problem = format!("is longer than {MAX_REASON} bytes");
        return Err(status::invalid(&Invalid::new("change.reason", problem)));
    }
    Ok(reason)
}

impl Made {
    /// The resource, of a commit that was no deletion.
    pub(super) fn into_stored(self) -> Result<(Stored, u64), Status> {
        let lost =
            || Status::internal("the change was made, but the resource did not come back; read it again");
        Ok((self.stored.ok_or_else(lost)?, self.revision))
    }
}
