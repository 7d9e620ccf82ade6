//! What an operator can choose for a data plane: flags and environment on one side, checked settings on the other.
//!
//! [`Config`] is what clap reads; `penstock up` flattens [`TrafficArgs`] into its own flags. [`Settings`] is what the
//! rest of the crate sees: values already checked, files already read, no strings left to parse. Every complaint says
//! which flag it is about and what to do.

mod args;
mod control_plane;
mod error;
mod otlp;
mod quantity;
mod settings;

#[cfg(test)]
mod tests;

pub use args::{Config, ControlPlaneArgs, NodeArgs, ProviderAddresses, TrafficArgs, WhenSpoolFull};
pub use control_plane::{ControlPlane, Endpoint, Tls};
pub use error::ConfigError;
pub use otlp::{OtlpArgs, OtlpSettings, SampleRatio};
pub use penstock_core::cidr::{Cidr, ParseCidrError};
pub use quantity::{Bytes, Span};
pub use settings::{DrainSettings, NodeSettings, SealKey, Settings, TrafficSettings};
