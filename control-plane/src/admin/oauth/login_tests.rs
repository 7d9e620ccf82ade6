//! A login that succeeded at the authorization server is kept here, whatever others do meanwhile.

use std::sync::Arc;

use penstock_store::Store;
use tonic::Code;

use super::*;
use crate::clock;
use crate::tests;
use crate::tests::fake_store::FakeStore;
use crate::tests::token_endpoint::TokenEndpoint;

struct Bench {
    store: Arc<FakeStore>,
    oauth: Oauth,
    id: ProviderId,
    endpoint: TokenEndpoint,
}

impl Bench {
    async fn start() -> Self {
        let store = FakeStore::new();
        tests::commit(&store, tests::put_provider(1, CredentialChange::Keep)).await;
        let ResourceRef::Provider(id) = tests::provider_ref(1) else {
            panic!("a provider")
        };
        Self {
            oauth: Oauth(tests::context(&store).await),
            endpoint: TokenEndpoint::start().await,
            store,
            id,
        }
    }

    async fn log_in(&self) -> Result<wire::OauthStatus, Status> {
        let provider = self.id.to_string();
        let client = wire::OauthClient {
            authorize_url: "https://auth.example/authorize".into(),
            token_url: self.endpoint.url(),
            client_id: "penstock".into(),
            ..wire::OauthClient::default()
        };
        let start = wire::StartOauthLoginRequest {
            provider: provider.clone(),
            client: Some(client),
        };
        self.oauth.start_oauth_login(Request::new(start)).await?;
        let finish = wire::FinishOauthLoginRequest {
            provider,
            code: "the-code".into(),
            change: None,
        };
        self.endpoint
            .answer(200, r#"{"access_token":"access-1","refresh_token":"refresh-1"}"#);
        let finished = self.oauth.finish_oauth_login(Request::new(finish)).await?;
        Ok(finished.into_inner().status.unwrap())
    }

    async fn lease_is_free(&self) -> bool {
        let now = clock::now();
        let taken = self
            .store
            .take_token_lease(self.id, "other", now, now.plus_ms(1))
            .await;
        taken.unwrap().is_some()
    }
}

#[tokio::test]
async fn f03_a_login_survives_operators_who_change_the_provider_meanwhile() {
    let bench = Bench::start().await;
    bench.store.be_faster(3);
    let status = bench.log_in().await.unwrap();
    assert_eq!((status.state.as_str(), status.token_version), ("ready", 1));
    assert!(bench.lease_is_free().await);
}

#[tokio::test]
async fn f03_a_login_that_cannot_be_kept_says_so_and_gives_its_lease_back() {
    let bench = Bench::start().await;
    bench.store.be_faster(1_000);
    assert_eq!(bench.log_in().await.unwrap_err().code(), Code::Aborted);
    assert!(bench.lease_is_free().await);
}
