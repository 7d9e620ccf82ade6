//! A plan: what becomes of each resource, and what the store does for it.

use penstock_core::id::ProviderId;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::secret::Secret;
use penstock_proto::admin::v1::{ApplyAction, ManifestProblem};
use penstock_store::{Change, CredentialChange, NewSpec, Op};

/// What an application would do.
#[derive(Default)]
pub(super) struct Plan {
    /// One for each manifest, then one for each resource that goes.
    pub(super) steps: Vec<Step>,
    pub(super) problems: Vec<ManifestProblem>,
    pub(super) warnings: Vec<String>,
}

/// What becomes of one resource.
pub(super) struct Step {
    pub(super) action: ApplyAction,
    pub(super) change: Change,
    /// None: nothing.
    pub(super) op: Option<Op>,
    pub(super) generated: Option<Secret>,
}

impl Plan {
    /// What the store shall do: what goes first, so that names are free again; then owners before what they own.
    pub(super) fn ops(&self) -> Vec<Op> {
        let mut ops: Vec<&Op> = self.steps.iter().filter_map(|step| step.op.as_ref()).collect();
        ops.sort_by_key(|op| order(op));
        ops.into_iter().cloned().collect()
    }

    /// Providers that get a credential that they did not have.
    pub(super) fn new_credentials(&self) -> impl Iterator<Item = (ProviderId, &str)> {
        self.steps.iter().filter_map(|step| match &step.op {
            Some(Op::Put(put)) => match (&put.reference, &put.spec) {
                (
                    ResourceRef::Provider(id),
                    NewSpec::Provider {
                        provider,
                        credential: CredentialChange::Set(_),
                        ..
                    },
                ) => Some((*id, provider.name.as_str())),
                _ => None,
            },
            Some(Op::Delete { .. }) | None => None,
        })
    }
}

fn order(op: &Op) -> u8 {
    let kind = op.reference().kind();
    match (op, kind) {
        (Op::Delete { .. }, Kind::Key) => 0,
        (Op::Delete { .. }, Kind::User) => 1,
        (Op::Delete { .. }, _) => 2,
        (Op::Put(_), Kind::User | Kind::ImportSuffix) => 3,
        (Op::Put(_), Kind::Provider) => 4,
        (Op::Put(_), _) => 5,
    }
}
