//! Who makes a change, and why; and making it.

use penstock_core::invalid::Invalid;
use penstock_core::operator::Role;
use penstock_core::resource::ResourceRef;
use penstock_proto::admin::v1::ChangeInfo;
use penstock_store::{Applied, Commit, Committed, FleetAction, NewSpec, Op, Stored};
use tonic::{Request, Status};

use super::{labels, status};
use crate::access::Actor;
use crate::access::audit::Trail;
use crate::clock;
use crate::context::Context;

/// Longer reasons belong elsewhere.
const MAX_REASON: usize = 1_000;

/// The authenticated caller of a request.
#[derive(Clone, Debug)]
pub(super) struct Author {
    actor: Actor,
    /// Of the audit log.
    trail: Trail,
}

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
        Self {
            actor: actor.unwrap_or_else(Actor::admin),
            trail: request.extensions().get::<Trail>().cloned().unwrap_or_default(),
        }
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
        let reason = self.because(info)?;
        self.trail.about(ops.iter().map(|op| label(context, op)));
        let mut commit = Commit::new(self.name(), reason, clock::now());
        commit.ops = ops;
        let committed = context.store.commit(commit).await.map_err(status::from_store)?;
        if committed.made_revision {
            self.trail.made(committed.head.revision);
        }
        Ok(committed)
    }
}

impl Author {
    pub(super) fn role(&self) -> Role {
        self.actor.role
    }

    /// By name.
    pub(super) fn name(&self) -> &str {
        &self.actor.name
    }

    /// Says to the audit log what a change is about that is no commit. What is said last holds: first as the caller names
    /// it, then by the name that it has.
    pub(super) fn about(&self, kind: &str, name: &str) {
        self.trail.about([format!("{kind} {name:?}")]);
    }

    /// Says to the audit log why, and returns it.
    pub(super) fn because(&self, info: Option<ChangeInfo>) -> Result<String, Status> {
        let reason = reason(info)?;
        self.trail.because(&reason);
        Ok(reason)
    }

    /// What is done to a provider's state, to be kept with it.
    pub(super) fn fleet_action(
        self,
        action: &'static str,
        model: &str,
        info: Option<ChangeInfo>,
    ) -> Result<FleetAction, Status> {
        Ok(FleetAction {
            reason: self.because(info)?,
            actor: self.name().to_owned(),
            action,
            model: model.to_owned(),
        })
    }
}

impl Author {
    /// Who, and why, for what is no commit.
    pub(super) fn signed(self, info: Option<ChangeInfo>) -> Result<(String, String), Status> {
        Ok((self.name().to_owned(), self.because(info)?))
    }
}

/// What an operation is about, by the name that it has or shall have.
fn label(context: &Context, op: &Op) -> String {
    let reference = op.reference();
    let name = match op {
        Op::Put(put) => match &put.spec {
            NewSpec::Provider { provider, .. } => Some(provider.name.clone()),
            NewSpec::User(user) => Some(user.name.clone()),
            NewSpec::Key(key) => {
                let owner = ResourceRef::User(key.user_id);
                let owner = labels::name(&context.index, &owner).unwrap_or_else(|| owner.id());
                Some(format!("{owner}/{}", key.name))
            }
            NewSpec::Price(_)
            | NewSpec::Setting(_)
            | NewSpec::ImportSuffix(_)
            | NewSpec::ErrorRule(_)
            | NewSpec::WordRule(_)
            | NewSpec::RequestFilter(_) => None,
        },
        Op::Delete { .. } => labels::name(&context.index, reference),
    };
    let kind = reference.kind().as_str().replace('_', " ");
    format!("{kind} {:?}", name.unwrap_or_else(|| reference.id()))
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
