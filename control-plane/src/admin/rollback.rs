//! Bringing an earlier state of the configuration back, as a new revision.
//!
//! The plan is made from what differs between the head and the earlier revision; nothing is taken from the log that
//! could open a door again:
//!
//! * **Credentials never come back.** A provider keeps the credential that it has now. Where that one may belong to
//!   another host than the one that comes back, it is cleared; a provider that ends up without the credential that it
//!   had comes back disabled. A key keeps its present secret, so a secret that was rotated away stays away.
//! * **Access never comes back by itself.** A user or key that is disabled, expired or deleted now stays so, and of two
//!   expiries the earlier one holds, unless the operator asks for it (`include_access`). Taking access away needs no
//!   asking.
//! * Limits come back as they were, with the resets of now: what was forgiven since then stays forgiven.
//! * Import suffixes are left alone: they are nothing but a secret.
//!
//! What is left as it is, is said. Every operation expects the version that the plan was made from: a change in between
//! refuses the whole rollback, and nothing has happened.

mod access;
mod provider;
mod read;

use std::sync::Arc;

use penstock_core::invalid::Invalid;
use penstock_core::limits::Limits;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::setting::Setting;
use penstock_core::time::UnixMs;
use penstock_store::{Change, Expect, LoggedSpec, NewSpec, Op, Put, Store};
use serde_json::Value;
use tonic::Status;

use self::read::Present;
use super::{resets, status};

/// What the operator asked for, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) include_access: bool,
    pub(super) now: UnixMs,
}

/// What a rollback would do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) ops: Vec<Op>,
    pub(super) changes: Vec<Change>,
    /// What is left as it is, and why.
    pub(super) skipped: Vec<String>,
}

/// What becomes of one resource.
enum Step {
    Put {
        spec: Box<NewSpec>,
        /// As the history will tell it.
        after: Value,
        remarks: Vec<String>,
    },
    Delete,
    Leave(String),
}

/// Plans the way back from the head to an earlier revision.
pub(super) async fn plan(store: &dyn Store, head: u64, to: u64, rules: Rules) -> Result<Plan, Status> {
    let differences = store.differences(head, to).await.map_err(status::from_store)?;
    let present = read::present(store, &differences.changes, rules).await?;
    Ok(make(&differences.changes, &present, rules))
}

fn make(changes: &[Change], present: &Present, rules: Rules) -> Plan {
    let mut plan = Plan::default();
    let mut ordered: Vec<&Change> = changes.iter().collect();
    ordered.sort_by_key(|change| order(change));
    for change in ordered {
        match step(change, present, rules) {
            Step::Put { spec, after, remarks } => plan.put(change, *spec, after, remarks),
            Step::Delete => plan.delete(change),
            Step::Leave(why) => plan.skipped.push(why),
        }
    }
    plan
}

/// Deletions first, so that names are free again; a user's keys before it. Then owners before what they own.
fn order(change: &Change) -> u8 {
    let deleted = change.after.is_none();
    match (deleted, change.reference.kind()) {
        (true, Kind::Key) => 0,
        (true, Kind::User) => 1,
        (
            true,
            Kind::Provider
            | Kind::Price
            | Kind::Setting
            | Kind::ImportSuffix
            | Kind::ErrorRule
            | Kind::WordRule
            | Kind::RequestFilter,
        ) => 2,
        (false, Kind::User) => 3,
        (false, Kind::Provider) => 4,
        (false, Kind::Key) => 5,
        (
            false,
            Kind::Price
            | Kind::Setting
            | Kind::ImportSuffix
            | Kind::ErrorRule
            | Kind::WordRule
            | Kind::RequestFilter,
        ) => 6,
    }
}

fn step(change: &Change, present: &Present, rules: Rules) -> Step {
    let label = &change.label;
    if change.reference.kind() == Kind::ImportSuffix {
        return Step::Leave(format!(
            "{label} is left as it is: a rollback does not touch secrets"
        ));
    }
    if matches!(&change.reference, ResourceRef::Setting(name) if Setting::is_run_time(name)) {
        return Step::Leave(format!("{label} is left as it is: it is no configuration"));
    }
    let Some(after) = &change.after else {
        return Step::Delete;
    };
    let then = match LoggedSpec::read(change.reference.kind(), after) {
        Ok(then) => then,
        Err(invalid) => return unusable(label, &invalid),
    };
    let step = match then {
        LoggedSpec::Provider(then) => provider::restore(change, *then),
        LoggedSpec::User(then) => access::restore_user(change, then, rules),
        LoggedSpec::Key(then) => access::restore_key(change, *then, present, rules),
        LoggedSpec::Price(then) => as_it_was(NewSpec::Price(then), after),
        LoggedSpec::Setting(then) => as_it_was(NewSpec::Setting(then), after),
        LoggedSpec::ErrorRule(then) => as_it_was(NewSpec::ErrorRule(then), after),
        LoggedSpec::WordRule(then) => as_it_was(NewSpec::WordRule(then), after),
        LoggedSpec::RequestFilter(then) => as_it_was(NewSpec::RequestFilter(then), after),
        LoggedSpec::ImportSuffix => Ok(Step::Leave(format!("{label} is left as it is"))),
    };
    step.and_then(|step| checked(step, change))
        .unwrap_or_else(|invalid| unusable(label, &invalid))
}

#[expect(clippy::unnecessary_wraps, reason = "a step as any other")]
fn as_it_was(spec: NewSpec, after: &Value) -> Result<Step, Invalid> {
    Ok(Step::Put {
        spec: Box::new(spec),
        after: after.clone(),
        remarks: Vec::new(),
    })
}

/// What was valid then need not be valid now.
fn checked(step: Step, change: &Change) -> Result<Step, Invalid> {
    if let Step::Put { spec, .. } = &step {
        match &**spec {
            NewSpec::Provider { provider, .. } => provider.validate()?,
            NewSpec::User(user) => user.validate()?,
            NewSpec::Key(key) => key.validate()?,
            NewSpec::Price(price) => price.validate(&change.reference.id())?,
            NewSpec::Setting(setting) => setting.validate()?,
            NewSpec::ErrorRule(rule) => rule.validate()?,
            NewSpec::WordRule(rule) => rule.validate()?,
            NewSpec::RequestFilter(rule) => rule.validate()?,
            NewSpec::ImportSuffix(_) => (),
        }
    }
    Ok(step)
}

fn unusable(label: &str, invalid: &Invalid) -> Step {
    Step::Leave(format!(
        "{label} is left as it is: its former state can no longer be used: {invalid}"
    ))
}

impl Plan {
    fn put(&mut self, change: &Change, spec: NewSpec, after: Value, remarks: Vec<String>) {
        self.skipped.extend(remarks);
        if change.before.as_ref() == Some(&after) {
            return;
        }
        let put = Put::new(change.reference.clone(), spec).expecting(present_version(change));
        self.ops.push(put.into());
        self.changes.push(Change {
            after: Some(after),
            ..change.clone()
        });
    }

    fn delete(&mut self, change: &Change) {
        self.ops
            .push(Op::delete(change.reference.clone(), present_version(change)));
        self.changes.push(change.clone());
    }
}

fn present_version(change: &Change) -> Expect {
    match change.before {
        Some(_) => Expect::Version(change.version),
        None => Expect::Absent,
    }
}

/// A step whose outcome the history tells as `logged`.
fn put(spec: NewSpec, logged: &impl serde::Serialize, remarks: Vec<String>) -> Result<Step, Invalid> {
    let after = serde_json::to_value(logged).map_err(|error| Invalid::new("log", error.to_string()))?;
    let spec = Box::new(spec);
    Ok(Step::Put { spec, after, remarks })
}

/// The former limits with the present resets, which are no part of a state to go back to.
fn keep_resets(label: &str, then: &Arc<Limits>, now: &Limits, remarks: &mut Vec<String>) -> Arc<Limits> {
    if then.resets != now.resets {
        remarks.push(format!(
            "{label} keeps the resets of its limits: what was used before them is not counted again"
        ));
    }
    resets::kept(then, now)
}

#[cfg(test)]
mod activation_tests;
#[cfg(test)]
mod tests;
