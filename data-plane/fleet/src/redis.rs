//! Counters in Redis, shared by all data planes.
//!
//! Each thing that is done is one script call on one hash tag. The scripts are files, tested alone against a real
//! Redis; what they do is described in `lua/account.lua`. Each account has a few keys, all with a time to live; when
//! one of them is lost the account is forgotten as a whole and made anew from the ledger.

mod arguments;
mod bindings;
mod counters;
mod failure;
mod link;
mod reply;
mod script;
mod survey;
mod trials;

pub use counters::RedisCounters;
pub use link::{BadRedisUrl, Link};
