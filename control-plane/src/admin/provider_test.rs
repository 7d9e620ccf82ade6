//! Testing the connection to a provider: asked of a data plane, for only those know the way.

use penstock_core::invalid::Invalid;
use penstock_proto::admin::v1 as wire;
use penstock_proto::sync::v1::{TestProvider, command, command_result};
use tonic::Status;

use super::{names, status};
use crate::context::Context;
use crate::sync;

const TIMEOUTS_MS: std::ops::RangeInclusive<u32> = 5_000..=120_000;
const DEFAULT_MS: u32 = 15_000;

pub(super) async fn run(
    context: &Context,
    request: wire::TestProviderRequest,
) -> Result<wire::TestProviderResponse, Status> {
    let timeout_ms = match request.timeout_ms {
        0 => DEFAULT_MS,
        given if TIMEOUTS_MS.contains(&given) => given,
        given => {
            let problem = format!("is {given}, not within 5000 to 120000");
            return Err(status::invalid(&Invalid::new("timeout_ms", problem)));
        }
    };
    let found = names::provider(&*context.store, &request.provider).await?;
    let question = TestProvider {
        provider_id: found.id.to_string(),
        timeout_ms,
        model: request.model,
        free: false,
    };
    let answered = sync::ask(context, command::Command::TestProvider(question)).await?;
    let name = found.value.provider.name;
    match answered.result.result {
        Some(command_result::Result::ProviderTest(test)) if answered.result.error.is_empty() => {
            Ok(wire::TestProviderResponse {
                provider_id: found.id.to_string(),
                provider: name,
                node_id: answered.node,
                test: Some(test),
            })
        }
        Some(
            command_result::Result::ProviderTest(_)
            | command_result::Result::Limits(_)
            | command_result::Result::Route(_)
            | command_result::Result::SessionKicked(_)
            | command_result::Result::Counters(_),
        )
        | None => Err(Status::unavailable(format!(
            "provider {name:?} was not tested: data plane {}: {}",
            answered.node, answered.result.error
        ))),
    }
}
