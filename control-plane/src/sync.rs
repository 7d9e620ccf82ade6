//! The config stream's server: `penstock.sync.v1`, whose comments are its specification.
//!
//! One task serves one node's stream:
//!
//! ```text
//! Hello ─▶ opening: what does the node truly hold? ─▶ update ─▶ Ack ─▶ wait for the next revision ─▶ update ─▶ …
//! ```
//!
//! # Rules
//! * One update is under way at a time; while it is, later revisions gather, and the next update carries them all. The
//!   node is never behind by more than its own pace, and nothing queues here.
//! * Parts of an update are made while they are sent, behind a short queue: a slow node holds pointers, not copies.
//! * What a node has is what it acknowledged. Refused versions are quarantined: deltas leave them out until they change.
//!   A full update holds everything, as it must, for what is not in it is gone: the node refuses the same version again
//!   and keeps its last good one.
//! * A node that holds more than the store has proves that the store was restored: a new epoch begins.
//!
//! # Commands
//! go to a node between updates and come back as results, in any order ([`ask()`]). A node here is asked on its stream; when
//! there is none, the command goes through the database to a replica that has one, whose [`carry()`] does the rest.
//!
//! # Ends
//! With OK: the stream's jittered lifetime is over, this replica stops, the node closed its side. UNAVAILABLE: a node
//! that does not read or acknowledge for [`PATIENCE`], or the store cannot be asked when that is needed.

mod ask;
mod commands;
mod courier;
mod in_flight;
mod opening;
mod parts;
mod quarantine;
mod service;
mod states;
mod stream;

use std::time::Duration;

pub(crate) use ask::{ask, changed_or};
pub use courier::carry;
pub use service::ConfigSync;

/// A node that does not say Hello, take a part or acknowledge an update in this time is given up; it reconnects.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod command_tests;
#[cfg(test)]
mod stream_tests;
