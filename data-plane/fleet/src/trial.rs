//! The half-open trial: one call in the whole fleet tries a provider whose breaker was open (B7).
//!
//! The call that would use the provider takes the trial, a lease in Redis. It is given back when the [`Lease`] is
//! dropped, also when its call was aborted. Its [`Keeper`] renews it, so it is short and ends soon after its process. Only its holder ends it: what comes
//! late touches nobody else's.
//!
//! While Redis is away, each node lets one through ([`Trial::OursAlone`]). A node that was refused remembers it for
//! [`REFUSED_MS`] at most, so that calls to a half-open provider do not each ask Redis.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use penstock_core::id::ProviderId;

use crate::counters::Unreachable;
use crate::fleet::{Backend, Fleet, Shared};
use crate::notes::Note;

/// For so long a refusal is not asked about again.
pub const REFUSED_MS: i64 = 250;

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrialName {
    pub provider: ProviderId,
    /// None: the provider as a whole.
    pub model: Option<Box<str>>,
}

/// Whether this call is the trial.
#[derive(Debug)]
pub enum Trial {
    Ours(Lease),
    /// Of this node only, since Redis is away.
    OursAlone(Lease),
    NotOurs,
}

/// A trial that was taken. It ends when this is dropped.
pub struct Lease {
    fleet: Arc<Fleet>,
    name: TrialName,
    /// Of all trials of this process.
    number: u64,
    /// Redis was asked, and may have it.
    asked: bool,
}

/// Of a [`Lease`], which it does not hold.
pub struct Keeper {
    fleet: Arc<Fleet>,
    name: TrialName,
    number: u64,
    asked: bool,
}

/// Trials, wherever they are kept. `number` tells those of one process apart.
pub trait Trials: Send + Sync {
    /// 0: taken, or this number's already and now for so long. Else the milliseconds that the one that is out has left.
    fn take(
        &self,
        name: &TrialName,
        number: u64,
        lease: Duration,
    ) -> impl Future<Output = Result<i64, Unreachable>> + Send;

    /// The milliseconds that the one that is out has left; 0: none is.
    fn left(&self, name: &TrialName) -> impl Future<Output = Result<i64, Unreachable>> + Send;

    /// Whether it was still this one's.
    fn end(&self, name: &TrialName, number: u64) -> impl Future<Output = Result<bool, Unreachable>> + Send;
}

impl Fleet {
    /// Takes the trial of a provider, or of a model at a provider, for as long as the lease at most.
    pub async fn trial(
        self: &Arc<Self>,
        provider: ProviderId,
        model: Option<&str>,
        lease: Duration,
    ) -> Trial {
        let name = TrialName {
            provider,
            model: model.map(Box::from),
        };
        let Some(number) = self.trials.begin(&name, lease) else {
            return Trial::NotOurs;
        };
        let mut ours = Lease {
            fleet: Arc::clone(self),
            name,
            number,
            asked: false,
        };
        match &self.backend {
            Backend::Alone(_) => Trial::Ours(ours),
            Backend::Shared(shared) if shared.is_joined() => {
                // Said before it is asked: this future may be dropped meanwhile.
                ours.asked = true;
                match shared.counters.take(&ours.name, number, lease).await {
                    Ok(0) => Trial::Ours(ours),
                    Ok(left) => {
                        ours.asked = false;
                        self.trials.refused(&ours.name, number, left.min(REFUSED_MS));
                        Trial::NotOurs
                    }
                    Err(_) => Trial::OursAlone(ours),
                }
            }
            Backend::Shared(_) => Trial::OursAlone(ours),
        }
    }

    /// Whether somebody has the trial now.
    pub async fn trial_is_out(&self, provider: ProviderId, model: Option<&str>) -> bool {
        let name = TrialName {
            provider,
            model: model.map(Box::from),
        };
        if self.trials.is_out(&name) {
            return true;
        }
        match &self.backend {
            Backend::Shared(shared) if shared.is_joined() => {
                shared.counters.left(&name).await.is_ok_and(|left| left > 0)
            }
            Backend::Shared(_) | Backend::Alone(_) => false,
        }
    }

    pub(crate) async fn tell_end(&self, shared: &Shared, name: &TrialName, number: u64) {
        // What cannot be told ends by itself.
        drop(shared.counters.end(name, number).await);
    }
}

impl Lease {
    /// Who renews it while its call is asking.
    pub fn keeper(&self) -> Keeper {
        Keeper {
            fleet: Arc::clone(&self.fleet),
            name: self.name.clone(),
            number: self.number,
            asked: self.asked,
        }
    }

    /// As dropping it does.
    pub fn end(self) {
        drop(self);
    }
}

impl Keeper {
    /// Renews the lease, so that it may be short: a process that dies keeps nobody out for long. Never returns.
    pub async fn keep(self, lease: Duration) -> Infallible {
        loop {
            tokio::time::sleep(lease / 3).await;
            self.fleet.trials.renew(&self.name, self.number, lease);
            if let Backend::Shared(shared) = &self.fleet.backend
                && self.asked
                && shared.is_joined()
            {
                // What cannot be told now is told the next time.
                drop(shared.counters.take(&self.name, self.number, lease).await);
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.fleet.trials.finish(&self.name, self.number);
        if self.asked {
            let note = Note::EndTrial(self.name.clone(), self.number);
            self.fleet.notes.send(note);
        }
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
