//! Logs of `penstock up`: JSON lines on standard error, so that standard output stays for people, or files.

use penstock_log::{LogArgs, Logger, StartError, Stream};

use crate::failure::Failure;

/// Installs the logger of this process, which logs until it is dropped.
pub(crate) fn start(filter: &str, args: &LogArgs) -> Result<Logger, Failure> {
    penstock_log::start(filter, args, Stream::Stderr).map_err(|error| match error {
        StartError::Filter { .. } => Failure::Usage(error.to_string()),
        StartError::Directory { .. } | StartError::Taken(_) => Failure::other(error),
    })
}
