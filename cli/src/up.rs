//! `penstock up`: being written.

use crate::context;
use crate::failure::Failure;
use crate::target::process_env;

/// Flags of `penstock up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs Penstock on this machine.
pub(crate) async fn run(_: Args) -> Result<(), Failure> {
    tokio::task::yield_now().await;
    let at = context::path(&process_env);
    Err(Failure::Input(format!("`penstock up` is not here yet (context file: {at:?})")))
}
