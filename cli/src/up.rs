//! `penstock up`: both planes in one process, for one machine.
//!
//! A SQLite file, counters in the process, no Postgres, no Redis, no Docker. The planes are the same code as in
//! production and speak the same gRPC, through memory. The first start makes what an installation needs (a master key,
//! an admin token) and writes the context file, so that the other commands find this one without flags.
//!
//! Order: listeners first, so that a taken port ends the start before anything is changed; then the control plane, then
//! the data plane. Health is live only after gRPC is bound and the data plane has applied a snapshot. At the end
//! the data plane drains and reports its usage before the control plane goes.

mod banner;
mod demo;
mod home;
mod logging;
mod planes;

use std::path::PathBuf;

use penstock_control_plane::config::{ListenArgs, TrustArgs};
use penstock_data_plane::config::TrafficArgs;
use penstock_data_plane::{huge_pages, open_files};
use tokio_util::sync::CancellationToken;

use crate::context::{self, Context};
use crate::failure::Failure;
use crate::output;
use crate::target::process_env;
use demo::Demo;
use home::Home;
use planes::Running;

/// Flags of `penstock up`.
#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    /// Add a built-in fake provider with user and key, and print a curl that works
    ///
    /// It keeps its own state, in `demo` below the data directory.
    #[arg(long)]
    demo: bool,

    /// Directory for the database, the keys and the usage spool [default: ~/.local/share/penstock]
    #[arg(long, env = "PENSTOCK_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// The admin token, from the environment only
    #[arg(
        long = "admin-token-from-env",
        env = "PENSTOCK_ADMIN_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    admin_token: Option<String>,

    /// File with another master key, which opens what is sealed under it and seals nothing: while the key is replaced.
    /// Repeatable
    #[arg(
        long,
        env = "PENSTOCK_OTHER_MASTER_KEY_FILES",
        value_name = "FILE",
        value_delimiter = ','
    )]
    other_master_key_file: Vec<PathBuf>,

    #[command(flatten)]
    listen: ListenArgs,

    #[command(flatten)]
    traffic: TrafficArgs,

    #[command(flatten)]
    trust: TrustArgs,

    /// trace, debug, info, warn or error, or a filter such as `info,penstock::call=warn`
    #[arg(long, env = "PENSTOCK_LOG", default_value = "info", value_name = "FILTER")]
    log_level: String,

    #[command(flatten)]
    log: penstock_log::LogArgs,
}

/// Runs until a signal ends it.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let _logger = logging::start(&args.log_level, &args.log)?;
    open_files::raise();
    huge_pages::avoid();
    let token = args.admin_token.as_deref();
    let home = Home::open(args.data_dir.as_deref(), args.demo, token, &process_env)?;
    let shutdown = CancellationToken::new();
    let running = planes::start(&args, &home, &shutdown).await?;
    let serve = async {
        let mut demo = None;
        let greeted = greet(&args, &running, &home, &mut demo).await;
        if greeted.is_err() {
            shutdown.cancel();
        }
        let ended = running.ended().await;
        if let Some(demo) = demo {
            demo.end().await;
        }
        shutdown.cancel();
        // A plane that could not start explains more than the call that did not reach it.
        ended.and(greeted)
    };
    let (served, ()) = tokio::join!(serve, end_on_signal(&shutdown));
    served
}

/// Waits until it is ready, then says so, and how to go on.
async fn greet(args: &Args, running: &Running, home: &Home, demo: &mut Option<Demo>) -> Result<(), Failure> {
    if !running.ready().await? {
        return Ok(());
    }
    if args.demo {
        *demo = Some(demo::prepare(running, home).await?);
    }
    let context = Context {
        server: running.server(),
        token: home.admin_token.clone(),
    };
    // Before it is live: whoever waits for that goes on with the command line.
    match context::path(&process_env) {
        Some(path) => context::write(&path, &context)?,
        None => output::remark("neither XDG_CONFIG_HOME nor HOME is set: no context file was written"),
    }
    running.live().await?;
    output::raw(&banner::text(running, home, demo.as_ref()))
}

/// Cancels at the first SIGINT or SIGTERM; returns when somebody else has cancelled.
async fn end_on_signal(shutdown: &CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        output::remark("signals cannot be caught; the process ends without draining");
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = shutdown.cancelled() => {}
    }
    shutdown.cancel();
}
