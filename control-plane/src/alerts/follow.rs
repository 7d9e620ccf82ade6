//! The loop: whoever has the lease looks and delivers; the others wait for it.
//!
//! The lease is renewed beside the work, so that a slow database makes looks late and not void. When it is lost all the
//! same (nobody could write for [`LEASE`]), the work ends at once, is warned of, and another replica does it.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::alert::Rule;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::{NotificationPolicy, Setting};
use penstock_core::time::UnixMs;
use penstock_outbound::{Clients, Tracked};
use penstock_store::{Error, Looked, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::deliver::deliver;
use super::{Condition, LEASE, LEASE_NAME, LOOK, breakers, budgets, calls, credentials, look, summary};
use crate::clock;
use crate::context::Context;

/// Between two looks into the queue, and two tries for the lease.
const TICK: Duration = Duration::from_secs(1);
/// After so many turns that failed the log says so, once.
const WARNED: u32 = 5;
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
    let (mut looked, mut failed) = (None, 0_u32);
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        let Err(error) = turn(&context, &clients, &owner, &mut looked).await else {
            failed = 0;
            continue;
        };
        failed = failed.saturating_add(1);
        match failed {
            WARNED => {
                tracing::warn!(%error, "nobody is told of trouble: {WARNED} times in a row it could not be looked for");
            }
            _ => tracing::debug!(%error, "trouble is looked for later"),
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
    let Some(fence) = take(&*context.store, owner).await?.filter(|_| policy.enabled) else {
        return Ok(());
    };
    tokio::select! {
        done = work(context, clients, (&policy, fence), looked) => done,
        () = lost(&*context.store, owner, fence) => {
            tracing::warn!("the database took too long: another replica looks for trouble and tells of it");
            Ok(())
        }
    }
}

async fn work(
    context: &Context,
    clients: &Arc<Clients>,
    (policy, fence): (&NotificationPolicy, u64),
    looked: &mut Option<Instant>,
) -> Result<(), Error> {
    if looked.is_none_or(|at| at.elapsed() >= LOOK) {
        *looked = Some(Instant::now());
        if look_around(context, policy, fence, clock::now()).await? {
            context.metrics.alert_looks.inc();
        }
    }
    let until = Instant::now() + LOOK / 2;
    while deliver(context, clients).await? > 0 && Instant::now() < until {}
    Ok(())
}

/// The right to work, for [`LEASE`]. None: another replica has it.
async fn take(store: &dyn Store, owner: &str) -> Result<Option<u64>, Error> {
    let now = clock::now();
    let until = now.plus_ms(u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX));
    store.take_lease(LEASE_NAME, owner, now, until).await
}

/// Renews the lease until it is another's.
async fn lost(store: &dyn Store, owner: &str, fence: u64) {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        match take(store, owner).await {
            Ok(Some(held)) if held == fence => {}
            Ok(_) => return,
            Err(error) => tracing::debug!(%error, "the lease on alerts is renewed later"),
        }
    }
}

/// False: the lease was lost, and nothing of it is written.
async fn look_around(
    context: &Context,
    policy: &NotificationPolicy,
    fence: u64,
    now: UnixMs,
) -> Result<bool, Error> {
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
        return Ok(true);
    }
    if !store.write_look((LEASE_NAME, fence), &changes).await? {
        tracing::warn!("the database took too long: what was found is not told, another replica looks again");
        return Ok(false);
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
    let kept = UnixMs(now.0.saturating_sub(i64::try_from(KEPT_MS).unwrap_or(i64::MAX)));
    store.forget_notifications(kept).await?;
    Ok(true)
}

async fn conditions(
    context: &Context,
    watched: &[penstock_store::AlertRow],
    policy: &NotificationPolicy,
    now: UnixMs,
) -> Result<Vec<Condition>, Error> {
    let (store, index) = (&*context.store, &*context.index);
    let states = store.fleet_states(&std::collections::BTreeMap::new()).await?;
    let suspected = calls::suspected(index, watched);
    let facts = store
        .call_facts(now, policy.consecutive_failures, &suspected)
        .await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fake_store::FakeStore;

    #[tokio::test(start_paused = true)]
    async fn g11_the_lease_is_renewed_beside_the_work_until_it_is_another_s() {
        let store = FakeStore::new();
        store.set_fence(Some(3));
        let lost = lost(&*store, "me", 3);
        tokio::pin!(lost);
        let minute = Duration::from_secs(60);
        assert!(tokio::time::timeout(minute, &mut lost).await.is_err());
        store.set_away(true);
        assert!(
            tokio::time::timeout(minute, &mut lost).await.is_err(),
            "nobody else has it"
        );
        store.set_away(false);
        store.set_fence(Some(4));
        assert!(tokio::time::timeout(LEASE / 2, &mut lost).await.is_ok());
    }
}
