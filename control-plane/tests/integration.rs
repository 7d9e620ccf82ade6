//! The control plane as it runs: `run()` on a SQLite file, spoken to over real sockets and over the pipe.
//!
//! The modules are `cfg(test)` so that clippy takes their helpers for tests, too.

#[cfg(test)]
#[path = "support/console_client.rs"]
mod console_client;
#[cfg(test)]
#[path = "support/node.rs"]
mod node_client;
#[cfg(test)]
#[path = "support/plane.rs"]
mod plane;
#[cfg(test)]
#[path = "support/reporter.rs"]
mod reporter;

#[cfg(test)]
mod admin;
#[cfg(test)]
mod breakers;
#[cfg(test)]
mod console;
#[cfg(test)]
mod startup;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod tls;

#[cfg(test)]
use penstock_control_plane::pipe::PipeConnector;
