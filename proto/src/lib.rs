//! The protocol between the planes, and between operators and the control plane.
//!
//! The `.proto` files under `proto/penstock` are its specification; read them first. This crate holds the code
//! generated from them ([`config`], [`fleet`], [`sync`], [`telemetry`], [`admin`]) and [`convert`], the only place where wire types
//! and the domain's types meet. Generated types stay at the edges: the services, the data plane's stream clients, the
//! CLI. [`stored`] sends usage records as they lie in a spool.
//!
//! Messages that carry credentials or keys have no `Debug`, so that they cannot be logged by accident.

pub mod convert;
mod generated;
pub mod stored;

pub use generated::{admin, config, fleet, sync, telemetry};

/// All files as a `FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
