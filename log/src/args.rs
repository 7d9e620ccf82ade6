//! Flags about logs, the same at every program.

use std::path::PathBuf;

use clap::Args;

/// Where the log goes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// Directory for log files: one for each target and day. Without it the log goes to standard output.
    #[arg(long, env = "PENSTOCK_LOG_DIR", value_name = "DIR")]
    pub log_dir: Option<PathBuf>,

    /// Log files older than so many days are deleted.
    #[arg(long, env = "PENSTOCK_LOG_KEEP_DAYS", default_value_t = 14, value_name = "DAYS",
        value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub log_keep_days: u16,
}
