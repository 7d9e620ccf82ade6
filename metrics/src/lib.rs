//! What the metrics of all programs have in common, the same from every one.
//!
//! Each plane names its own metrics; here are those that every process has ([`ProcessMetrics`]), the five figures of a
//! cache ([`CacheMetrics`]), and the check that `docs/metrics.md` is true ([`specification`]), which the tests of both
//! planes make: the page is the written specification, and what a program shows is compared with it both ways.
//!
//! It is a crate of its own because both planes need it and neither may link the other.

mod cache;
mod memory;
mod process;
pub mod specification;

pub use cache::{CacheFigures, CacheMetrics};
pub use memory::resident_bytes;
pub use process::ProcessMetrics;
