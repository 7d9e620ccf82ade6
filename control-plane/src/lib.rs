//! Being written: see [`run`] soon.

pub mod access;
pub mod admin;
pub mod clock;
pub mod config;
pub mod context;
pub mod credentials;
pub mod index;
pub mod metrics;
pub mod nodes;
pub mod pipe;
pub mod prices;
pub mod startup;
pub use penstock_store as store;
