//! What a month cost, for chargeback: by user, key, tag or group.
//!
//! The sums of keys are put together here, by the tags and groups that keys and users have now. Whoever has several tags
//! is in the line of each, so lines can be more than the total, which has each call once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use penstock_core::access::Access;
use penstock_core::id::KeyId;
use penstock_core::invalid::Invalid;
use penstock_core::resource::{Resource, ResourceRef, Spec};
use penstock_core::usage::series;
use penstock_proto::admin::v1 as wire;
use penstock_store::{
    UsageFilter, UsageGroup, UsageGrouping, UsageOrder, UsageSubject, UsageSummary, UsageTotals,
};
use tonic::Status;

use super::super::scope::Scope;
use super::super::status;
use super::{subject, totals};
use crate::context::Context;
use crate::index::Index;

pub(super) async fn list(
    context: &Context,
    scope: Scope,
    request: &wire::ListChargesRequest,
) -> Result<wire::ListChargesResponse, Status> {
    use wire::ChargeGrouping as Wire;
    let span = series::month(&request.month, &request.time_zone);
    let (from, to) = span.map_err(|error| status::invalid(&error))?;
    let group_by = request.group_by;
    let unknown = |_| {
        let problem = format!("has the value {group_by}, which this release does not know");
        status::invalid(&Invalid::new("group_by", problem))
    };
    let group_by = Wire::try_from(group_by).map_err(unknown)?;
    let grouping = match group_by {
        Wire::Unspecified | Wire::User => UsageGrouping::User,
        Wire::Key | Wire::Tag | Wire::Group => UsageGrouping::Key,
    };
    let filter = UsageFilter {
        user: scope.own(),
        ..UsageFilter::span(from, to)
    };
    let all = UsageSummary::ALL_GROUPS;
    let summary = context.store.top_usage(&filter, grouping, UsageOrder::Cost, all);
    let summary = summary.await.map_err(status::from_store)?;
    let index = &*context.index;
    let charges = match group_by {
        Wire::Unspecified | Wire::User | Wire::Key => summary
            .groups
            .iter()
            .map(|group| {
                let (id, name) = subject(&group.subject, index);
                charge(id, name, &group.totals)
            })
            .collect(),
        Wire::Tag => shared(index, &summary.groups, tags),
        Wire::Group => shared(index, &summary.groups, groups),
    };
    Ok(wire::ListChargesResponse {
        charges,
        totals: Some(totals(&summary.totals)),
        from_ms: summary.from.0,
        to_ms: summary.to.0,
    })
}

fn charge(id: String, name: String, sums: &UsageTotals) -> wire::Charge {
    wire::Charge {
        id,
        name,
        totals: Some(totals(sums)),
    }
}

/// Access of a key and of its user.
struct Holders {
    key: Option<Arc<Resource>>,
    user: Option<Arc<Resource>>,
}

impl Holders {
    fn of(index: &Index, key: KeyId) -> Self {
        let key = index.get(&ResourceRef::Key(key));
        let user = key.as_deref().and_then(|resource| {
            let Spec::Key(key) = &resource.spec else {
                return None;
            };
            index.get(&ResourceRef::User(key.user_id))
        });
        Self { key, user }
    }

    fn key(&self) -> Option<&Access> {
        let Spec::Key(key) = &self.key.as_deref()?.spec else {
            return None;
        };
        Some(&key.access)
    }

    fn user(&self) -> Option<&Access> {
        let Spec::User(user) = &self.user.as_deref()?.spec else {
            return None;
        };
        Some(&user.access)
    }
}

/// Those of the key and of its user.
fn tags(holders: &Holders) -> BTreeSet<String> {
    let both = holders.key().into_iter().chain(holders.user());
    both.flat_map(|access| access.tags.iter().cloned()).collect()
}

/// Those of the key, else those of its user.
fn groups(holders: &Holders) -> BTreeSet<String> {
    let own = holders.key().filter(|access| !access.groups.is_empty());
    let access = own.or_else(|| holders.user());
    access.map_or_else(BTreeSet::new, |access| access.groups.iter().cloned().collect())
}

fn shared(
    index: &Index,
    keys: &[UsageGroup],
    lines_of: fn(&Holders) -> BTreeSet<String>,
) -> Vec<wire::Charge> {
    let mut lines: BTreeMap<String, UsageTotals> = BTreeMap::new();
    for group in keys {
        let UsageSubject::Key(key) = group.subject else {
            continue;
        };
        let mut names = lines_of(&Holders::of(index, key));
        if names.is_empty() {
            names.insert(String::new());
        }
        for name in names {
            *lines.entry(name).or_default() += group.totals;
        }
    }
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by_key(|(_, totals)| std::cmp::Reverse(totals.cost));
    let line = |(name, totals): (String, UsageTotals)| charge(String::new(), name, &totals);
    lines.into_iter().map(line).collect()
}
