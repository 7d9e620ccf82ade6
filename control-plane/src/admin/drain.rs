//! Taking a data plane out of service: the setting `drained_nodes`, changed here only.

use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use penstock_proto::admin::v1 as wire;
use penstock_store::{Expect, NewSpec, Put, StoredSpec};
use tonic::{Response, Status};

use super::author::Author;
use super::{fleet, names, status};
use crate::clock;
use crate::context::Context;

const NAME: &str = "drained_nodes";

pub(super) async fn run(
    context: &Context,
    author: Author,
    request: wire::DrainNodeRequest,
) -> Result<Response<wire::DrainNodeResponse>, Status> {
    author.about("node", &request.node_id);
    let store = &*context.store;
    let (mut drained, expect) = current(context).await?;
    let was = drained.clone();
    drained.retain(|node| *node != request.node_id);
    if !request.undo {
        let seen = fleet::before(clock::now(), fleet::MEMORY_MS);
        let nodes = store.nodes(seen).await.map_err(status::from_store)?;
        if !nodes.iter().any(|node| node.id == request.node_id) {
            return Err(status::not_found(&format!("a data plane {:?}", request.node_id)));
        }
        drained.push(request.node_id);
        drained.sort();
    }
    let revision = if drained == was {
        // A reason that cannot be taken is refused all the same.
        author.because(request.change)?;
        store.head().await.map_err(status::from_store)?.revision
    } else {
        let setting = Setting::DrainedNodes(drained.clone());
        setting.validate().map_err(status::invalid_in("setting"))?;
        let put = Put::new(ResourceRef::Setting(NAME.into()), NewSpec::Setting(setting)).expecting(expect);
        author.commit(context, request.change, put).await?.revision
    };
    Ok(Response::new(wire::DrainNodeResponse { revision, drained }))
}

async fn current(context: &Context) -> Result<(Vec<String>, Expect), Status> {
    let stored = names::get(&*context.store, &ResourceRef::Setting(NAME.into())).await?;
    Ok(match stored.map(|stored| (stored.version, stored.spec)) {
        Some((version, StoredSpec::Setting(Setting::DrainedNodes(nodes)))) => {
            (nodes, Expect::Version(version))
        }
        Some(_) | None => (Vec::new(), Expect::Absent),
    })
}
