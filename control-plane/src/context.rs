//! What the services share: handed to each of them at start.

use std::sync::Arc;

use penstock_store::Store;
use tokio::time::Instant;

use crate::access::operators::Operators;
use crate::credentials::Sealer;
use crate::doctor::Setup;
use crate::fleet_states::FleetStates;
use crate::index::Index;
use crate::metrics::Metrics;
use crate::nodes::NodeRegistry;
use crate::tokens::Tokens;

/// The parts of a running control plane. Cheap to clone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds the sealer")]
pub struct Context {
    pub store: Arc<dyn Store>,
    /// The newest configuration, in memory, as data planes get it.
    pub index: Arc<Index>,
    pub sealer: Arc<Sealer>,
    /// Nodes with a stream to this replica. All nodes of the fleet are in the store.
    pub nodes: Arc<NodeRegistry>,
    /// Which providers are well.
    pub fleet_states: Arc<FleetStates>,
    /// Access tokens that are obtained for providers.
    pub tokens: Arc<Tokens>,
    /// Hosts, perhaps with a port, from which price files may be fetched though they are inside.
    pub trusted_hosts: Arc<[String]>,
    /// Operators' accounts, as the gate knows them.
    pub operators: Arc<Operators>,
    pub metrics: Arc<Metrics>,
    /// What the start knew, for the doctor.
    pub setup: Arc<Setup>,
    /// This replica's name.
    pub name: Arc<str>,
    pub started: Instant,
}
