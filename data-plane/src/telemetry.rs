//! What this node tells about itself: usage that must not be lost, and everything else as well as it can.
//!
//! [`spool`] keeps usage on disk until the control plane has committed it, [`uplink`] delivers it, [`reports`] carries
//! what is best effort, [`failures`] the records of failed calls, [`bodies`] what HTTP debug writes, [`metrics`] is what Prometheus reads, [`otlp`] what
//! goes to an OpenTelemetry collector.

pub mod bodies;
pub mod failures;
pub mod metrics;
pub mod otlp;
pub mod reports;
pub mod spool;
pub(crate) mod uplink;
