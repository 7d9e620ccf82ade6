//! `penstock`: Penstock on one machine (`penstock up`) and the operator's commands.
//!
//! The commands talk gRPC to a control plane; see `docs/cli.md` for the contract that scripts rely on. Here only the
//! parts are put together: arguments in, one command run, its failure on stderr, an exit code out (0 done, 1 error,
//! 2 wrong usage).

mod args;
mod backup;
mod command;
mod connect;
mod context;
mod failure;
mod import;
mod input;
mod manifest;
mod output;
mod private_file;
mod remote;
mod target;
mod up;
mod view;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    match Box::pin(command::run(arguments)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
