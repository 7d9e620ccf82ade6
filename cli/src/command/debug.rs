//! `penstock debug`: HTTP traffic written out for a while, on every data plane.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::{Session, part};
use crate::args::duration::Millis;
use crate::failure::Failure;
use crate::remote::Reason;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write out the traffic of one key or one provider: request line, masked headers, status, times
    Http(Http),
    /// Windows that are open
    List,
    /// Close a window; without --key and --provider all of them
    Stop(Stop),
}

#[derive(clap::Args)]
pub(crate) struct Http {
    #[command(flatten)]
    subject: Subject,
    /// How long; at most 24h
    #[arg(long = "for", value_name = "TIME", default_value = "10m")]
    duration: Millis,
    /// Bodies too, into a file below the data plane's log or data directory that only its user can read
    #[arg(long)]
    bodies: bool,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    reason: Reason,
}

/// Whose traffic.
#[derive(Clone, Debug, clap::Args)]
struct Subject {
    /// user/key, the bare name while it is unique, or id
    #[arg(long, conflicts_with = "provider")]
    key: Option<String>,
    /// Name or id
    #[arg(long)]
    provider: Option<String>,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Http(http) => http.run(session).await,
            Self::List => {
                let request = wire::ListHttpDebugRequest {};
                let answer = session.connect().await?.debug().list_http_debug(request).await?;
                session.print_list(answer.into_inner().windows, |window| {
                    Ok(view::DebugWindow::from(window))
                })
            }
            Self::Stop(stop) => stop.run(session).await,
        }
    }
}

impl Http {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let Millis(for_ms) = self.duration;
        if self.subject.key.is_none() && self.subject.provider.is_none() {
            return Err(Failure::Usage("give --key or --provider".into()));
        }
        let request = wire::StartHttpDebugRequest {
            key: self.subject.key.unwrap_or_default(),
            provider: self.subject.provider.unwrap_or_default(),
            for_ms,
            bodies: self.bodies,
            change: self.reason.info(),
        };
        let answer = session.connect().await?.debug().start_http_debug(request).await?;
        let answer = answer.into_inner();
        let read = |window| Ok(view::DebugWindow::from(window));
        session.print_changed(
            "window",
            Some(part("window", answer.window)?),
            answer.revision,
            read,
        )
    }
}

impl Stop {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::StopHttpDebugRequest {
            key: self.subject.key.unwrap_or_default(),
            provider: self.subject.provider.unwrap_or_default(),
            change: self.reason.info(),
        };
        let answer = session.connect().await?.debug().stop_http_debug(request).await?;
        let answer = answer.into_inner();
        session.print_done(format!("closed {} windows", answer.stopped), answer.revision)
    }
}
