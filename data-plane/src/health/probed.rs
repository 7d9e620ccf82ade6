//! What a probe says of a provider's state.

use penstock_core::health::credential::Credential;
use penstock_core::health::mark::Maker;
use penstock_core::health::state::{Probes, WHOLE};
use penstock_core::snapshot::ProviderEntry;
use penstock_core::time::UnixMs;

use super::Health;
use crate::probe::Verdict;

impl Health {
    /// A probe was made. `next`: when the next one is due, where operators want them.
    pub(crate) fn probed(
        &self,
        provider: &ProviderEntry,
        verdict: &Verdict,
        next: Option<UnixMs>,
        now: UnixMs,
    ) {
        let maker = Maker {
            by: &self.node,
            why: &verdict.why,
            now,
        };
        self.change(provider.id, now, |_, state| {
            let mut changed = state.clone();
            let entry = changed.entry_mut(WHOLE)?;
            let before = entry
                .credential
                .as_ref()
                .map(|mark| mark.value)
                .unwrap_or_default();
            let credential = match (verdict.accepted, before) {
                (Some(accepted), _) => before.probed(accepted, now),
                // Not now; at the next time.
                (None, Credential::Failed { .. }) => before.probed(false, now),
                (None, Credential::Accepted | Credential::Suspect { .. } | Credential::Revoked) => None,
            };
            if let Some(credential) = credential {
                maker.mark(&mut entry.credential, credential);
            }
            if let Some(next) = next {
                let well = verdict.reachable && verdict.accepted != Some(false);
                let failed = entry.probes.as_ref().map_or(0, |mark| mark.value.failures);
                let failures = if well { 0 } else { failed.saturating_add(1) };
                maker.mark(&mut entry.probes, Probes { failures, next });
            }
            (credential.is_some() || next.is_some()).then_some(changed)
        });
    }
}
