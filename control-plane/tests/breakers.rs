//! Breakers: what nodes report and operators decide, through running control planes.

use penstock_core::health::mark::Maker;
use penstock_core::health::{Circuit, State};
use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::breaker_service_client::BreakerServiceClient;
use penstock_proto::admin::v1::provider_service_client::ProviderServiceClient;
use penstock_proto::config::v1::ProviderSpec;
use penstock_proto::convert::{provider_state_to_wire, provider_to_wire};
use penstock_proto::fleet::v1::ProviderState;
use penstock_proto::telemetry::v1::report_request::Message;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::node_client::{Node, with_token};
use crate::plane::{ADMIN, NODE, Plane, Start, dir};
use crate::reporter::Reporter;

impl Plane {
    async fn provider(&self) -> ProviderId {
        let provider: penstock_core::provider::Provider = penstock_core::provider::Provider::new(
            "main",
            penstock_core::provider::ProviderKind::Anthropic,
            "http://127.0.0.1:1",
        );
        let spec: ProviderSpec = provider_to_wire(&provider);
        let request = wire::CreateProviderRequest {
            new_credential: None,
            spec: Some(spec),
            ..wire::CreateProviderRequest::default()
        };
        let mut client = ProviderServiceClient::new(self.channel().await);
        let created = client.create_provider(with_token(request, Some(ADMIN))).await;
        let provider = created.unwrap().into_inner().provider.unwrap();
        provider.id.parse().unwrap()
    }

    async fn breakers(&self) -> BreakerServiceClient<Channel> {
        BreakerServiceClient::new(self.channel().await)
    }

    /// By model.
    async fn states(&self) -> Vec<(String, String)> {
        let request = with_token(wire::ListBreakersRequest::default(), Some(ADMIN));
        let listed = self.breakers().await.list_breakers(request).await.unwrap();
        let breakers = listed.into_inner().breakers.into_iter();
        breakers.map(|it| (it.model, it.state)).collect()
    }

    async fn reset(&self) -> wire::ResetProviderResponse {
        let request = wire::ResetProviderRequest {
            provider: "main".to_owned(),
            change: None,
        };
        let mut client = self.breakers().await;
        let reset = client.reset_provider(with_token(request, Some(ADMIN))).await;
        reset.unwrap().into_inner()
    }

    async fn open_until(&self, until: UnixMs) -> Result<wire::Breaker, Status> {
        let request = wire::OpenBreakerRequest {
            provider: "main".to_owned(),
            model: String::new(),
            until_ms: Some(until.0),
            change: None,
        };
        let mut client = self.breakers().await;
        let opened = client.open_breaker(with_token(request, Some(ADMIN))).await?;
        Ok(opened.into_inner().breaker.unwrap())
    }

    async fn node_up_to_date(&self, id: &str) -> Node {
        let mut node = self.node(id).await;
        node.apply().await;
        node
    }

    async fn reporter(&self, id: &str) -> Reporter {
        let opened = Reporter::open(self.channel().await, Some(NODE), id).await;
        opened.unwrap().0
    }
}

fn tripped(provider: ProviderId, generation: u64, model: &str) -> ProviderState {
    let (mut state, now) = (State::default(), penstock_control_plane::clock::now());
    state.generation = generation;
    let maker = Maker {
        by: "node-1",
        why: "5 failures in a row",
        now,
    };
    let until = now.plus_ms(600_000);
    maker.mark(
        &mut state.entry_mut(model).unwrap().circuit,
        Circuit::Open { until },
    );
    provider_state_to_wire(provider, &state)
}

fn states(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = expected.iter();
    own.map(|(model, state)| ((*model).to_owned(), (*state).to_owned()))
        .collect()
}

#[tokio::test]
async fn b08_a_report_comes_back_to_nodes_and_a_reset_clears_it_for_good() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let provider = plane.provider().await;
    let id = provider.to_string();
    let (mut node, reporter) = (plane.node_up_to_date("a").await, plane.reporter("a").await);
    let report = tripped(provider, 0, "");
    reporter.say(Message::ProviderState(report.clone())).await;
    assert_eq!(node.told_of(&id).await, report);
    assert_eq!(plane.states().await, states(&[("", "open")]));
    let mut late = plane.node_up_to_date("b").await;
    assert_eq!(
        late.told_of(&id).await,
        report,
        "who comes later is told at its beginning"
    );
    let reset = plane.reset().await;
    assert_eq!(
        (reset.cleared.len(), reset.cleared[0].state.as_str()),
        (1, "open")
    );
    for node in [&mut node, &mut late] {
        let told = node.told_of(&id).await;
        assert_eq!((told.generation, told.entries.len()), (1, 0));
    }
    // From before the reset, then from after it.
    reporter.say(Message::ProviderState(report)).await;
    reporter
        .say(Message::ProviderState(tripped(provider, 1, "opus")))
        .await;
    assert_eq!(node.told_of(&id).await.entries.len(), 1);
    assert_eq!(plane.states().await, states(&[("", "closed"), ("opus", "open")]));
    plane.stop().await;
}

#[tokio::test]
async fn b08_two_replicas_merge_and_a_restart_neither_loses_nor_clears() {
    let dir = dir();
    let first = Plane::start(&dir).await;
    let provider = first.provider().await;
    let id = provider.to_string();
    let second = Start::in_dir(dir.path()).with("--name", "cp-2").run().await;
    let mut nodes = [
        first.node_up_to_date("a").await,
        second.node_up_to_date("b").await,
    ];
    let reporters = [first.reporter("a").await, second.reporter("b").await];
    for (reporter, model) in reporters.iter().zip(["opus", "haiku"]) {
        let report = tripped(provider, 0, model);
        reporter.say(Message::ProviderState(report)).await;
    }
    for node in &mut nodes {
        while node.told_of(&id).await.entries.len() < 2 {}
    }
    drop((nodes, reporters));
    first.stop().await;
    second.stop().await;
    let again = Plane::start(&dir).await;
    let mut node = again.node_up_to_date("a").await;
    assert_eq!(node.told_of(&id).await.entries.len(), 2);
    again.stop().await;
}

#[tokio::test]
async fn b08_forced_open_is_pushed_to_nodes_and_lasts_until_its_moment() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let provider = plane.provider().await;
    let mut node = plane.node_up_to_date("a").await;
    let until = penstock_control_plane::clock::now().plus_ms(60_000);
    assert_eq!(plane.open_until(until).await.unwrap().state, "forced_open");
    let told = node.told_of(&provider.to_string()).await;
    let circuit = told.entries[0].circuit.as_ref().unwrap();
    assert_eq!(circuit.until_ms, Some(until.0));
    let refused = plane.open_until(UnixMs(1)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    plane.stop().await;
}
