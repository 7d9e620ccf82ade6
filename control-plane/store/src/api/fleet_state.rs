//! Which providers are well, as the fleet knows it.
//!
//! A row is written only in the place of the version that its writer has read, so that of two who merge at once the
//! second reads again and merges with the first.

use penstock_core::health::State;
use penstock_core::id::ProviderId;

/// What is known of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetState {
    pub provider: ProviderId,
    /// As read; to be written in its place. 0: there was none.
    pub version: u64,
    pub state: State,
}

/// What an operator did, kept with what it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetAction {
    pub actor: String,
    /// "open", "reset", "credential".
    pub action: &'static str,
    pub reason: String,
    /// Empty: the provider as a whole.
    pub model: String,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The new version.
    Written(u64),
    /// Another was first: read again.
    Overtaken,
    /// There is no such provider any more.
    NoProvider,
}
