//! Logs of `penstock up`: JSON lines on standard error, so that standard output stays for people.

use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Installs the logger of this process.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let wrong = |e| Failure::Usage(format!("--log-level {filter:?} is not a log filter: {e}"));
    let filter = EnvFilter::try_new(filter).map_err(wrong)?;
    penstock_log::start(filter, std::io::stderr).map_err(|e| Failure::Other(e.into()))
}
