//! Which provider serves a call: pure choice over a snapshot's providers (behaviour B2).
//!
//! A provider is a candidate when nothing speaks against it ([`judge`]): it is enabled, has a credential, speaks the
//! dialect or may be translated for, carries a group that user and key may use, serves the model, is inside its active hours, is neither set
//! aside nor cooling down nor behind an open breaker, and has not been tried in this request.
//!
//! The best (lowest) priority tier with a candidate wins; inside it the weights decide by chance, uniformly when all are
//! zero. A provider whose own rate limits are nearly used up gets less than its weight, and nothing while another one has
//! room ([`weight`]). A session that is bound to a candidate stays there: its prompt is in that provider's cache.
//!
//! Providers arrive sorted by priority. Each is judged once for a choice; the verdicts also tell later why it was so.

mod plan;
mod verdict;
mod weight;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use plan::{Judged, plan};
pub use verdict::{NoCandidate, Verdict};
pub use weight::FULL;

use crate::access::Access;
use crate::credential::Renewal;
use crate::health::Standing;
use crate::id::ProviderId;
use crate::provider::Request;
use crate::snapshot::ProviderEntry;
use crate::time::UnixMs;

/// What is asked of a provider.
#[derive(Clone, Copy)]
#[expect(
    missing_debug_implementations,
    reason = "holds a reference to the state of the fleet"
)]
pub struct Ask<'a> {
    pub request: Request,
    /// As the client named it, or a substitute that the operator named for it.
    pub model: &'a str,
    pub user: &'a Access,
    pub key: &'a Access,
    /// Tried, or passed over, in this request.
    pub tried: &'a [ProviderId],
    pub now: UnixMs,
    /// How providers do.
    pub fleet: &'a dyn Conditions,
    pub bound: Bound,
}

/// What the fleet knows of providers.
pub trait Conditions {
    fn standing(&self, provider: &ProviderEntry, model: &str) -> Standing;

    /// What is left of the provider's own rate limits, in thousandths; 1000 when nothing is known.
    fn room(&self, provider: &ProviderEntry, model: &str) -> u32;
}

/// Where the call's session was served before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    pub provider: Option<ProviderId>,
    /// The session goes back to a better tier as soon as that has a candidate.
    pub return_to_better_tier: bool,
}

/// Everything is well.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllWell;

impl Conditions for AllWell {
    fn standing(&self, _: &ProviderEntry, _: &str) -> Standing {
        Standing::Ready
    }

    fn room(&self, _: &ProviderEntry, _: &str) -> u32 {
        weight::FULL
    }
}

/// What speaks for and against each provider, in their order.
pub fn verdicts(providers: &[Arc<ProviderEntry>], ask: &Ask<'_>) -> Vec<Verdict> {
    providers.iter().map(|entry| judge(entry, ask)).collect()
}

/// Picks one of the providers of which these are the [`verdicts`]. `random` is uniform over all of its values.
pub fn choose<'a>(
    providers: &'a [Arc<ProviderEntry>],
    verdicts: &[Verdict],
    ask: &Ask<'_>,
    random: u64,
) -> Result<&'a Arc<ProviderEntry>, NoCandidate> {
    let candidates = || {
        let judged = providers.iter().zip(verdicts);
        judged
            .filter(|(_, verdict)| **verdict == Verdict::Candidate)
            .map(|(entry, _)| entry)
    };
    let Some(first) = candidates().next() else {
        return Err(NoCandidate::of(providers, ask));
    };
    if let Some(bound) = bound(candidates(), first, ask.bound) {
        return Ok(bound);
    }
    let tier = || candidates().take_while(|entry| entry.provider.priority == first.provider.priority);
    Ok(weight::pick(tier, ask, random).unwrap_or(first))
}

/// The candidate to which the session is bound.
fn bound<'a>(
    mut candidates: impl Iterator<Item = &'a Arc<ProviderEntry>>,
    first: &ProviderEntry,
    bound: Bound,
) -> Option<&'a Arc<ProviderEntry>> {
    let id = bound.provider?;
    let entry = candidates.find(|entry| entry.id == id)?;
    let better = entry.provider.priority > first.provider.priority;
    (!better || !bound.return_to_better_tier).then_some(entry)
}

/// Why a provider is or is not a candidate.
pub fn judge(entry: &ProviderEntry, ask: &Ask<'_>) -> Verdict {
    let provider = &entry.provider;
    match () {
        () if !provider.enabled => Verdict::Disabled,
        () if provider.speech(ask.request, ask.model).is_none() => Verdict::OtherDialect,
        () if !serves_model(entry, ask.model) => Verdict::ModelNotServed,
        () if !in_groups(entry, ask.user) || !in_groups(entry, ask.key) => Verdict::OtherGroup,
        () if !has_credential(entry, ask.now) => Verdict::NoCredential,
        () if !provider.is_active(ask.now) => Verdict::OutsideHours,
        () if ask.tried.contains(&entry.id) => Verdict::Tried,
        () => Verdict::of(ask.fleet.standing(entry, ask.model)),
    }
}

/// Whether there is something to call it with. A token that is over is still tried while the control plane can renew it.
fn has_credential(entry: &ProviderEntry, now: UnixMs) -> bool {
    let over = |renewal: Renewal| renewal.stopped && renewal.expires_at <= now;
    let credential = entry.credential.as_ref();
    credential.is_some_and(|credential| !credential.renewal().is_some_and(over))
}

/// Whether the provider would serve the model in this dialect to somebody at some time.
fn serves(entry: &ProviderEntry, ask: &Ask<'_>) -> bool {
    let provider = &entry.provider;
    provider.enabled && provider.speech(ask.request, ask.model).is_some() && serves_model(entry, ask.model)
}

fn serves_model(entry: &ProviderEntry, model: &str) -> bool {
    entry.provider.models.is_empty() || entry.provider.models.iter().any(|pattern| pattern.matches(model))
}

fn in_groups(entry: &ProviderEntry, access: &Access) -> bool {
    access.groups.is_empty()
        || access
            .groups
            .iter()
            .any(|group| entry.provider.groups.contains(group))
}
