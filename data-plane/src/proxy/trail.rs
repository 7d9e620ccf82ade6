//! What has become of a call so far: who was asked, who was passed over, and what the caller will be told when nobody is
//! left.
//!
//! The most telling failure is told: the first that was not of the moment (a 429, an overload), else the last.

use std::time::Duration;

use penstock_core::error::Code;
use penstock_core::id::ProviderId;
use penstock_core::route::Verdict;
use penstock_core::snapshot::ProviderEntry;
use penstock_core::time::UnixMs;
use tokio::time::Instant;

use super::call::{Call, Chosen};
use super::error::Refusal;
use super::failed::{Ending, Failure};
use super::outgoing::Unsendable;
use super::provider_limits::NoRoom;

/// A call does not ask the fleet of more providers that turn out to have no room.
const MAX_PASSED: u32 = 32;

/// What the caller of an untranslatable request can do.
const HELP: &str = "Leave it out, or have the operator add a provider that speaks this API.";

/// See the module.
pub(super) struct Trail {
    /// Asked, or passed over for want of room, for the model that is looked for now.
    excluded: Vec<ProviderId>,
    /// Until the first of those that were passed over may serve, seconds.
    soonest: Option<u64>,
    /// Until the first of the others may be well again, seconds.
    recovery: Option<u64>,
    telling: Option<Failure>,
    /// What the first of the providers that would be asked by translation cannot be asked.
    unsendable: Option<Unsendable>,
    asked: u32,
    /// Of those asked for this model, whose access token was refused and for whom no other came.
    tokenless: usize,
    /// The one that is asked now is such a one.
    lacks_token: bool,
    /// Chosen and passed over, each after a question to the fleet.
    passed: u32,
    tries: u32,
    most: u32,
    waited: Duration,
    /// Of all attempts together.
    deadline: Instant,
    /// Which of the models is looked for: 0 is the one asked, the others its substitutes.
    pub(super) model: usize,
    /// What spoke for and against each provider in the newest choice.
    pub(super) verdicts: Vec<Verdict>,
}

impl Trail {
    pub(super) fn new(call: &Call) -> Self {
        Self {
            excluded: Vec::new(),
            soonest: None,
            recovery: None,
            telling: None,
            unsendable: None,
            asked: 0,
            tokenless: 0,
            lacks_token: false,
            passed: 0,
            tries: 0,
            most: call.snapshot.routing().max_providers.max(1),
            waited: Duration::ZERO,
            deadline: call.arrival.instant,
            model: 0,
            verdicts: Vec::new(),
        }
    }

    pub(super) fn excluded(&self) -> &[ProviderId] {
        &self.excluded
    }

    /// Somebody may be well again then.
    pub(super) fn recovers_at(&mut self, at: UnixMs, now: UnixMs) {
        let ms = u64::try_from(at.0.saturating_sub(now.0)).unwrap_or(0);
        let seconds = ms.div_ceil(1_000).max(1);
        self.recovery = Some(self.recovery.map_or(seconds, |known| known.min(seconds)));
    }

    /// The next substitute is looked for: everybody may be asked again, for another model.
    pub(super) fn substitute(&mut self) {
        self.model += 1;
        self.tokenless = 0;
        self.excluded.clear();
    }

    /// The provider has no room; what that is called.
    pub(super) fn full(&mut self, provider: &ProviderEntry, no_room: &NoRoom) -> Verdict {
        let (wait, verdict) = match no_room {
            NoRoom::Exceeded(exceeded) | NoRoom::Remembered(exceeded) => {
                (exceeded.retry_after, Verdict::Full(exceeded.dimension))
            }
            NoRoom::Unknown => (1, Verdict::BudgetUnknown),
        };
        self.passed += u32::from(!matches!(no_room, NoRoom::Remembered(_)));
        self.pass_over(provider.id, wait);
        verdict
    }

    pub(super) fn waits_for_trial(&mut self, provider: &ProviderEntry) {
        self.passed += 1;
        self.pass_over(provider.id, 1);
    }

    /// The request cannot be said in the provider's dialect, or not be made now.
    pub(super) fn unsendable(&mut self, provider: &ProviderEntry, why: &Unsendable) {
        self.excluded.push(provider.id);
        self.unsendable.get_or_insert_with(|| why.clone());
    }

    /// Its total timeout, counted from the request's arrival, has run out while others were asked.
    pub(super) fn out_of_time(&mut self, provider: &ProviderEntry) {
        self.excluded.push(provider.id);
    }

    fn pass_over(&mut self, provider: ProviderId, wait: u64) {
        self.soonest = Some(self.soonest.map_or(wait, |soonest| soonest.min(wait)));
        self.excluded.push(provider);
    }

    /// Something was sent to somebody.
    pub(super) fn has_tried(&self) -> bool {
        self.tries > 0
    }

    /// The provider that is asked now refused its access token, and no other came.
    pub(super) fn lacks_token(&mut self) {
        self.lacks_token = true;
    }

    /// Nobody else was asked or passed over.
    pub(super) fn only_tokens(&self) -> bool {
        self.tokenless == self.excluded.len()
    }

    pub(super) fn tried(&mut self) {
        self.tries += 1;
    }

    pub(super) fn failed(&mut self, failure: Failure) {
        self.asked += 1;
        self.tokenless += usize::from(std::mem::take(&mut self.lacks_token));
        self.excluded.push(failure.chosen.provider.id);
        let keep = self.telling.as_ref().is_some_and(|told| !told.is_of_the_moment());
        if !keep {
            self.telling = Some(failure);
        }
    }

    /// Until when an attempt there may last: the most patient provider asked so far decides for the call.
    pub(super) fn deadline(&self, call: &Call, chosen: &Chosen) -> Instant {
        let total = chosen.provider.provider.total_timeout(call.asked.stream);
        self.deadline.max(call.arrival.instant + total)
    }

    /// The provider is asked. Its deadline is the call's from now on.
    pub(super) fn ask(&mut self, call: &Call, chosen: &Chosen) -> Instant {
        self.deadline = self.deadline(call, chosen);
        self.deadline
    }

    /// Notes a wait before the next try, if there is time for it.
    pub(super) fn may_wait(&mut self, wait: Duration, most: Duration, deadline: Instant) -> bool {
        let fits = self.waited + wait <= most && Instant::now() + wait < deadline;
        if fits {
            self.waited += wait;
        }
        fits
    }

    /// Nobody else is asked.
    pub(super) fn is_over(&self) -> bool {
        self.asked >= self.most || self.passed >= MAX_PASSED
    }

    /// Whose error the caller is told, by its place among the attempts. None: nobody's.
    pub(super) fn told(&self) -> Option<usize> {
        self.telling.as_ref().map(|failure| failure.attempt)
    }

    /// Nobody else is asked. `refusal`: what the caller is told when nobody was.
    pub(super) fn give_up(self, mut refusal: Refusal) -> Ending {
        let soonest = self.soonest.into_iter().chain(self.recovery).min();
        match (self.telling, self.unsendable) {
            // Tells more than the refusals of each.
            (Some(_), _) if refusal.error.code == Code::TokenRefreshFailed => Ending::Refused(refusal),
            (Some(failure), _) => failure.ending().retry_after(soonest),
            (None, Some(why)) if soonest.is_none() => Ending::Refused(unsendable(&why)),
            (None, Some(_) | None) => {
                refusal.error.retry_after = soonest.or(refusal.error.retry_after);
                Ending::Refused(refusal)
            }
        }
    }
}

/// When none of the providers can be sent what the caller asks.
fn unsendable(why: &Unsendable) -> Refusal {
    let message = match why {
        Unsendable::NoMemory | Unsendable::Failed(_) => return Refusal::overloaded(&why.to_string()),
        Unsendable::Untranslatable(_) => format!("No provider here can be asked this: {why}. {HELP}"),
        Unsendable::Filtered(_) => format!("No provider here can be asked this: {why}."),
    };
    Refusal::new(Code::InvalidRequest, message)
}
