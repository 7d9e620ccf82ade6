//! Cleaning of old records (behaviour E7), by one control plane at a time.
//!
//! The setting `retention` says how many days each kind of records is kept. [`follow`] cleans each hour, and
//! `penstock usage clean` at once; both hold the lease [`LEASE`], which they renew at each step. A replica that dies leaves
//! it to others within [`LEASE_TIME`], and whoever comes next goes on where it ended. Steps are small and as much time
//! passes between them as they took, so cleaning takes half of one connection at most and nothing waits for it. A
//! database that is away ends the pass; the next one comes in an hour. What is old is told by two clocks: where this
//! machine's and the database's differ by more than [`MAX_SKEW_MS`] nothing is cleaned, for one that runs ahead would clean
//! everything.

use std::time::Duration;

use penstock_core::resource::ResourceRef;
use penstock_core::setting::{RetentionPolicy, Setting};
use penstock_core::time::UnixMs;
use penstock_store::{Error, Retained, Store, StoredSpec};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::context::Context;
use crate::metrics::{KindLabels, RunLabels};

/// The lease's name.
pub(crate) const LEASE: &str = "retention";
/// Longer than any step may take.
const LEASE_TIME: Duration = Duration::from_secs(120);
/// After a start others come first.
const FIRST: Duration = Duration::from_secs(90);
const EVERY: Duration = Duration::from_secs(3600);
/// Days are counted, so minutes do not matter.
const MAX_SKEW_MS: u64 = 10 * 60_000;
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is cleaned of one kind, and what went until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: Retained,
    pub(crate) days: u32,
    /// What is older goes.
    pub(crate) before: UnixMs,
    pub(crate) rows: u64,
    pub(crate) partitions: u32,
}

/// One cleaning of all kinds.
pub(crate) struct Pass {
    context: Context,
    /// Of the lease: this pass alone.
    holder: String,
    held_at: Instant,
    parts: Vec<Part>,
    /// The part that is worked on.
    at: usize,
    pause: Duration,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    #[error(
        "retention is off, so nothing is cleaned; `penstock setting set retention --enabled` turns it on"
    )]
    Off,
    #[error("another control plane, or another command, cleans now; it goes on by itself")]
    Elsewhere,
    #[error(
        "the clocks of this control plane and of its database differ by {0} s, so nothing is cleaned; let both take the time \
         from NTP (timedatectl)"
    )]
    Clocks(u64),
    #[error(transparent)]
    Store(#[from] Error),
}

/// Cleans each hour until told to stop.
pub(crate) async fn follow(context: Context, stop: CancellationToken) {
    let mut wait = FIRST;
    loop {
        // Replicas that were started together do not ask for the lease together.
        let spread = Duration::from_millis(u64::from(clock::random() % 60_000));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait + spread) => {}
        }
        wait = EVERY;
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = clean(&context) => ended,
        };
        let result = match ended {
            Ok(()) => "done",
            Err(Denied::Off) => "off",
            Err(Denied::Elsewhere) => "elsewhere",
            Err(Denied::Store(error)) => {
                tracing::warn!(%error, "old records are cleaned later; nothing else is touched meanwhile");
                "failed"
            }
            Err(denied @ Denied::Clocks(_)) => {
                tracing::error!("{denied}");
                "failed"
            }
        };
        let runs = &context.metrics.retention_runs;
        runs.get_or_create(&RunLabels { result }).inc();
    }
}

async fn clean(context: &Context) -> Result<(), Denied> {
    let mut pass = Pass::begin(context).await?;
    while pass.step().await? {}
    for part in pass.parts.iter().filter(|part| part.rows > 0) {
        let kind = part.kind.as_str();
        tracing::info!(
            kind,
            rows = part.rows,
            partitions = part.partitions,
            days = part.days,
            "old records are cleaned"
        );
    }
    Ok(())
}

/// The setting as it is stored, so that a change holds for the next cleaning. One that cannot be read cleans nothing.
pub(crate) async fn policy(store: &dyn Store) -> Result<RetentionPolicy, Error> {
    let default = RetentionPolicy::default();
    let reference = ResourceRef::Setting(Setting::Retention(default).name().into());
    Ok(match store.get(&reference).await?.map(|stored| stored.spec) {
        Some(StoredSpec::Setting(Setting::Retention(policy))) => policy,
        Some(_) | None => default,
    })
}

fn check_clocks(ours: UnixMs, databases: UnixMs) -> Result<(), Denied> {
    let skew = ours.0.abs_diff(databases.0);
    match skew > MAX_SKEW_MS {
        true => Err(Denied::Clocks(skew / 1000)),
        false => Ok(()),
    }
}

/// What goes of each kind.
pub(crate) fn parts(policy: RetentionPolicy, now: UnixMs) -> Vec<Part> {
    let part = |kind: Retained| {
        let days = match kind {
            Retained::UsageRecords => policy.usage_records_days,
            Retained::FailedCalls => policy.failed_calls_days,
            Retained::AuditLog => policy.audit_log_days,
        };
        Part {
            kind,
            days,
            before: RetentionPolicy::before(days, now),
            rows: 0,
            partitions: 0,
        }
    };
    Retained::ALL.into_iter().map(part).collect()
}

impl Pass {
    pub(crate) async fn begin(context: &Context) -> Result<Self, Denied> {
        let policy = policy(&*context.store).await?;
        if !policy.enabled {
            return Err(Denied::Off);
        }
        let now = clock::now();
        check_clocks(now, context.store.examine().await?.now)?;
        let mut pass = Self {
            context: context.clone(),
            holder: format!("{}/{:08x}", context.name, clock::random()),
            held_at: Instant::now(),
            parts: parts(policy, now),
            at: 0,
            pause: Duration::ZERO,
        };
        pass.hold().await?;
        Ok(pass)
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// False: all is done, and the lease given back.
    pub(crate) async fn step(&mut self) -> Result<bool, Denied> {
        let Some(part) = self.parts.get_mut(self.at) else {
            self.context.store.release_lease(LEASE, &self.holder).await?;
            return Ok(false);
        };
        tokio::time::sleep(self.pause).await;
        let began = Instant::now();
        let store = &self.context.store;
        let cleaned = store.clean(part.kind, part.before, clock::now()).await?;
        part.rows = part.rows.saturating_add(cleaned.rows);
        part.partitions = part.partitions.saturating_add(cleaned.partitions);
        let kind = part.kind.as_str();
        let metrics = &self.context.metrics;
        metrics
            .retention_rows
            .get_or_create(&KindLabels { kind })
            .inc_by(cleaned.rows);
        metrics.retention_partitions.inc_by(cleaned.partitions.into());
        if !cleaned.more {
            self.at += 1;
        }
        self.pause = began.elapsed().clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        if self.held_at.elapsed() > LEASE_TIME / 4 {
            self.hold().await?;
        }
        Ok(true)
    }

    async fn hold(&mut self) -> Result<(), Denied> {
        let now = clock::now();
        let until = now.plus_ms(u64::try_from(LEASE_TIME.as_millis()).unwrap_or(u64::MAX));
        let store = &self.context.store;
        match store.take_lease(LEASE, &self.holder, now, until).await? {
            Some(_) => self.held_at = Instant::now(),
            None => return Err(Denied::Elsewhere),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e07_a_clock_that_ran_away_cleans_nothing() {
        let now = UnixMs(1_790_000_000_000);
        assert!(check_clocks(now, now.plus_ms(MAX_SKEW_MS)).is_ok());
        for (ours, databases) in [(now.plus_ms(40 * 86_400_000), now), (now, now.plus_ms(700_000))] {
            let denied = check_clocks(ours, databases).unwrap_err();
            assert!(denied.to_string().contains("timedatectl"), "{denied}");
        }
    }

    #[test]
    fn e07_each_kind_goes_by_its_own_days() {
        let policy = RetentionPolicy {
            audit_log_days: 400,
            ..RetentionPolicy::default()
        };
        let parts = parts(policy, UnixMs(500 * 86_400_000));
        let days: Vec<_> = parts
            .iter()
            .map(|part| (part.kind.as_str(), part.before.0 / 86_400_000))
            .collect();
        assert_eq!(
            days,
            [("usage_records", 470), ("failed_calls", 470), ("audit_log", 100)]
        );
    }
}
