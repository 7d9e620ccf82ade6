//! `penstock breaker`.

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use penstock_proto::admin::v1 as wire;

use super::session::{Session, part};
use crate::args::moment::{Expiry, now};
use crate::failure::Failure;
use crate::remote::Reason;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Which providers are well: breakers, cooldowns, credential states
    List {
        /// Only this one: name or id
        #[arg(long)]
        provider: Option<String>,
    },
    /// Let no request to a provider, on any data plane
    Open(Open),
    /// Forget everything that is known of a provider: breakers, cooldowns, credential state
    Reset(Reset),
}

#[derive(clap::Args)]
pub(crate) struct Open {
    /// Name or id
    provider: String,
    /// Only for this model, as clients name it
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    model: Option<String>,
    /// When it ends by itself: 2h, 2026-11-01T10:00:00Z, never
    #[arg(long, value_name = "TIME", default_value = "never")]
    until: Expiry,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Reset {
    /// Name or id
    provider: String,
    #[command(flatten)]
    reason: Reason,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List { provider } => {
                let request = wire::ListBreakersRequest {
                    provider: provider.unwrap_or_default(),
                };
                let answer = session.connect().await?.breakers().list_breakers(request).await?;
                session.print(&view::Breakers::read(answer.into_inner().breakers))
            }
            Self::Open(open) => open.run(session).await,
            Self::Reset(reset) => reset.run(session).await,
        }
    }
}

impl Open {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::OpenBreakerRequest {
            provider: self.provider,
            model: self.model.unwrap_or_default(),
            until_ms: self.until.resolve(now()).map(|until| until.0),
            change: self.reason.info(),
        };
        let answer = session.connect().await?.breakers().open_breaker(request).await?;
        let answer = answer.into_inner();
        if !answer.remark.is_empty() {
            session.remark(&answer.remark);
        }
        let breaker = part("breaker", answer.breaker)?;
        session.print(&view::Breaker::read(breaker))
    }
}

impl Reset {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::ResetProviderRequest {
            provider: self.provider,
            change: self.reason.info(),
        };
        let answer = session
            .connect()
            .await?
            .breakers()
            .reset_provider(request)
            .await?;
        session.print(&view::ProviderReset::read(answer.into_inner()))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        open: Open,
    }

    #[test]
    fn b08_an_empty_model_does_not_open_the_whole_provider() {
        let line = |model| Line::try_parse_from(["x", "main", "--model", model]);
        assert!(line("").is_err());
        assert_eq!(line("m").ok().unwrap().open.model.as_deref(), Some("m"));
    }
}
