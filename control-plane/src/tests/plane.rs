//! The gRPC services of a control plane over the in-memory pipe.

use std::sync::Arc;
use std::time::Duration;

use penstock_proto::sync::v1::Hello;
use penstock_proto::sync::v1::sync_request::Message;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::access::Gate;
use crate::access::audit::Audit;
use crate::context::Context;
use crate::node_client::{Node, pipe_channel};
use crate::streams::Streams;
use crate::tests::fake_store::FakeStore;
use crate::{grpc, index, pipe};

/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(24 * 3600);

/// A served control plane. Dropped: it is gone.
pub(crate) struct Plane {
    pub(crate) store: Arc<FakeStore>,
    pub(crate) context: Context,
    pub(crate) channel: Channel,
    pub(crate) streams: Streams,
    _tasks: JoinSet<()>,
}

/// Serves over this store; config streams last about so long.
pub(crate) async fn plane(store: Arc<FakeStore>, lifetime: Duration) -> Plane {
    let context = super::context(&store).await;
    let (streams, stop) = (Streams::default(), CancellationToken::new());
    let gate = Gate {
        admin: None,
        operators: Arc::clone(&context.operators),
        audit: Arc::new(Audit::new(Arc::clone(&context.store))),
        nodes: [].into(),
        certificates: false,
        metrics: Arc::default(),
        refused: Arc::default(),
    };
    let routes = grpc::routes(&context, &streams, lifetime, gate).unwrap();
    let (connector, listener) = pipe::pipe();
    let mut tasks = JoinSet::new();
    let serving = grpc::serve_pipe(routes, listener, stop.clone());
    tasks.spawn(async move { serving.await.unwrap() });
    tasks.spawn(index::follow(
        Arc::clone(&context.index),
        Arc::clone(&context.store),
        stop,
    ));
    let channel = pipe_channel(connector).await;
    Plane {
        store,
        context,
        channel,
        streams,
        _tasks: tasks,
    }
}

impl Plane {
    /// A node that holds nothing.
    pub(crate) async fn node(&self, id: &str) -> Node {
        Node::fresh(self.channel.clone(), None, id).await.unwrap()
    }

    pub(crate) async fn node_with(&self, hello: Hello) -> Node {
        Node::open(self.channel.clone(), None, Message::Hello(hello))
            .await
            .unwrap()
    }
}
