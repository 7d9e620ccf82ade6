//! The loop: whoever has the lease looks and delivers; the others wait for it.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::alert::Rule;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::{NotificationPolicy, Setting};
use penstock_core::time::UnixMs;
use penstock_outbound::{Clients, Tracked};
use penstock_store::{Error, Looked};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::deliver::deliver;
use super::{Condition, LEASE, LEASE_NAME, LOOK, breakers, budgets, calls, credentials, look, summary};
use crate::clock;
use crate::context::Context;

/// Between two looks into the queue, and two tries for the lease.
const TICK: Duration = Duration::from_secs(1);
/// What was told is kept for so long.
const KEPT_MS: u64 = 90 * 86_400_000;

/// Looks and delivers until told to stop.
pub(crate) async fn follow(context: Context, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let clients = match Clients::new(Tracked::new(connections.clone(), stop.clone())) {
        Ok(clients) => Arc::new(clients),
        Err(error) => {
            tracing::error!(%error, "nobody is told of trouble");
            return stop.cancelled().await;
        }
    };
    let owner = format!("{} {}", context.name, uuid::Uuid::now_v7().simple());
    let mut looked = None;
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        if let Err(error) = turn(&context, &clients, &owner, &mut looked).await {
            tracing::debug!(%error, "trouble is looked for later");
        }
    }
    // The next replica need not wait for the end of the lease.
    if let Err(error) = context.store.release_lease(LEASE_NAME, &owner).await {
        tracing::debug!(%error, "the lease on alerts ends by itself");
    }
    connections.close();
}

async fn turn(
    context: &Context,
    clients: &Arc<Clients>,
    owner: &str,
    looked: &mut Option<Instant>,
) -> Result<(), Error> {
    let policy = policy(context);
    let now = clock::now();
    let until = now.plus_ms(u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX));
    let lease = context.store.take_lease(LEASE_NAME, owner, now, until).await?;
    let Some(fence) = lease.filter(|_| policy.enabled) else {
        return Ok(());
    };
    if looked.is_none_or(|at| at.elapsed() >= LOOK) {
        *looked = Some(Instant::now());
        look_around(context, &policy, fence, now).await?;
        context.metrics.alert_looks.inc();
    }
    while deliver(context, clients).await? > 0 {
        if now.plus_ms(5_000) < clock::now() {
            // The lease must be renewed.
            break;
        }
    }
    Ok(())
}

async fn look_around(
    context: &Context,
    policy: &NotificationPolicy,
    fence: u64,
    now: UnixMs,
) -> Result<(), Error> {
    let store = &*context.store;
    let watched = store.alerts().await?;
    let conditions = conditions(context, &watched, policy, now).await?;
    let rules: Vec<_> = Rule::ALL
        .into_iter()
        .filter(|rule| *rule != Rule::DailySummary)
        .collect();
    let mut changes = look::look(&watched, conditions, &rules, now);
    if let Some((notification, row)) = summary::due(store, &watched, policy, now).await? {
        changes.told.push(notification);
        changes.watches.push(row);
    }
    if changes == Looked::default() {
        return Ok(());
    }
    for told in &changes.told {
        tracing::warn!(
            target: "penstock::alert",
            rule = told.rule.as_str(),
            subject = told.subject,
            event = told.event.as_str(),
            detail = told.detail,
            "{}",
            told.title
        );
    }
    if !store.write_look((LEASE_NAME, fence), &changes).await? {
        tracing::warn!("the database took too long: what was found is not told, another replica looks again");
    }
    let kept = UnixMs(now.0.saturating_sub(i64::try_from(KEPT_MS).unwrap_or(i64::MAX)));
    store.forget_notifications(kept).await.map(drop)
}

async fn conditions(
    context: &Context,
    watched: &[penstock_store::AlertRow],
    policy: &NotificationPolicy,
    now: UnixMs,
) -> Result<Vec<Condition>, Error> {
    let (store, index) = (&*context.store, &*context.index);
    let states = store.fleet_states(&std::collections::BTreeMap::new()).await?;
    let facts = store.call_facts(now, policy.consecutive_failures).await?;
    let mut found = breakers::conditions(index, &states, now);
    found.extend(credentials::conditions(index, &store.tokens().await?));
    found.extend(calls::conditions(index, &facts, policy));
    found.extend(budgets::conditions((store, index), &facts, watched, policy, now).await?);
    Ok(found)
}

fn policy(context: &Context) -> NotificationPolicy {
    let name = Setting::Notifications(NotificationPolicy::default()).name();
    let resource = context.index.get(&ResourceRef::Setting(name.into()));
    match resource.as_ref().map(|resource| &resource.spec) {
        Some(Spec::Setting(Setting::Notifications(policy))) => policy.clone(),
        _ => NotificationPolicy::default(),
    }
}
