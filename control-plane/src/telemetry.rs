//! What data planes report: `penstock.telemetry.v1`, whose comments are its specification.
//!
//! # Usage
//! Batches are taken one after the other; each is acknowledged after the database commit that holds it, and not before.
//! Acknowledgements are cumulative, so a batch that would leave a gap behind it is refused: acknowledging it would lose
//! what is missing. A record that can never be stored is acknowledged, counted and logged. While the database is away the
//! stream ends with UNAVAILABLE, and the node keeps its spool.
//!
//! With a batch, the ledger keeps how far its spool is delivered; a baseline tells what was spent and these marks as at
//! one moment, so that whoever rebuilds counters knows which records are in the sums.
//!
//! # Everything else
//! is best effort. Health goes to the node registry. A key upgrade becomes a commit of the system, when the key is still
//! at the version that the node saw. A first use is stamped once, whoever says it first; the usage record of the call says
//! it too, so no report of it need arrive. Records of failed calls go to the log of calls.

mod baseline;
mod failures;
mod first_use;
mod ingest;
mod report;
mod service;
mod spool;
mod upgrade;

pub use service::Telemetry;

use penstock_proto::telemetry::v1::ReporterSettings;

/// Unacknowledged batches that a node may have under way.
const WINDOW: u32 = 4;

const MAX_BATCH_RECORDS: u32 = 500;

fn settings() -> ReporterSettings {
    let interval = crate::nodes::HEARTBEAT.as_millis();
    ReporterSettings {
        health_interval_ms: u32::try_from(interval).unwrap_or(u32::MAX),
        window: WINDOW,
        max_batch_records: MAX_BATCH_RECORDS,
    }
}

#[cfg(test)]
mod baseline_tests;
#[cfg(test)]
mod report_tests;
