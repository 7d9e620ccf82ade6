//! The configuration on this node: what is in force, where it comes from, and how it outlives a restart.

pub mod live;
mod state;

pub use live::Live;
pub use state::SyncState;
