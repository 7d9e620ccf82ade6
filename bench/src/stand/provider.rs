//! The fake provider: prebuilt answers of 400 bytes, and streams whose events come one at a time.
//!
//! It and the load generator have a thread each, so that what they cost is the same beside every system measured.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::process::Process;
use super::programs::Programs;

/// Bytes of an answer that is not streamed.
const ANSWER_BYTES: usize = 400;
/// Text events of a stream.
const CHUNKS: u32 = 24;
/// Between two events of a stream.
pub(crate) const EVENT_PACE: Duration = Duration::from_millis(20);
/// All events of a stream: the text, and the six around it.
pub(crate) const STREAM_EVENTS: u32 = CHUNKS + 6;

/// Starts it on a port that it chooses.
pub(crate) async fn start(programs: &Programs, folder: &Path) -> Result<(Process, SocketAddr)> {
    let mut command = Command::new(&programs.fake_provider);
    command
        .env_clear()
        .args(["--listen", "127.0.0.1:0", "--threads", "1"]);
    command.args([
        "--fixed",
        &ANSWER_BYTES.to_string(),
        "--chunks",
        &CHUNKS.to_string(),
    ]);
    command.args(["--pace-ms", &EVENT_PACE.as_millis().to_string()]);
    let mut process = Process::start("fake-provider", command, folder)?;
    let log = folder.join("fake-provider.log");
    let said = async || address(&std::fs::read_to_string(&log).ok()?);
    let address = process
        .until("say where it listens", said)
        .await
        .context("the bench needs its provider")?;
    Ok((process, address))
}

/// Of the line that it prints when it accepts; None before the line is whole.
fn address(output: &str) -> Option<SocketAddr> {
    let (line, _) = output.split_once('\n')?;
    line.strip_prefix("listening on http://")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_a_whole_line() {
        assert_eq!(address("listening on http://127.0.0.1:90"), None);
        assert_eq!(
            address("listening on http://127.0.0.1:9012\n"),
            Some(([127, 0, 0, 1], 9012).into())
        );
        assert_eq!(address("error: no\n"), None);
    }
}
