//! The targets of all providers that have been called, by id.
//!
//! Looking one up takes no lock. It is made on first use and made anew when its provider's version is another or its
//! token a newer one; those of providers that are gone are dropped at the same moment, so there are never more than
//! providers. A call that still goes by an older snapshot makes what it needs for itself, and neither replaces nor drops
//! what newer calls use.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use penstock_core::id::{Epoch, ProviderId};
use penstock_core::snapshot::{ProviderEntry, Snapshot};
use penstock_outbound::{Clients, Reach};

use super::target::{BadTarget, Target, token_version};
use crate::caches::CacheCounts;

/// Those of one moment.
#[derive(Default)]
struct Made {
    /// Of the newest snapshot that made one.
    epoch: Option<Epoch>,
    revision: u64,
    by_id: HashMap<ProviderId, Arc<Target>>,
}

/// See the module.
pub(crate) struct Targets {
    clients: Clients,
    reach: Reach,
    made: ArcSwap<Made>,
    counts: CacheCounts,
}

impl Targets {
    /// `reach`: which addresses providers may have.
    pub(crate) fn new(clients: Clients, reach: Reach, counts: CacheCounts) -> Self {
        Self {
            clients,
            reach,
            made: ArcSwap::default(),
            counts,
        }
    }

    /// The target of a provider as `snapshot` has it.
    pub(crate) fn get(&self, snapshot: &Snapshot, entry: &ProviderEntry) -> Result<Arc<Target>, BadTarget> {
        if let Some(target) = self.made.load().by_id.get(&entry.id)
            && target.version == entry.version
            // A newer token than the request began with is the better one.
            && target.token_version >= token_version(entry)
        {
            self.counts.asked(true);
            return Ok(Arc::clone(target));
        }
        self.counts.asked(false);
        self.make(snapshot, entry)
    }

    /// Two requests may do this at once; the pools of one of them are lost, no request is.
    fn make(&self, snapshot: &Snapshot, entry: &ProviderEntry) -> Result<Arc<Target>, BadTarget> {
        let former = self.made.load().by_id.get(&entry.id).map(Arc::clone);
        let target = Arc::new(Target::new(
            entry,
            (&self.clients, self.reach),
            former.as_deref(),
        )?);
        self.made.rcu(|made| {
            if made.epoch == snapshot.epoch() && snapshot.revision() < made.revision {
                return Arc::clone(made);
            }
            let known = made.by_id.iter();
            let mut by_id: HashMap<_, _> = known
                .filter(|(id, _)| snapshot.provider(**id).is_some())
                .map(|(id, target)| (*id, Arc::clone(target)))
                .collect();
            by_id.insert(entry.id, Arc::clone(&target));
            Arc::new(Made {
                epoch: snapshot.epoch(),
                revision: snapshot.revision(),
                by_id,
            })
        });
        self.counts.holds(self.made.load().by_id.len());
        Ok(target)
    }
}
