//! The targets of all providers that have been called, by id.
//!
//! Looking one up takes no lock. It is made on first use and made anew when its provider's version is another; those
//! of providers that are gone are dropped at the same moment, so there are never more than providers.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use penstock_core::id::ProviderId;
use penstock_core::snapshot::{ProviderEntry, Snapshot};

use super::client::Clients;
use super::target::{BadTarget, Target};

type ById = HashMap<ProviderId, Arc<Target>>;

/// See the module.
pub(crate) struct Targets {
    clients: Clients,
    made: ArcSwap<ById>,
}

impl Targets {
    pub(crate) fn new(clients: Clients) -> Self {
        Self {
            clients,
            made: ArcSwap::default(),
        }
    }

    /// The target of a provider as `snapshot` has it.
    pub(crate) fn get(&self, snapshot: &Snapshot, entry: &ProviderEntry) -> Result<Arc<Target>, BadTarget> {
        if let Some(target) = self.made.load().get(&entry.id)
            && target.version == entry.version
        {
            return Ok(Arc::clone(target));
        }
        self.make(snapshot, entry)
    }

    /// Two requests may do this at once; the pools of one of them are lost, no request is.
    fn make(&self, snapshot: &Snapshot, entry: &ProviderEntry) -> Result<Arc<Target>, BadTarget> {
        let former = self.made.load().get(&entry.id).map(Arc::clone);
        let target = Arc::new(Target::new(entry, &self.clients, former.as_deref())?);
        self.made.rcu(|made| {
            let mut made: ById = made
                .iter()
                .filter(|(id, _)| snapshot.provider(**id).is_some())
                .map(|(id, target)| (*id, Arc::clone(target)))
                .collect();
            made.insert(entry.id, Arc::clone(&target));
            made
        });
        Ok(target)
    }
}
