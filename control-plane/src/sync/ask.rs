//! Asking a data plane something: one that is connected here, else one at another replica.
//!
//! Any node will do, since what is asked is what they share. Here, a second node is tried when the first does not answer.
//! Elsewhere, the command is a row in the database: a replica that holds a node's stream takes it ([`super::courier`]) and
//! writes the answer beside it. Nobody waits longer than [`PATIENCE`].

use std::sync::Arc;
use std::time::Duration;

use penstock_proto::sync::v1::{Command, CommandResult, command};
use penstock_store::{Error, NodeAnswer};
use prost::Message;
use tokio::sync::watch;
use tonic::Status;
use uuid::Uuid;

use crate::clock;
use crate::context::Context;
use crate::nodes::{NodeRegistry, live_since};

/// For an answer, wherever it comes from.
const PATIENCE: Duration = Duration::from_secs(3);
/// For one node's answer.
const ONE_NODE: Duration = Duration::from_millis(1_300);
/// Nodes that are tried here.
const TRIES: usize = 2;
/// News of an answer can be lost; beneath it the row is looked at so often.
const POLL: Duration = Duration::from_millis(200);

/// What a node answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) node: String,
    pub(crate) result: CommandResult,
}

/// How long a command may take at a node, beyond what others may.
fn own_time(command: &Command) -> Duration {
    match &command.command {
        Some(command::Command::TestProvider(test)) => Duration::from_millis(test.timeout_ms.into()),
        // Redis is looked through in pieces.
        Some(command::Command::CountCounters(_)) => Duration::from_secs(10),
        Some(
            command::Command::ReadLimits(_)
            | command::Command::PlanRoute(_)
            | command::Command::KickSession(_),
        )
        | None => Duration::ZERO,
    }
}

/// Asks. UNAVAILABLE when no node is connected or none answers.
pub(crate) async fn ask(context: &Context, command: command::Command) -> Result<Answered, Status> {
    let command = Command {
        id: String::new(),
        command: Some(command),
    };
    let patience = PATIENCE + own_time(&command);
    let request = command.encode_to_vec();
    let asking = async {
        match here(&context.nodes, &request).await {
            Some(answer) => Ok(answer),
            None => elsewhere(context, &request).await,
        }
    };
    let silence = || {
        let seconds = patience.as_secs();
        Status::unavailable(format!(
            "no data plane answered within {seconds} s; see `penstock node list`"
        ))
    };
    let answer = tokio::time::timeout(patience, asking)
        .await
        .map_err(|_| silence())??;
    let result = CommandResult::decode(answer.answer.as_slice()).map_err(|error| {
        tracing::warn!(node = answer.node, %error, "a data plane's answer cannot be read");
        Status::unavailable(format!("the answer of data plane {} cannot be read", answer.node))
    })?;
    Ok(Answered {
        node: answer.node,
        result,
    })
}

/// Asks nodes of this replica. None: there is none, or none answers.
pub(super) async fn here(nodes: &NodeRegistry, request: &[u8]) -> Option<NodeAnswer> {
    let own_time = Command::decode(request).map_or(Duration::ZERO, |command| own_time(&command));
    // What takes long is not done twice.
    let tries = if own_time.is_zero() { TRIES } else { 1 };
    let mut asked = Vec::new();
    while asked.len() < tries {
        let ordered = nodes.order(request, clock::random(), &asked)?;
        if let Ok(Ok(answer)) = tokio::time::timeout(ONE_NODE + own_time, ordered.answer).await {
            return Some(NodeAnswer {
                node: ordered.node.to_string(),
                answer,
            });
        }
        asked.push(ordered.node);
    }
    None
}

async fn elsewhere(context: &Context, request: &[u8]) -> Result<NodeAnswer, Status> {
    let (store, now) = (Arc::clone(&context.store), clock::now());
    let live = store.live_nodes(live_since(now));
    if live.await.map_err(|error| unavailable(&error))? == 0 {
        return Err(Status::unavailable(
            "no data plane is connected to any control plane; start one, or see `penstock node list`",
        ));
    }
    let (id, mut news) = (Uuid::now_v7(), store.notifications());
    let posted = store.post_command(id, request, now).await;
    if !posted.map_err(|error| unavailable(&error))? {
        return Err(Status::resource_exhausted(
            "too many commands wait for data planes; try again in a minute",
        ));
    }
    loop {
        let answer = store.command_answer(id).await;
        if let Some(answer) = answer.map_err(|error| unavailable(&error))? {
            return Ok(answer);
        }
        changed_or(POLL, &mut news).await;
    }
}

/// Waits for news, but not for longer than this.
pub(crate) async fn changed_or(longest: Duration, news: &mut watch::Receiver<u64>) {
    let changed = async {
        if news.changed().await.is_err() {
            // The store is gone; there will be no news.
            std::future::pending::<()>().await;
        }
    };
    drop(tokio::time::timeout(longest, changed).await);
}

fn unavailable(error: &Error) -> Status {
    tracing::warn!(%error, "a command cannot be given to other replicas' data planes");
    Status::unavailable(
        "no data plane is connected to this control plane, and the database, by which others are reached, is not \
         available",
    )
}
