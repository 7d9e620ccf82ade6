//! The configuration on this node: what is in force, where it comes from, and how it outlives a restart.
//!
//! [`follow`] keeps a stream to the control plane: parts of an update are collected, applied off the request path, put
//! in force by one pointer store ([`Live`]), acknowledged, and kept on disk ([`last_known_good`]). Commands that come between
//! updates are answered beside them ([`commands`]).

mod applied;
mod collect;
mod commands;
mod follow;
mod last_known_good;
pub mod live;
mod session;
mod state;

pub(crate) use follow::Follower;
pub(crate) use last_known_good::LastKnownGood;
pub use live::Live;
pub use state::SyncState;
