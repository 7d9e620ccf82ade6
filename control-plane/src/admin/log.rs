//! The log of calls, for operators: search, tail, and the whole record of a failure.
//!
//! [`filter`] reads what is asked, [`call`] writes one call, [`tail`] follows the store.

mod call;
mod filter;
mod tail;

use std::sync::Arc;

use penstock_core::id::RequestId;
use penstock_core::invalid::Invalid;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::log_service_server::LogService;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::status;
use crate::access::Standing;
use crate::clock;
use crate::context::Context;
use crate::streams::Streams;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1_000;
/// How far a search without a beginning looks back.
const DAY_MS: u64 = 86_400_000;

pub(super) struct Logs {
    context: Context,
    streams: Streams,
    readers: Arc<Semaphore>,
}

impl Logs {
    pub(super) fn new(context: Context, streams: Streams) -> Self {
        Self {
            context,
            streams,
            readers: Arc::new(Semaphore::new(tail::AT_A_TIME)),
        }
    }
}

#[tonic::async_trait]
impl LogService for Logs {
    type TailCallsStream = ReceiverStream<Result<wire::TailCallsResponse, Status>>;

    async fn search_calls(
        &self,
        request: Request<wire::SearchCallsRequest>,
    ) -> Result<Response<wire::SearchCallsResponse>, Status> {
        let request = request.into_inner();
        let (context, now) = (&self.context, clock::now());
        let filter = filter::read(context, request.filter.unwrap_or_default(), now, DAY_MS).await?;
        let size = match request.page_size {
            0 => DEFAULT_PAGE,
            size => size.min(MAX_PAGE),
        };
        let before = match request.page_token.as_str() {
            "" => None,
            token => Some(id("page_token", token)?),
        };
        let found = context.store.search_calls(&filter, size, before).await;
        let page = found.map_err(status::from_store)?;
        Ok(Response::new(wire::SearchCallsResponse {
            next_page_token: page.older.map_or_else(String::new, |id| id.to_string()),
            calls: page
                .calls
                .iter()
                .map(|found| call::write(context, found))
                .collect(),
        }))
    }

    async fn tail_calls(
        &self,
        request: Request<wire::TailCallsRequest>,
    ) -> Result<Response<Self::TailCallsStream>, Status> {
        let standing = Standing::of(&request)?;
        let asked = request.into_inner().filter.unwrap_or_default();
        let since = Some(UnixMs(asked.since_ms)).filter(|since| since.0 != 0);
        let asked = wire::CallFilter {
            since_ms: 0,
            until_ms: 0,
            ..asked
        };
        let filter = filter::read(&self.context, asked, clock::now(), DAY_MS).await?;
        let place = Arc::clone(&self.readers).try_acquire_owned().map_err(|_| {
            Status::resource_exhausted(format!(
                "{} readers follow the log of this control plane already; end one of them, or search",
                tail::AT_A_TIME
            ))
        })?;
        let (tail, receiver) = tail::Tail::new(self.context.clone(), standing, (filter, since), place);
        self.streams.serve(tail.run(self.streams.closing().clone()))?;
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_failure(
        &self,
        request: Request<wire::GetFailureRequest>,
    ) -> Result<Response<wire::GetFailureResponse>, Status> {
        let text = request.into_inner().request_id;
        let found = self.context.store.failures(id("request_id", &text)?).await;
        let found = found.map_err(status::from_store)?;
        if found.is_empty() {
            return Err(status::not_found(&format!(
                "a failure record of the call {text:?}"
            )));
        }
        let records = found.into_iter().map(|row| row.record.to_string());
        Ok(Response::new(wire::GetFailureResponse {
            records: records.collect(),
        }))
    }
}

fn id(field: &str, text: &str) -> Result<RequestId, Status> {
    text.trim().parse().map_err(|_| {
        let problem = format!("{text:?} is not the id of a call");
        status::invalid(&Invalid::new(field, problem))
    })
}
