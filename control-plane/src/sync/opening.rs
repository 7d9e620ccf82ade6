//! The start of a stream: who the node is, and what it holds of this store's history.

use std::time::Duration;

use penstock_core::snapshot::Refusal;
use penstock_proto::sync::v1::sync_request::Message;
use penstock_proto::sync::v1::{Hello, SyncRequest};
use penstock_store::Head;
use tonic::{Status, Streaming};

use super::PATIENCE;
use super::in_flight::read_refusals;
use crate::context::Context;
use crate::index::begin_epoch;
use crate::nodes::Identity;

/// How long the index may need to see what the store has already.
const CATCH_UP: Duration = Duration::from_secs(5);

const MAX_ID_CHARS: usize = 64;
const MAX_TEXT_CHARS: usize = 128;

/// What a Hello says.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) identity: Identity,
    /// As the node says. None: nothing.
    pub(super) held: Option<Head>,
    pub(super) refused: Vec<Refusal>,
}

/// Reads the first message.
pub(super) async fn hello(inbound: &mut Streaming<SyncRequest>) -> Result<Opening, Status> {
    let first = tokio::time::timeout(PATIENCE, inbound.message()).await;
    let message = first.map_err(|_| Status::invalid_argument("the first message, Hello, did not come"))??;
    match message.and_then(|request| request.message) {
        Some(Message::Hello(hello)) => read(hello),
        Some(Message::Ack(_) | Message::CommandResult(_)) | None => {
            Err(Status::invalid_argument("the first message must be Hello"))
        }
    }
}

fn read(hello: Hello) -> Result<Opening, Status> {
    let id = hello.node_id;
    let length = id.chars().count();
    if length == 0 || length > MAX_ID_CHARS || id.chars().any(char::is_control) {
        return Err(Status::invalid_argument(format!(
            "node_id must be 1 to {MAX_ID_CHARS} characters, it has {length}; set the data plane's --node-id"
        )));
    }
    let held = match hello.epoch.as_str() {
        "" => None,
        epoch => {
            let epoch = epoch
                .parse()
                .map_err(|_| Status::invalid_argument("epoch is not an id"))?;
            Some(Head {
                epoch,
                revision: hello.revision,
            })
        }
    };
    Ok(Opening {
        held,
        refused: read_refusals(&id, hello.refused),
        identity: Identity {
            id: id.into(),
            version: short(&hello.version),
            zone: short(&hello.zone),
            schema: hello.schema,
        },
    })
}

fn short(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_TEXT_CHARS)
        .collect()
}

/// What a delta for the node can start from. None: a full update is the answer.
///
/// The index may be behind the store by a moment (the node comes from a replica that was ahead); then it is waited for,
/// so that a node is never sent back in its history.
pub(super) async fn settle(
    context: &Context,
    node: &str,
    held: Option<Head>,
) -> Result<Option<Head>, Status> {
    let Some(held) = held else {
        return Ok(None);
    };
    let index = context.index.head();
    if held.epoch == index.epoch && held.revision <= index.revision {
        return Ok(Some(held));
    }
    let mut head = context.store.head().await.map_err(unavailable)?;
    let ahead = held.epoch == head.epoch && held.revision > head.revision;
    if ahead {
        tracing::warn!(
            node,
            holds = held.revision,
            head = head.revision,
            "a data plane is ahead of the database"
        );
        head = begin_epoch(&context.index, &*context.store, held)
            .await
            .map_err(unavailable)?;
    }
    if !context.index.reaches(head, CATCH_UP).await {
        return Err(Status::unavailable(
            "this replica is behind the database; connect again",
        ));
    }
    Ok((held.epoch == head.epoch).then_some(held))
}

fn unavailable(error: penstock_store::Error) -> Status {
    tracing::warn!(%error, "a data plane is turned away: the database cannot be read");
    Status::unavailable("this replica cannot read its database now; keep the configuration that is in force")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello_of(node_id: &str, epoch: &str) -> Hello {
        Hello {
            node_id: node_id.to_owned(),
            epoch: epoch.to_owned(),
            revision: 3,
            ..Hello::default()
        }
    }

    #[test]
    fn a_node_without_a_usable_id_is_told_what_to_set() {
        for id in ["", &"x".repeat(65), "a\nb"] {
            let status = read(hello_of(id, "")).unwrap_err();
            assert_eq!(status.code(), tonic::Code::InvalidArgument);
            assert!(status.message().contains("--node-id"));
        }
        assert!(read(hello_of(&"x".repeat(64), "")).is_ok());
    }

    #[test]
    fn an_empty_epoch_means_that_nothing_is_held() {
        assert_eq!(read(hello_of("n", "")).unwrap().held, None);
        assert!(read(hello_of("n", "not-an-epoch")).is_err());
    }

    #[test]
    fn what_a_node_says_of_itself_is_cut_to_a_line() {
        let opening = read(Hello {
            zone: format!("a\n{}", "x".repeat(500)),
            ..hello_of("n", "")
        })
        .unwrap();
        assert_eq!(opening.identity.zone.chars().count(), MAX_TEXT_CHARS);
        assert!(!opening.identity.zone.contains('\n'));
    }
}
