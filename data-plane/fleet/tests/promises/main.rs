//! What the counters promise, in the process and in a real Redis: one suite, one model.

// Says to clippy that all of it is tests.
#![cfg(test)]

mod bench;
mod conformance;
mod days;
mod leases;
mod losses;
mod model;
mod properties;
mod retries;
mod server;
mod world;
