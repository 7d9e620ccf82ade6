//! Taking commands that other replicas posted to the nodes that are connected here, and their answers back.
//!
//! The database is looked at when it tells of news, and each second beneath that, while a node here can take commands.
//! A command that no node here answers is answered with that, so that whoever asked need not wait on.

use std::time::Duration;

use penstock_core::time::UnixMs;
use penstock_proto::sync::v1::CommandResult;
use penstock_store::{NodeAnswer, NodeCommand};
use prost::Message;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ask::{changed_or, here};
use crate::clock;
use crate::context::Context;

/// Without news.
const POLL: Duration = Duration::from_secs(1);
/// News of a large import come by the hundred.
const BREATH: Duration = Duration::from_millis(20);
/// Commands under way.
const MAX_CARRIED: usize = 16;
/// Nobody waits so long; clocks of replicas may differ by less.
const OLDEST_MS: i64 = 30_000;

/// Carries until told to stop.
pub async fn carry(context: Context, stop: CancellationToken) {
    let mut news = context.store.notifications();
    let mut carried = JoinSet::new();
    let carrying = async {
        loop {
            while carried.try_join_next().is_some() {}
            if carried.len() >= MAX_CARRIED {
                carried.join_next().await;
            } else {
                take(&context, &mut carried).await;
                tokio::time::sleep(BREATH).await;
                changed_or(POLL, &mut news).await;
            }
        }
    };
    // Commands that are cut off were given to nodes whose streams have ended.
    stop.run_until_cancelled(carrying).await;
}

async fn take(context: &Context, carried: &mut JoinSet<()>) {
    if !context.nodes.takes_orders() {
        return;
    }
    let room = u32::try_from(MAX_CARRIED.saturating_sub(carried.len())).unwrap_or(0);
    let since = UnixMs(clock::now().0.saturating_sub(OLDEST_MS));
    match context.store.take_commands(&context.name, room, since).await {
        Ok(commands) => {
            for command in commands {
                carried.spawn(answer(context.clone(), command));
            }
        }
        Err(error) => tracing::debug!(%error, "commands of other replicas are looked for later"),
    }
}

async fn answer(context: Context, command: NodeCommand) {
    let answer = here(&context.nodes, &command.request).await;
    let answer = answer.unwrap_or_else(|| NodeAnswer {
        node: String::new(),
        answer: CommandResult {
            error: format!("no data plane at control plane {} answered", context.name),
            ..CommandResult::default()
        }
        .encode_to_vec(),
    });
    if let Err(error) = context.store.answer_command(command.id, &answer).await {
        tracing::debug!(%error, "an answer to another replica's command is lost; whoever asked asks again");
    }
}
