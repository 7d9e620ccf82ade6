//! What the bench is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::mark::Mark;

/// Measures Penstock's data plane beside nginx and beside a direct connection, and prints one table.
///
/// Starts everything itself, on free ports, in a temporary folder: a fake provider, nginx and Redis where they are
/// installed, a control plane on SQLite, data planes, and a load generator. Takes about eight minutes.
#[derive(Clone, Debug, Parser)]
#[command(name = "penstock-bench", version, max_term_width = 110)]
pub(crate) struct Flags {
    /// Only these marks; a comma list, or repeated.
    #[arg(
        long,
        value_enum,
        ignore_case = true,
        value_delimiter = ',',
        value_name = "MARK"
    )]
    pub(crate) only: Vec<Mark>,

    /// Seconds that each single measurement lasts, after its warm-up.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) seconds: u64,

    /// Alternating rounds; the median of them counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=15))]
    pub(crate) rounds: u32,

    /// Streams that P4 holds open at once, if so many fit into the limit of open files.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) streams: u32,

    /// Print JSON instead of the table.
    #[arg(long)]
    pub(crate) json: bool,

    /// Also write the table as Markdown into this file: between its `bench:begin` and `bench:end` comments, or the
    /// whole file when it does not exist.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,

    /// Folder of the JSON results.
    #[arg(long, default_value = "bench/results", value_name = "DIR")]
    pub(crate) results: PathBuf,

    /// Folder of the release binaries. Default: the one this program lies in.
    #[arg(long, value_name = "DIR")]
    pub(crate) bin_dir: Option<PathBuf>,

    /// Instead of measuring: the loads of the marks on the data plane alone, recorded by `perf`. See
    /// docs/performance.md for how to read the recordings.
    #[arg(long, conflicts_with_all = ["json", "save"])]
    pub(crate) profile: bool,
}

impl Flags {
    /// The marks to measure, in order.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let asked = |mark: &Mark| self.only.is_empty() || self.only.contains(mark);
        let fits = |mark: &Mark| !self.profile || mark.loads_the_data_plane();
        Mark::ALL.into_iter().filter(asked).filter(fits).collect()
    }

    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn flags(args: &[&str]) -> Result<Flags, clap::Error> {
        Flags::try_parse_from([&["penstock-bench"], args].concat())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Flags::command().debug_assert();
    }

    #[test]
    fn marks_are_all_of_them_unless_some_are_named() {
        assert_eq!(flags(&[]).unwrap().marks(), Mark::ALL);
        assert_eq!(flags(&["--only", "P3,p1"]).unwrap().marks(), [Mark::P1, Mark::P3]);
    }

    #[test]
    fn a_mark_that_does_not_exist_is_refused() {
        assert!(flags(&["--only", "P11"]).is_err());
        assert!(flags(&["--seconds", "0"]).is_err());
    }
}
