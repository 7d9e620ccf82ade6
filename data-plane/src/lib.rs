//! A Penstock data plane: one process that authenticates, routes, proxies and meters callers' requests.
//!
//! It keeps no state of its own. Its configuration comes by a stream from the control plane and lies in memory as one
//! immutable snapshot; usage goes to a spool on disk and from there to the control plane. Nothing on the request path
//! waits for the control plane.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | flags, environment, checked settings |
//! | [`app`] | what all parts share |
//! | [`snapshot`] | the configuration in force |
//! | [`telemetry`] | usage spool and uplink, metrics |
//! | [`readiness`], [`drain`] | coming and going |
//! | [`clock`] | time and randomness, read here only |

pub mod app;
pub mod clock;
pub mod config;
pub mod drain;
mod durable;
mod memory;
pub mod proxy;
pub mod readiness;
pub mod snapshot;
pub mod telemetry;
mod upstream;
