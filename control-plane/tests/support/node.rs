//! A scripted data plane: says what the test tells it to, over a real channel.

use std::time::Duration;

use hyper_util::rt::TokioIo;
use penstock_proto::config::v1::{Resource, ResourceRef};
use penstock_proto::fleet::v1::ProviderState;
use penstock_proto::sync::v1::config_sync_service_client::ConfigSyncServiceClient;
use penstock_proto::sync::v1::sync_request::Message;
use penstock_proto::sync::v1::sync_response::Message as Reply;
use penstock_proto::sync::v1::{Ack, Hello, Nack, SyncRequest, SyncResponse, Update};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::PipeConnector;

/// Nothing in a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A config stream. Dropped: the node is gone.
pub(crate) struct Node {
    outbound: mpsc::Sender<SyncRequest>,
    inbound: Streaming<SyncResponse>,
    /// The newest `FleetInfo`.
    pub(crate) live_nodes: Option<u32>,
    /// What came of providers and was not looked at yet.
    pub(crate) states: Vec<ProviderState>,
}

/// An update whose parts are put together.
pub(crate) struct Whole {
    pub(crate) epoch: String,
    pub(crate) full: bool,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) parts: usize,
    pub(crate) upserts: Vec<Resource>,
    pub(crate) removals: Vec<ResourceRef>,
}

/// Puts the token, if there is one, before the message.
pub(crate) fn with_token<T>(message: T, token: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        let value = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

impl Node {
    /// Opens a stream with this first message.
    pub(crate) async fn open(channel: Channel, token: Option<&str>, first: Message) -> Result<Self, Status> {
        let (outbound, receiver) = mpsc::channel(16);
        outbound.send(SyncRequest { message: Some(first) }).await.unwrap();
        let mut client = ConfigSyncServiceClient::new(channel).max_decoding_message_size(4 << 20);
        let response = client
            .sync(with_token(ReceiverStream::new(receiver), token))
            .await?;
        Ok(Self {
            outbound,
            inbound: response.into_inner(),
            live_nodes: None,
            states: Vec::new(),
        })
    }

    /// A node that holds nothing.
    pub(crate) async fn fresh(channel: Channel, token: Option<&str>, id: &str) -> Result<Self, Status> {
        Self::open(channel, token, Message::Hello(hello(id))).await
    }

    /// The next message, or how the stream ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Reply>, Status> {
        let message = tokio::time::timeout(PATIENCE, self.inbound.message())
            .await
            .expect("nothing came in time")?;
        Ok(message.and_then(|response| response.message))
    }

    /// How the stream ends, if it does within the time.
    pub(crate) async fn end_within(&mut self, patience: Duration) -> Option<Result<(), Status>> {
        let ended = async {
            while self.inbound.message().await?.is_some() {}
            Ok(())
        };
        tokio::time::timeout(patience, ended).await.ok()
    }

    /// The next update, whole. Panics when the stream ends.
    pub(crate) async fn update(&mut self) -> Whole {
        self.update_slowly(Duration::ZERO).await
    }

    /// The same, with a pause after each part.
    pub(crate) async fn update_slowly(&mut self, pause: Duration) -> Whole {
        let mut parts = Vec::new();
        loop {
            match self.next().await.unwrap().expect("the stream ended") {
                Reply::Fleet(fleet) => {
                    assert!(parts.is_empty(), "nothing comes between the parts of an update");
                    self.live_nodes = Some(fleet.live_nodes);
                }
                Reply::FleetStates(told) => {
                    assert!(parts.is_empty(), "nothing comes between the parts of an update");
                    self.states.extend(told.states);
                }
                Reply::Command(_) => panic!("a command"),
                Reply::Update(part) => {
                    let last = part.last;
                    parts.push(part);
                    tokio::time::sleep(pause).await;
                    if last {
                        return Whole::of(parts);
                    }
                }
            }
        }
    }

    /// The next update, acknowledged.
    pub(crate) async fn apply(&mut self) -> Whole {
        let update = self.update().await;
        self.ack(&update, Vec::new()).await;
        update
    }

    /// Applies updates up to one that carries this version of the resource.
    pub(crate) async fn until(&mut self, id: &str, version: u64) -> Whole {
        loop {
            let update = self.apply().await;
            if update.version_of(id) == Some(version) {
                return update;
            }
        }
    }

    pub(crate) async fn ack(&self, update: &Whole, refused: Vec<Nack>) {
        let ack = Ack {
            epoch: update.epoch.clone(),
            revision: update.to,
            refused,
        };
        self.say(Message::Ack(ack)).await;
    }

    pub(crate) async fn say(&self, message: Message) {
        self.outbound
            .send(SyncRequest {
                message: Some(message),
            })
            .await
            .unwrap();
    }

    /// Waits for a `FleetInfo` of so many nodes.
    pub(crate) async fn sees_live_nodes(&mut self, number: u32) {
        while self.live_nodes != Some(number) {
            match self.next().await.unwrap().expect("the stream ended") {
                Reply::Fleet(fleet) => self.live_nodes = Some(fleet.live_nodes),
                Reply::FleetStates(told) => self.states.extend(told.states),
                Reply::Command(_) => panic!("a command"),
                Reply::Update(part) => panic!("an update to {} instead of the fleet", part.to_revision),
            }
        }
    }

    /// What is told of a provider next; updates before it are acknowledged.
    pub(crate) async fn told_of(&mut self, provider: &str) -> ProviderState {
        let mut parts = Vec::new();
        loop {
            if let Some(at) = self.states.iter().position(|state| state.provider_id == provider) {
                return self.states.remove(at);
            }
            match self.next().await.unwrap().expect("the stream ended") {
                Reply::Fleet(fleet) => self.live_nodes = Some(fleet.live_nodes),
                Reply::FleetStates(told) => self.states.extend(told.states),
                Reply::Command(_) => panic!("a command"),
                Reply::Update(part) => {
                    let last = part.last;
                    parts.push(part);
                    if last {
                        let update = Whole::of(std::mem::take(&mut parts));
                        self.ack(&update, Vec::new()).await;
                    }
                }
            }
        }
    }

    /// Reads to the end of the stream, which is OK or a status.
    pub(crate) async fn end(&mut self) -> Result<(), Status> {
        self.end_within(Duration::from_secs(90))
            .await
            .expect("the stream does not end")
    }
}

impl Whole {
    fn of(parts: Vec<Update>) -> Self {
        let first = parts.first().unwrap();
        let mut whole = Self {
            epoch: first.epoch.clone(),
            full: first.full,
            from: first.from_revision,
            to: first.to_revision,
            parts: parts.len(),
            upserts: Vec::new(),
            removals: Vec::new(),
        };
        for part in parts {
            let same = (&part.epoch, part.full, part.from_revision, part.to_revision);
            assert_eq!(
                same,
                (&whole.epoch, whole.full, whole.from, whole.to),
                "parts are of one update"
            );
            whole.upserts.extend(part.upserts);
            whole.removals.extend(part.removals);
        }
        whole
    }

    /// The version in which the update carries a resource.
    pub(crate) fn version_of(&self, id: &str) -> Option<u64> {
        self.upserts
            .iter()
            .find(|resource| resource.id == id)
            .map(|resource| resource.version)
    }
}

pub(crate) fn hello(id: &str) -> Hello {
    Hello {
        node_id: id.to_owned(),
        version: "0.1.0".to_owned(),
        schema: 1,
        ..Hello::default()
    }
}

/// A channel through the in-memory pipe.
pub(crate) async fn pipe_channel(connector: PipeConnector) -> Channel {
    let connect = tower::service_fn(move |_: http::Uri| {
        let connector = connector.clone();
        async move { connector.connect().await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://pipe")
        .connect_with_connector(connect)
        .await
        .unwrap()
}
