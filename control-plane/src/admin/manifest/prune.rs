//! What goes: resources of the kinds to prune that nobody declares.
//!
//! A user goes only with all its keys, and keys go only when they are pruned themselves. Shipped and imported prices stay,
//! and so do import suffixes, which hold nothing but a secret,
//! and what is debugged or drained just now.

use std::collections::BTreeSet;

use penstock_core::invalid::Invalid;
use penstock_core::price::PriceSource;
use penstock_core::resource::Kind;
use penstock_core::setting::Setting;
use penstock_proto::admin::v1::ApplyManifestsRequest;
use penstock_proto::convert::enums::kind_from_wire;
use penstock_store::{Stored, StoredSpec};
use tonic::Status;

use super::plan::problem;
use super::present::{Present, label};
use super::step::Plan;
use super::wanted;
use crate::admin::status;

type Declared = BTreeSet<(Kind, String)>;

/// Adds what goes to the plan.
pub(super) fn add(
    plan: &mut Plan,
    present: &Present,
    declared: &Declared,
    request: &ApplyManifestsRequest,
) -> Result<(), Status> {
    let read = |(i, kind)| kind_from_wire(&format!("prune_kinds[{i}]"), kind);
    let kinds = request.prune_kinds.iter().copied().enumerate().map(read);
    let kinds: BTreeSet<Kind> = kinds.collect::<Result<_, _>>().map_err(|e| status::invalid(&e))?;
    // What is owned before its owners.
    let (keys, others): (Vec<Kind>, Vec<Kind>) = kinds.iter().partition(|kind| **kind == Kind::Key);
    for kind in keys.into_iter().chain(others) {
        for (name, stored) in present.of_kind(kind) {
            if declared.contains(&(kind, name.to_owned())) || !can_go(stored) {
                continue;
            }
            let keys_go = kinds.contains(&Kind::Key);
            let blocked = (kind == Kind::User)
                .then(|| blocking(present, declared, name, keys_go))
                .flatten();
            match blocked {
                Some(why) => plan.problems.push(problem(None, why)),
                None => {
                    let step = wanted::deleted(label(kind, name), stored).map_err(|e| status::invalid(&e))?;
                    plan.steps.push(step);
                }
            }
        }
    }
    Ok(())
}

fn can_go(stored: &Stored) -> bool {
    match &stored.spec {
        StoredSpec::Price(price) => price.source == PriceSource::Manual,
        StoredSpec::ImportSuffix(_) => false,
        StoredSpec::Setting(setting) => !Setting::is_run_time(setting.name()),
        StoredSpec::Provider(_)
        | StoredSpec::User(_)
        | StoredSpec::Key(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => true,
    }
}

/// Why a user must stay.
fn blocking(present: &Present, declared: &Declared, user: &str, keys_go: bool) -> Option<Invalid> {
    let keys = present.of_kind(Kind::Key).map(|(name, _)| name);
    let of_user = |name: &&str| name.split_once('/').is_some_and(|(owner, _)| owner == user);
    let declared_new = declared.iter().filter(|(kind, _)| *kind == Kind::Key);
    let mut left: BTreeSet<&str> = declared_new
        .map(|(_, name)| name.as_str())
        .filter(of_user)
        .collect();
    if !keys_go {
        left.extend(keys.filter(of_user));
    }
    if left.is_empty() {
        return None;
    }
    let left: Vec<&str> = left.into_iter().collect();
    let problem = format!(
        "cannot go while it has keys: {}. Declare the user, or let its keys go too (declare keys, or --kinds with key)",
        left.join(", ")
    );
    Some(Invalid::new(label(Kind::User, user), problem))
}
