//! Commands that come on the config stream, each answered in a task of its own, so that updates are not held up.
//!
//! [`AT_ONCE`] are under way at most; one more is answered at once with an error, as is one that takes longer than
//! [`PATIENCE`]. When the stream ends, those under way end with it: whoever gave them knows.

mod counters;
mod provider_test;
mod route;
mod session;

use std::sync::Arc;
use std::time::Duration;

use penstock_core::invalid::Invalid;
use penstock_core::limits::Level;
use penstock_proto::convert::enums::{dimension_to_wire, level_from_wire};
use penstock_proto::sync::v1 as wire;
use penstock_proto::sync::v1::command::Command;
use penstock_proto::sync::v1::command_result::Result as Answer;
use penstock_proto::sync::v1::sync_request;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::app::App;
use crate::commands::{Reading, Subject, read_limits};

const AT_ONCE: usize = 8;
/// The control plane waits three seconds in all, and asks a second node in them.
const PATIENCE: Duration = Duration::from_secs(1);
/// For what looks through all of Redis.
const LONG_PATIENCE: Duration = Duration::from_secs(9);

/// The commands of one stream.
pub(super) struct Commands {
    app: Arc<App>,
    outbound: mpsc::Sender<wire::SyncRequest>,
    running: JoinSet<()>,
}

impl Commands {
    pub(super) fn new(app: Arc<App>, outbound: mpsc::Sender<wire::SyncRequest>) -> Self {
        Self {
            app,
            outbound,
            running: JoinSet::new(),
        }
    }

    /// Begins to answer.
    pub(super) fn take(&mut self, command: wire::Command) {
        while let Some(ended) = self.running.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a command of the control plane failed");
            }
        }
        if self.running.len() >= AT_ONCE {
            let busy = refusal(&command.id, "this data plane has too many commands under way");
            // Full: the stream does not drain, and nobody would read it in time.
            drop(self.outbound.try_send(busy));
            return;
        }
        let (app, outbound) = (Arc::clone(&self.app), self.outbound.clone());
        self.running.spawn(async move {
            let id = command.id.clone();
            let patience = match &command.command {
                Some(Command::TestProvider(test)) => provider_test::patience(test),
                Some(Command::CountCounters(_)) => LONG_PATIENCE,
                Some(Command::ReadLimits(_) | Command::PlanRoute(_) | Command::KickSession(_)) | None => {
                    PATIENCE
                }
            };
            let answered = tokio::time::timeout(patience, answer(&app, command)).await;
            let message = answered.unwrap_or_else(|_| refusal(&id, "this data plane had no answer in time"));
            // The stream may have ended meanwhile.
            drop(outbound.send(message).await);
        });
    }
}

async fn answer(app: &App, command: wire::Command) -> wire::SyncRequest {
    let id = command.id;
    let answered = match command.command {
        Some(Command::ReadLimits(question)) => limits(app, &question).await,
        Some(Command::PlanRoute(question)) => route::plan(app, question).await.map(Answer::Route),
        Some(Command::TestProvider(question)) => {
            let tested = provider_test::test(app, question).await;
            tested.map(Answer::ProviderTest)
        }
        Some(Command::KickSession(question)) => {
            let kicked = session::kick(app, &question).await;
            kicked.map(Answer::SessionKicked)
        }
        Some(Command::CountCounters(_)) => counters::count(app).await.map(Answer::Counters),
        None => Err("this data plane does not know the command; upgrade it".to_owned()),
    };
    match answered {
        Ok(answer) => result(&id, "", Some(answer)),
        Err(error) => refusal(&id, &error),
    }
}

async fn limits(app: &App, question: &wire::ReadLimits) -> Result<Answer, String> {
    let subject = subject(question).map_err(|error| error.to_string())?;
    let reading = read_limits(app, subject).await;
    let reading = reading.map_err(|error| error.to_string())?;
    Ok(Answer::Limits(to_wire(reading)))
}

fn subject(question: &wire::ReadLimits) -> Result<Subject, Invalid> {
    let bad = |_| Invalid::new("read_limits.id", "is not an id");
    let id = &question.id;
    Ok(match level_from_wire("read_limits.level", question.level)? {
        Level::Key => Subject::Key(id.parse().map_err(bad)?),
        Level::User => Subject::User(id.parse().map_err(bad)?),
        Level::Provider => Subject::Provider(id.parse().map_err(bad)?),
    })
}

fn to_wire(reading: Reading) -> wire::LimitsReading {
    let states = reading.states.into_iter().map(|state| wire::LimitState {
        dimension: dimension_to_wire(state.dimension),
        used: state.used,
        reserved: state.reserved,
        limit: state.limit,
        reset_at_ms: state.reset_at.map(|at| at.0),
    });
    wire::LimitsReading {
        enforcement: reading.enforcement,
        states: states.collect(),
    }
}

fn refusal(id: &str, error: &str) -> wire::SyncRequest {
    result(id, error, None)
}

fn result(id: &str, error: &str, result: Option<Answer>) -> wire::SyncRequest {
    let result = wire::CommandResult {
        id: id.to_owned(),
        error: error.to_owned(),
        result,
    };
    wire::SyncRequest {
        message: Some(sync_request::Message::CommandResult(result)),
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::id::KeyId;
    use penstock_core::limits::Dimension;
    use penstock_core::time::UnixMs;
    use penstock_proto::config::v1::{LimitDimension, LimitLevel};

    use super::*;
    use crate::commands::LimitState;

    #[test]
    fn a_question_names_its_subject() {
        let id = KeyId::from_parts(1, &[1; 10]);
        let mut question = wire::ReadLimits {
            level: LimitLevel::Key.into(),
            id: id.to_string(),
        };
        assert_eq!(subject(&question).unwrap(), Subject::Key(id));
        question.id = "alice".to_owned();
        assert!(
            subject(&question)
                .unwrap_err()
                .to_string()
                .contains("is not an id")
        );
        question.level = 99;
        assert!(subject(&question).is_err());
    }

    #[test]
    fn a_reading_goes_out_as_it_is() {
        let state = LimitState {
            dimension: Dimension::UsdDaily,
            used: 5,
            reserved: 2,
            limit: 10,
            reset_at: Some(UnixMs(7)),
        };
        let sent = to_wire(Reading {
            enforcement: "shared".to_owned(),
            states: vec![state],
        });
        assert_eq!(sent.enforcement, "shared");
        let state = wire::LimitState {
            dimension: LimitDimension::UsdDaily.into(),
            used: 5,
            reserved: 2,
            limit: 10,
            reset_at_ms: Some(7),
        };
        assert!(sent.states == [state]);
    }
}
