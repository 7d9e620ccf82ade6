//! What the counters promise, in the process and in a real Redis: one suite, one model.

// Says to clippy that all of it is tests.
#![cfg(test)]

mod bench;
mod bindings;
mod booking;
mod broken;
mod cluster;
mod conformance;
mod days;
mod degraded;
mod late;
mod leases;
mod losses;
mod model;
mod plane;
mod properties;
mod retries;
mod returns;
mod secured;
mod server;
mod shared;
mod sticky;
mod sticky_stories;
mod trials;
mod troubles;
mod unknown;
mod world;
