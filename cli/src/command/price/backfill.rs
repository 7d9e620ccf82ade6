//! `penstock price backfill`: with a line of progress on standard error while it runs.

use std::io::IsTerminal;

use penstock_core::money::NanoUsd;
use penstock_proto::admin::v1 as wire;

use crate::args::moment::Past;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::output;
use crate::remote::Reason;
use crate::view;

#[derive(clap::Args)]
pub(crate) struct Backfill {
    /// Calls that began from then on: 7d, 2026-11-01
    #[arg(long, value_name = "WHEN", required_unless_present = "resume")]
    from: Option<Past>,
    /// Calls that began before then; without it: now
    #[arg(long, value_name = "WHEN")]
    to: Option<Past>,
    /// Only of this model, as it was asked for
    #[arg(long)]
    model: Option<String>,
    /// Only at this provider; name or id
    #[arg(long)]
    provider: Option<String>,
    /// Show what would change, and change nothing; so it is without --yes
    #[arg(long)]
    dry_run: bool,
    /// Change it
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Go on with a backfill that was broken off; its id is in `price backfills`
    #[arg(long, value_name = "ID", requires = "yes", conflicts_with_all = ["from", "to", "model", "provider"])]
    resume: Option<String>,
    #[command(flatten)]
    reason: Reason,
}

impl Backfill {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let at = |when: Past| when.resolve(session.now).0;
        let request = wire::BackfillPricesRequest {
            from_ms: self.from.map(at).unwrap_or_default(),
            to_ms: self.to.map_or(session.now.0, at),
            model: self.model.unwrap_or_default(),
            provider: self.provider.unwrap_or_default(),
            dry_run: !self.yes,
            resume: self.resume.unwrap_or_default(),
            change: self.reason.info(),
        };
        let services = session.connect().await?;
        let mut answers = services.prices().backfill_prices(request).await?.into_inner();
        let mut last = wire::BackfillPricesResponse::default();
        let broken = loop {
            match answers.message().await {
                Ok(Some(answer)) => {
                    progress(&answer);
                    last = answer;
                }
                Ok(None) => break None,
                Err(status) => break Some(status),
            }
        };
        if let Some(status) = broken {
            if !last.id.is_empty() {
                let id = &last.id;
                output::remark(format!(
                    "broken off; go on with: penstock price backfill --resume {id} --yes"
                ));
            }
            return Err(status.into());
        }
        if !self.yes {
            session.remark("nothing is changed yet: run it again with --yes");
        }
        session.print(&view::Backfilled::from(last))
    }
}

pub(super) async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let request = wire::ListPriceBackfillsRequest {};
    let answer = services
        .prices()
        .list_price_backfills(request)
        .await?
        .into_inner();
    session.print_list(answer.backfills, |backfill| {
        Ok(view::PriceBackfill::from(backfill))
    })
}

/// One line for each batch, over the last one where somebody looks.
fn progress(answer: &wire::BackfillPricesResponse) {
    let line = format!(
        "{} of {} calls, {} changed, {} -> {} USD",
        answer.scanned,
        answer.total,
        answer.changed,
        NanoUsd(answer.before_nanousd),
        NanoUsd(answer.after_nanousd),
    );
    match std::io::stderr().is_terminal() {
        true => output::progress(&line, answer.done),
        false => output::remark(&line),
    }
}
