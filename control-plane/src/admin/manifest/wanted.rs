//! What becomes of one resource: what is there beside what shall be there.

use penstock_core::invalid::Invalid;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1::ApplyAction;
use penstock_store::{Action, Change, Expect, LoggedSpec, NewSpec, Op, Put, Stored};

use super::step::Step;

/// What a resource shall be.
pub(super) struct Wanted {
    pub(super) reference: ResourceRef,
    pub(super) spec: NewSpec,
    /// As the history will tell it.
    pub(super) after: LoggedSpec,
    /// A secret changes that the history does not tell of.
    pub(super) new_secret: bool,
    pub(super) generated: Option<Secret>,
}

impl Wanted {
    /// Without any secret.
    pub(super) fn plain(reference: ResourceRef, spec: NewSpec, after: LoggedSpec) -> Self {
        Self {
            reference,
            spec,
            after,
            new_secret: false,
            generated: None,
        }
    }

    /// The step that makes it so.
    pub(super) fn step(self, label: String, present: Option<&Stored>) -> Result<Step, Invalid> {
        let before = present.map(|stored| LoggedSpec::from(&stored.spec));
        if before.as_ref() == Some(&self.after) && !self.new_secret {
            return Ok(unchanged(label, self.reference, present));
        }
        let (action, log_action, expect) = match present {
            Some(stored) => (
                ApplyAction::Updated,
                Action::Updated,
                Expect::Version(stored.version),
            ),
            None => (ApplyAction::Created, Action::Created, Expect::Absent),
        };
        let change = Change {
            reference: self.reference.clone(),
            label,
            action: log_action,
            version: present.map_or(0, |stored| stored.version),
            before: before.map(|before| before.write()).transpose()?,
            after: Some(self.after.write()?),
        };
        let put = Put::new(self.reference, self.spec).expecting(expect);
        Ok(Step {
            action,
            change,
            op: Some(put.into()),
            generated: self.generated,
        })
    }
}

/// It is so already.
pub(super) fn unchanged(label: String, reference: ResourceRef, present: Option<&Stored>) -> Step {
    let change = Change {
        reference,
        label,
        action: Action::Updated,
        version: present.map_or(0, |stored| stored.version),
        before: None,
        after: None,
    };
    Step {
        action: ApplyAction::Unchanged,
        change,
        op: None,
        generated: None,
    }
}

/// It goes.
pub(super) fn deleted(label: String, present: &Stored) -> Result<Step, Invalid> {
    let change = Change {
        reference: present.reference.clone(),
        label,
        action: Action::Deleted,
        version: present.version,
        before: Some(LoggedSpec::from(&present.spec).write()?),
        after: None,
    };
    Ok(Step {
        action: ApplyAction::Deleted,
        change,
        op: Some(Op::delete(
            present.reference.clone(),
            Expect::Version(present.version),
        )),
        generated: None,
    })
}
