//! What data planes share with each other, beside what the control plane gives to all of them.
//!
//! The fleet's state lives in Redis, or in the process when there is only one data plane (`penstock up`). Redis is
//! never required to serve: when it is gone, the data plane goes on alone, says so once, and joins again when it is
//! back. For now this crate holds the connection and its state; the shared limits build on it.

mod connection;
mod state;

pub use connection::{BadRedisUrl, Fleet};
pub use state::RedisState;
