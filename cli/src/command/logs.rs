//! `penstock logs`: the log of calls, searched or followed.
//!
//! Following goes on when the control plane restarts: it says so on stderr, connects again, asks from a minute before the moment
//! up to which all was told, by the server's clock, and leaves out what it has printed. It ends when nobody reads what it prints.

use std::collections::HashMap;
use std::time::Duration;

use clap::Subcommand;
use penstock_core::backoff::Backoff;
use penstock_core::id::RequestId;
use penstock_proto::admin::v1 as wire;
use tonic::Code;

use super::session::Session;
use crate::args::duration::Millis;
use crate::args::moment::Past;
use crate::failure::Failure;
use crate::output;
use crate::view::{self, LoggedCall};

const DAY: Past = Past::Ago(Millis(86_400_000));
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const PAGE: u32 = 1_000;
/// Calls that ended before the moment up to which all was told, but whose records came later.
const OVERLAP_MS: i64 = 60_000;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Logs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    filter: Filter,
    /// Go on printing calls as they end, until interrupted; with -o json one object a line
    #[arg(short, long, conflicts_with = "until")]
    follow: bool,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

#[derive(Subcommand)]
enum What {
    /// The whole failure record of one call, with each attempt that failed
    Show {
        /// As the call's answer carries it in x-penstock-request-id
        #[arg(value_name = "REQUEST-ID")]
        id: String,
    },
}

/// Which calls.
#[derive(Clone, Debug, clap::Args)]
struct Filter {
    /// From when on: 1h, 7d, 2026-11-01, 2026-11-01T10:00:00Z [default: 24h; with -f: now, and a day back at most]
    #[arg(long, value_name = "TIME")]
    since: Option<Past>,
    /// Until when, written as --since [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Past>,
    /// Name or id
    #[arg(long)]
    user: Option<String>,
    /// user/key, the bare name while it is unique, or id
    #[arg(long)]
    key: Option<String>,
    /// Name or id
    #[arg(long)]
    provider: Option<String>,
    /// As records have it
    #[arg(long)]
    session: Option<String>,
    /// As callers asked for it
    #[arg(long)]
    model: Option<String>,
    /// What callers saw: 429, or a family such as 5xx
    #[arg(long)]
    status: Option<String>,
    /// `overloaded_error`, `timeout`, `limit_refused`, …
    #[arg(long, value_name = "TYPE")]
    error_type: Option<String>,
    /// `PROVIDER_ERROR`, `CREDENTIAL_ERROR`, …
    #[arg(long, value_name = "CLASS")]
    error_class: Option<String>,
    /// Only calls that took longer: 2s
    #[arg(long, value_name = "TIME")]
    slower_than: Option<Millis>,
    /// A part of the error, the model, the code or the provider's id of the call; or a whole request id
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
    /// Only calls that failed
    #[arg(long)]
    failed: bool,
}

/// What a follower has printed.
#[derive(Default)]
struct Printed {
    /// With the end of each, Unix milliseconds; those that cannot come again are forgotten.
    ids: HashMap<String, i64>,
    /// By the server's clock all is printed up to here, Unix milliseconds; 0: nothing was told yet.
    told_ms: i64,
    header: bool,
    /// A stream was open.
    connected: bool,
    /// The last one broke.
    away: bool,
}

impl Logs {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self.what {
            Some(What::Show { id }) => show(session, &id).await,
            None if self.follow => follow(session, &self.filter).await,
            None => search(session, &self.filter, self.limit).await,
        }
    }
}

async fn search(session: &Session, filter: &Filter, limit: u32) -> Result<(), Failure> {
    let services = session.connect().await?;
    let (mut calls, mut page_token) = (Vec::new(), String::new());
    let mut left = limit;
    while left > 0 {
        let request = wire::SearchCallsRequest {
            filter: Some(filter.wire(session, DAY)),
            page_size: left.min(PAGE),
            page_token,
        };
        let page = services.logs().search_calls(request).await?.into_inner();
        left = left.saturating_sub(u32::try_from(page.calls.len()).unwrap_or(u32::MAX));
        calls.extend(page.calls);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if !page_token.is_empty() {
        session.remark(&format!("only the newest {limit}; --limit gives more"));
    }
    session.print_list(calls, |call| Ok(LoggedCall::from(call)))
}

async fn show(session: &Session, id: &str) -> Result<(), Failure> {
    let id: RequestId = id.trim().parse().map_err(|_| {
        Failure::Input(format!(
            "{id:?} is not the id of a call\nIts answer carries it in the header x-penstock-request-id; `penstock logs` \
             lists ids."
        ))
    })?;
    let request = wire::GetFailureRequest {
        request_id: id.to_string(),
    };
    let answer = session.connect().await?.logs().get_failure(request).await?;
    session.print(&view::FailureRecords::read(&answer.into_inner().records)?)
}

async fn follow(session: &Session, filter: &Filter) -> Result<(), Failure> {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut printed = Printed::default();
    loop {
        let failure = match stream(session, filter, &mut printed, &mut backoff).await {
            Ok(()) => "it ended the answer".to_owned(),
            Err(failure) if failure.is_silent() => return Ok(()),
            Err(failure) if !printed.connected || !may_pass(&failure) => return Err(failure),
            Err(failure) => first_line(&failure),
        };
        printed.away = true;
        output::remark(format!(
            "the control plane went away ({failure}); connecting again"
        ));
        // Not for the sake of secrecy: clients of one server need not come back in the same moment.
        let random = u32::try_from(session.now.0.unsigned_abs() & 0xffff_ffff).unwrap_or(0);
        tokio::time::sleep(backoff.next(random)).await;
    }
}

/// One stream, to its end.
async fn stream(
    session: &Session,
    filter: &Filter,
    printed: &mut Printed,
    backoff: &mut Backoff,
) -> Result<(), Failure> {
    let services = session.connect().await?;
    let mut asked = filter.wire(session, Past::At(session.now));
    asked.since_ms = match printed.told_ms {
        0 if filter.since.is_none() => 0,
        0 => asked.since_ms,
        told_ms => told_ms.saturating_sub(OVERLAP_MS),
    };
    let request = wire::TailCallsRequest { filter: Some(asked) };
    let mut answers = services.logs().tail_calls(request).await?.into_inner();
    printed.connected = true;
    if std::mem::take(&mut printed.away) {
        output::remark("connected again");
    }
    while let Some(answer) = answers.message().await? {
        backoff.reset();
        if answer.incomplete {
            output::remark("more calls end than can be followed; some may be missing. Filters help.");
        }
        for call in answer.calls {
            printed.print(session, call)?;
        }
        printed.told_to(answer.told_ms);
    }
    Ok(())
}

impl Printed {
    fn print(&mut self, session: &Session, call: wire::LoggedCall) -> Result<(), Failure> {
        let ended = call.started_at_ms.saturating_add(i64::from(call.duration_ms));
        if self.ids.insert(call.request_id.clone(), ended).is_some() {
            return Ok(());
        }
        let header = !std::mem::replace(&mut self.header, true);
        session.print_line(&LoggedCall::from(call), header)
    }

    fn told_to(&mut self, told_ms: i64) {
        self.told_ms = self.told_ms.max(told_ms);
        let again = self.told_ms.saturating_sub(OVERLAP_MS);
        self.ids.retain(|_, ended| *ended >= again);
    }
}

/// Whether connecting again may help.
fn may_pass(failure: &Failure) -> bool {
    match failure {
        Failure::Refused { .. } | Failure::Unreachable { .. } => true,
        Failure::Answer(status) => matches!(
            status.code(),
            Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal | Code::DeadlineExceeded
        ),
        Failure::Usage(_)
        | Failure::Input(_)
        | Failure::File { .. }
        | Failure::Answered(_)
        | Failure::Output(_)
        | Failure::Differs
        | Failure::Unwell
        | Failure::Other(_) => false,
    }
}

fn first_line(failure: &Failure) -> String {
    let text = failure.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

impl Filter {
    fn wire(&self, session: &Session, back: Past) -> wire::CallFilter {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        wire::CallFilter {
            since_ms: self.since.unwrap_or(back).resolve(session.now).0,
            until_ms: self.until.map_or(0, |until| until.resolve(session.now).0),
            user: text(&self.user),
            key: text(&self.key),
            provider: text(&self.provider),
            session: text(&self.session),
            model: text(&self.model),
            status: text(&self.status),
            error_type: text(&self.error_type),
            error_class: text(&self.error_class),
            slower_than_ms: self
                .slower_than
                .map_or(0, |Millis(ms)| u32::try_from(ms).unwrap_or(u32::MAX)),
            grep: text(&self.grep),
            failed: self.failed,
        }
    }
}
