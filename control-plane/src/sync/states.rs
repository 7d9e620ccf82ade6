//! What one node was told of providers' states, and what it is to be told.

use penstock_proto::convert::provider_state_to_wire;
use penstock_proto::sync::v1::FleetStates as Told;
use tokio::sync::watch;

use crate::fleet_states::FleetStates;

/// States in one message: a state is a few hundred bytes, and at most some 100 KB.
const AT_ONCE: usize = 20;

/// See the module.
pub(super) struct States {
    changes: watch::Receiver<u64>,
    /// The last change that the node was told.
    told: u64,
}

impl States {
    /// Of a node that was told nothing yet.
    pub(super) fn new(states: &FleetStates) -> Self {
        let mut changes = states.watch();
        changes.mark_changed();
        Self { changes, told: 0 }
    }

    /// Resolves when there is something to tell. Fails when there never will be.
    pub(super) async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        self.changes.changed().await
    }

    /// All of it.
    pub(super) fn news(&mut self, states: &FleetStates) -> Vec<Told> {
        let (changed, last) = states.since(self.told);
        self.told = last;
        let message = |some: &[_]| Told {
            states: some
                .iter()
                .map(|(provider, state): &(_, std::sync::Arc<_>)| provider_state_to_wire(*provider, state))
                .collect(),
        };
        changed.chunks(AT_ONCE).map(message).collect()
    }
}
