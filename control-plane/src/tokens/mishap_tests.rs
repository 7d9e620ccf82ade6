//! What goes wrong around a refresh, and what is left of it (behaviour F3).

use std::sync::Arc;
use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_store::{Store, StoredToken, TokenState};
use tokio::sync::Semaphore;

use super::follow::begin;
use super::*;
use crate::clock;
use crate::context::Context;
use crate::tests;
use crate::tests::fake_store::FakeStore;
use crate::tests::token_endpoint::TokenEndpoint;

const NEW: &str = r#"{"access_token":"access-2","refresh_token":"refresh-2","expires_in":3600}"#;

struct Bench {
    store: Arc<FakeStore>,
    context: Context,
    endpoint: TokenEndpoint,
}

impl Bench {
    async fn start() -> Self {
        let store = FakeStore::new();
        let context = tests::context(&store).await;
        let endpoint = TokenEndpoint::start().await;
        Self {
            store,
            context,
            endpoint,
        }
    }

    async fn provider(&self, refresh: Option<&str>, ends_in_s: i64) -> ProviderId {
        let at = UnixMs(clock::now().0 + ends_in_s * 1_000);
        let both = (&self.context, &*self.store);
        self.endpoint.provider(both, 1, refresh, at).await
    }

    async fn refresh(&self, id: ProviderId, why: Why) -> Outcome {
        refresh(&self.context, id, why).await.unwrap()
    }

    async fn row(&self, id: ProviderId) -> StoredToken {
        self.store.token(id).await.unwrap().unwrap()
    }
}

async fn until(what: impl AsyncFn() -> bool) {
    let polling = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), polling)
        .await
        .unwrap();
}

#[tokio::test]
async fn f03_that_a_refresh_token_is_shown_is_known_before_and_forgotten_with_the_outcome() {
    let bench = Bench::start().await;
    let id = bench.provider(Some("refresh-1"), 3_600).await;
    let refreshing = {
        let context = bench.context.clone();
        TaskTracker::new().spawn(async move { refresh(&context, id, Why::Operator).await.unwrap() })
    };
    until(async || bench.endpoint.asked().len() == 1).await;
    let row = bench.row(id).await;
    assert!(
        row.exchange_began_at.is_some(),
        "whoever is killed now leaves this"
    );
    let subject = subject(&bench.context, id).await.unwrap();
    assert_eq!(cut_off(&subject, &row, clock::now()), None, "it is under way");
    bench.endpoint.answer(200, NEW);
    assert_eq!(refreshing.await.unwrap(), Outcome::Refreshed);
    assert_eq!(bench.row(id).await.exchange_began_at, None);
}

#[tokio::test]
async fn f03_a_refresh_that_was_cut_off_is_asked_once_more_and_told_of() {
    let bench = Bench::start().await;
    let id = bench.provider(Some("refresh-1"), 3_600).await;
    let long_ago = UnixMs(clock::now().0 - 600_000);
    bench.store.token_exchange_began((id, 1), long_ago).await.unwrap();
    let known = subject(&bench.context, id).await.unwrap();
    assert_eq!(
        cut_off(&known, &bench.row(id).await, clock::now()),
        Some(long_ago)
    );
    bench.endpoint.answer(400, r#"{"error":"invalid_grant"}"#);
    assert_eq!(bench.refresh(id, Why::Operator).await, Outcome::Stopped);
    let asked = bench.endpoint.asked();
    assert!(
        asked.len() == 1 && asked[0].contains("refresh_token=refresh-1"),
        "{asked:?}"
    );
    let row = bench.row(id).await;
    assert_eq!((row.state, row.exchange_began_at), (TokenState::NeedsLogin, None));
    let causes = row.failure.unwrap().causes;
    assert!(causes.contains("was cut off"), "{causes}");
}

#[tokio::test]
async fn f03_a_login_without_a_refresh_token_is_left_alone_until_its_end() {
    let bench = Bench::start().await;
    let id = bench.provider(None, 3_600).await;
    for why in [Why::Operator, Why::Ahead] {
        assert_eq!(bench.refresh(id, why).await, Outcome::NothingToRefresh);
    }
    let row = bench.row(id).await;
    assert_eq!((row.state, row.failure), (TokenState::Ready, None));
    let both = (&bench.context, &*bench.store);
    let over = bench.endpoint.provider(both, 2, None, UnixMs(1)).await;
    assert_eq!(bench.refresh(over, Why::Operator).await, Outcome::Stopped);
    assert!(bench.endpoint.asked().is_empty());
}

#[tokio::test]
async fn f03_an_answer_in_passing_does_not_stop_refreshing() {
    let bench = Bench::start().await;
    let id = bench.provider(Some("refresh-1"), 3_600).await;
    for (status, body) in [
        (302, ""),
        (404, "<html>"),
        (403, "<html>"),
        (200, "<html>log in</html>"),
    ] {
        bench.endpoint.answer(status, body);
        assert_eq!(
            bench.refresh(id, Why::Operator).await,
            Outcome::Failed,
            "{status}"
        );
        let row = bench.row(id).await;
        assert_eq!(row.state, TokenState::Ready);
        assert!(row.failure.unwrap().next_try_at.is_some());
    }
    bench.endpoint.answer(200, NEW);
    assert_eq!(bench.refresh(id, Why::Operator).await, Outcome::Refreshed);
}

#[tokio::test]
async fn f01_a_token_in_an_answer_that_is_not_understood_is_kept_nowhere() {
    let bench = Bench::start().await;
    let id = bench.provider(Some("refresh-1"), 3_600).await;
    let odd = r#"{"accessToken":"hidden-1","refreshToken":"hidden-2"}"#;
    for _ in 0..2 {
        bench.endpoint.answer(200, odd);
    }
    assert_eq!(bench.refresh(id, Why::Operator).await, Outcome::Stopped);
    let failure = bench.row(id).await.failure.unwrap();
    assert!(!format!("{failure:?}").contains("hidden"), "{failure:?}");
    assert!(failure.body.starts_with("application/json"), "{}", failure.body);
}

#[tokio::test]
async fn f04_reports_of_one_refused_token_leave_room_for_other_providers() {
    let (bench, other) = (Bench::start().await, TokenEndpoint::start().await);
    let id = bench.provider(Some("refresh-1"), 3_600).await;
    let both = (&bench.context, &*bench.store);
    let second = other.provider(both, 2, Some("refresh-9"), UnixMs(0)).await;
    let room = Arc::new(Semaphore::new(2));
    for _ in 0..20 {
        begin(&bench.context, &room, id, Why::Refused(1));
    }
    until(async || bench.endpoint.asked().len() == 1).await;
    other.answer(200, NEW);
    begin(&bench.context, &room, second, Why::Ahead);
    until(async || bench.row(second).await.version == 2).await;
    bench.endpoint.answer(200, NEW);
    until(async || bench.row(id).await.version == 2).await;
    bench.context.tokens.running.close();
    bench.context.tokens.running.wait().await;
    assert_eq!(bench.endpoint.asked().len(), 1, "the others found it done");
}
