//! The task that makes tests and probes.
//!
//! Each second it looks which probes are due. What was refused here is probed here and at once; what has failed, and what
//! operators want probed, by the node that gets the lease. Whoever probes says when the next is due, a tenth more or less
//! by chance, and the fleet knows it within a second; the lease is kept so long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use penstock_core::credential::Credential;
use penstock_core::health::credential::Credential as State;
use penstock_core::health::state::WHOLE;
use penstock_core::id::ProviderId;
use penstock_core::snapshot::{ProviderEntry, Snapshot};
use penstock_core::time::UnixMs;
use penstock_fleet::Trial;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::desk::Asked;
use super::{Check, NotTested, Test, Verdict};
use crate::app::App;
use crate::clock;
use crate::proxy::Proxy;
use crate::renewal::{self, Renewed};

const ROUND: Duration = Duration::from_secs(1);
/// Under way at once.
const AT_ONCE: usize = 16;
const PROBE: Duration = Duration::from_secs(20);
/// What a probe found is known to all after this.
const SETTLE: Duration = Duration::from_secs(2);
/// What the lease is about; no model that is half-open is called so.
const LEASE: &str = "(probe)";

/// Why a probe is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Refused here a moment ago; the suspicion's mark. One that its probe did not settle is not probed again.
    Suspect {
        stamp: u64,
    },
    Failed,
    /// The operator wants it; from one to the next.
    Wanted {
        interval_ms: u64,
    },
}

/// Tests and probes under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    /// By the probe's task: one that panics must not count for ever.
    probing: HashMap<Id, ProviderId>,
}

impl Running {
    fn has_room(&self) -> bool {
        self.tasks.len() < AT_ONCE
    }

    fn is_probing(&self, provider: ProviderId) -> bool {
        self.probing.values().any(|probed| *probed == provider)
    }

    fn test(&mut self, test: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(test);
    }

    fn probe(&mut self, provider: ProviderId, probe: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(probe).id();
        self.probing.insert(task, provider);
    }

    /// Resolves when one of them has ended, however.
    async fn ended(&mut self) {
        let task = match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(error)) => error.id(),
            None => return,
        };
        self.probing.remove(&task);
    }
}

/// Makes tests and probes until told to stop.
pub(crate) async fn run(app: Arc<App>, proxy: Arc<Proxy>, stop: CancellationToken) {
    let Some(mut questions) = app.probes.take() else {
        return;
    };
    let (mut running, mut suspected) = (Running::default(), HashMap::new());
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let going_round = async {
        loop {
            tokio::select! {
                () = running.ended(), if !running.tasks.is_empty() => {}
                Some(asked) = questions.recv(), if running.has_room() => {
                    running.test(test(Arc::clone(&app), Arc::clone(&proxy), asked));
                }
                _ = rounds.tick() => {
                    for (entry, due) in due(&app, clock::now()) {
                        if running.is_probing(entry.id) || !running.has_room() {
                            continue;
                        }
                        if let Due::Suspect { stamp } = due
                            && suspected.insert(entry.id, stamp) == Some(stamp)
                        {
                            continue;
                        }
                        let id = entry.id;
                        running.probe(id, probe(Arc::clone(&app), Arc::clone(&proxy), entry, due));
                    }
                }
            }
        }
    };
    stop.run_until_cancelled(going_round).await;
}

async fn test(app: Arc<App>, proxy: Arc<Proxy>, mut asked: Asked) {
    let snapshot = app.live.load();
    let question = asked.question;
    let deadline = Instant::now() + question.timeout;
    let tested = async {
        let entry = snapshot.provider(question.provider).ok_or(NotTested::Unknown)?;
        let entry = fresh(&app, entry, deadline).await;
        let test = |entry| Test {
            targets: proxy.targets(),
            snapshot: &snapshot,
            entry,
            model: question.model.as_deref(),
            free: question.free,
            deadline,
        };
        let report = test(&entry).whole().await;
        // As traffic does with a token that is refused before its end.
        match (&report.credential, newer(&app, &entry, deadline)) {
            (Check::Failed { .. }, Some(newer)) => match newer.await {
                Renewed::Newer(entry) => Ok(test(&entry).whole().await),
                Renewed::Late | Renewed::Stopped => Ok(report),
            },
            _ => Ok(report),
        }
    };
    tokio::select! {
        tested = tested => drop(asked.answer.send(tested)),
        // Nobody waits any more.
        () = asked.answer.closed() => {}
    }
}

/// The provider with a newer access token, where the present one is over and another can come.
async fn fresh(app: &App, entry: &Arc<ProviderEntry>, deadline: Instant) -> Arc<ProviderEntry> {
    let renewal = entry.credential.as_ref().and_then(Credential::renewal);
    let over = renewal.is_some_and(|renewal| renewal.expires_at <= clock::now());
    match newer(app, entry, deadline).filter(|_| over) {
        Some(newer) => match newer.await {
            Renewed::Newer(entry) => entry,
            Renewed::Late | Renewed::Stopped => Arc::clone(entry),
        },
        None => Arc::clone(entry),
    }
}

/// Asks for a newer access token and waits for it, half of the time at most. None: nobody renews it.
fn newer<'a>(
    app: &'a App,
    entry: &'a ProviderEntry,
    deadline: Instant,
) -> Option<impl Future<Output = Renewed> + 'a> {
    let renewal = entry.credential.as_ref().and_then(Credential::renewal)?;
    let half = deadline.duration_since(Instant::now()) / 2;
    let until = Instant::now() + renewal::PATIENCE.min(half);
    Some(app.renewals.newer(app, entry, renewal.version, until))
}

async fn probe(app: Arc<App>, proxy: Arc<Proxy>, entry: Arc<ProviderEntry>, due: Due) {
    let lease = match due {
        Due::Suspect { .. } => None,
        Due::Failed | Due::Wanted { .. } => {
            let trial = app.fleet.trial(entry.id, Some(LEASE), PROBE + SETTLE).await;
            match trial {
                Trial::Ours(lease) | Trial::OursAlone(lease) => Some(lease),
                Trial::NotOurs => return,
            }
        }
    };
    let verdict = verdict(&app, &proxy, &entry).await;
    let verdict = renewed(&app, &proxy, &entry, verdict).await;
    let now = clock::now();
    let next = match due {
        Due::Wanted { interval_ms } => Some(now.plus_ms(jittered(interval_ms, clock::random()))),
        Due::Suspect { .. } | Due::Failed => None,
    };
    app.health.probed(&entry, &verdict, next, now);
    if lease.is_some() {
        tokio::time::sleep(SETTLE).await;
    }
}

async fn verdict(app: &App, proxy: &Proxy, entry: &ProviderEntry) -> Verdict {
    let snapshot = app.live.load();
    Test {
        targets: proxy.targets(),
        snapshot: &snapshot,
        entry,
        model: None,
        free: false,
        deadline: Instant::now() + PROBE,
    }
    .short()
    .await
}

/// A refused access token says nothing of the credential while the control plane can renew it.
async fn renewed(app: &App, proxy: &Proxy, entry: &ProviderEntry, refused: Verdict) -> Verdict {
    let renewal = entry.credential.as_ref().and_then(Credential::renewal);
    let Some(renewal) = renewal.filter(|_| refused.accepted == Some(false)) else {
        return refused;
    };
    let deadline = Instant::now() + renewal::PATIENCE;
    let newer = app.renewals.newer(app, entry, renewal.version, deadline).await;
    match newer {
        Renewed::Newer(entry) => verdict(app, proxy, &entry).await,
        Renewed::Late => Verdict {
            accepted: None,
            ..refused
        },
        Renewed::Stopped => refused,
    }
}

/// What is to be probed now.
fn due(app: &App, now: UnixMs) -> Vec<(Arc<ProviderEntry>, Due)> {
    let snapshot: Arc<Snapshot> = app.live.load();
    let states = app.health.states();
    let of = |entry: &Arc<ProviderEntry>| {
        let known = states.get(&entry.id).and_then(|state| state.entry(WHOLE));
        let credential = known.and_then(|known| known.credential.as_ref());
        let failed = match credential.map(|mark| mark.value) {
            Some(State::Suspect { until }) => {
                let ours = credential.is_some_and(|mark| *mark.by == *app.node_id);
                let stamp = credential.map_or(0, |mark| mark.stamp);
                (ours && now < until).then_some(Due::Suspect { stamp })
            }
            Some(State::Failed { probe_at }) => (probe_at <= now).then_some(Due::Failed),
            Some(State::Accepted | State::Revoked) | None => None,
        };
        let wanted = entry
            .provider
            .probe
            .filter(|_| entry.provider.enabled)
            .and_then(|probe| {
                let probes = known.and_then(|known| known.probes.as_ref());
                let next = probes.map_or(UnixMs(0), |mark| mark.value.next);
                let interval_ms = probe.interval_ms;
                // An interval that was shortened holds at once.
                let next = next.min(now.plus_ms(interval_ms.saturating_mul(2)));
                (next <= now).then_some(Due::Wanted { interval_ms })
            });
        failed.or(wanted)
    };
    let providers = snapshot.providers().iter();
    let all = providers.filter(|entry| entry.credential.is_some());
    all.filter_map(|entry| Some((Arc::clone(entry), of(entry)?)))
        .collect()
}

/// A tenth more or less. `random` is uniform over all of its values.
fn jittered(interval_ms: u64, random: u32) -> u64 {
    let fifth = interval_ms / 5;
    let part = u128::from(fifth) * u128::from(random) / u128::from(u32::MAX);
    (interval_ms - fifth / 2).saturating_add(u64::try_from(part).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn b13_a_probe_that_panics_is_not_the_last_one_of_its_provider() {
        let (mut running, provider) = (Running::default(), ProviderId::from_parts(1, &[1; 10]));
        running.test(async {});
        running.probe(provider, async { panic!("a probe") });
        assert!(running.is_probing(provider));
        running.ended().await;
        running.ended().await;
        assert!(!running.is_probing(provider));
    }

    #[test]
    fn b13_probes_spread_around_their_interval() {
        assert_eq!(jittered(60_000, 0), 54_000);
        assert_eq!(jittered(60_000, u32::MAX), 66_000);
    }
}
