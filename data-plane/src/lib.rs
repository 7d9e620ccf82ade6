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
//! | `upstream` | the way to the providers |
//! | [`snapshot`] | the configuration in force |
//! | [`telemetry`] | usage spool and uplink, metrics |
//! | [`health`] | which providers are well |
//! | [`probe`] | calls that the node makes by itself, to see whether a provider answers |
//! | [`readiness`], [`drain`] | coming and going |
//! | [`run`] | the life of the process |
//! | [`link`] | the way to the control plane |
//! | [`node`] | the data directory and this node's name |
//! | [`proxy`] | the life of a request |
//! | [`open_files`], [`huge_pages`] | what the process asks of the kernel |
//! | [`commands`] | what the control plane can ask of a running node |
//! | [`clock`] | time and randomness, read here only |

mod admin;
pub mod app;
mod caches;
pub mod clock;
pub mod commands;
pub mod config;
pub mod drain;
mod durable;
mod fleet_node;
pub mod health;
pub mod huge_pages;
mod limits;
pub mod link;
pub mod node;
pub mod open_files;
pub mod probe;
pub mod proxy;
pub mod readiness;
pub mod renewal;
pub mod run;
pub mod snapshot;
pub mod telemetry;
mod upstream;
