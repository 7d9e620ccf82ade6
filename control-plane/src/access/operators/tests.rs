use penstock_core::key::PreviousSecret;
use penstock_core::operator::{Operator, Role};
use penstock_store::{Accounts, Expect, OperatorPut, OperatorToken};

use super::*;
use crate::access::{Rule, Standing};
use crate::tests::fake_store::FakeStore;

const NOW: UnixMs = UnixMs(1_000_000);
const TOKEN: &str = "pso_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
const OLD: &str = "pso_9123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

fn put(enabled: bool) -> OperatorPut {
    OperatorPut {
        id: OperatorId::from_parts(1, &[1; 10]),
        operator: Operator {
            name: "ann".to_owned(),
            role: Role::Viewer,
            user_id: None,
            enabled,
            expires_at: None,
        },
        token: OperatorToken {
            hash: KeyHash::of(TOKEN),
            hint: String::new(),
            previous: Some(PreviousSecret {
                hash: KeyHash::of(OLD),
                valid_until: UnixMs(NOW.0 + 10),
            }),
        },
        expect: Expect::Any,
    }
}

fn operators(store: &Arc<FakeStore>) -> Operators {
    Operators::new(Arc::clone(store) as Arc<dyn Store>)
}

fn admitted(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Admitted(stored) if stored.operator.name == "ann")
}

#[tokio::test(start_paused = true)]
async fn g09_a_token_made_elsewhere_works_at_once() {
    let store = FakeStore::new();
    let operators = operators(&store);
    assert_eq!(operators.find(TOKEN, NOW).await, Verdict::Unknown);
    store.put_operator(&put(true), NOW).await.unwrap();
    tokio::time::advance(LOOK).await;
    assert!(admitted(&operators.find(TOKEN, NOW).await));
    assert_eq!(operators.find("pso_other", NOW).await, Verdict::Unknown);
    assert_eq!(operators.find("", NOW).await, Verdict::Unknown);
}

#[tokio::test(start_paused = true)]
async fn g09_after_a_rotation_the_old_token_works_for_the_overlap_only() {
    let store = FakeStore::new();
    store.put_operator(&put(true), NOW).await.unwrap();
    let operators = operators(&store);
    assert!(admitted(&operators.find(OLD, NOW).await));
    assert_eq!(operators.find(OLD, UnixMs(NOW.0 + 10)).await, Verdict::Unknown);
    assert!(admitted(&operators.find(TOKEN, UnixMs(NOW.0 + 10)).await));
}

#[tokio::test(start_paused = true)]
async fn g09_a_disabled_account_is_denied_by_name() {
    let store = FakeStore::new();
    store.put_operator(&put(false), NOW).await.unwrap();
    let verdict = operators(&store).find(TOKEN, NOW).await;
    assert!(
        matches!(verdict, Verdict::Denied(_, OperatorDenied::Disabled)),
        "{verdict:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn g09_a_stream_ends_with_the_access_of_its_operator() {
    let store = FakeStore::new();
    store.put_operator(&put(true), NOW).await.unwrap();
    let operators = Arc::new(operators(&store));
    assert!(admitted(&operators.find(TOKEN, NOW).await));
    let rule = |least| Rule {
        least,
        own: false,
        audited: false,
    };
    let standing = |token, least| Standing::of_account(&operators, token, rule(least));
    let role = put(true).operator.role;
    assert!(standing(TOKEN, role).check(NOW).is_ok());
    assert!(standing(OLD, role).check(NOW).is_ok());
    let ended = [
        standing(OLD, role).check(UnixMs(NOW.0 + 10)),
        standing("pso_other", role).check(NOW),
        standing(TOKEN, Role::Admin).check(NOW),
    ];
    for ended in ended {
        assert_eq!(ended.unwrap_err().code(), tonic::Code::Unauthenticated);
    }
    assert!(Standing::for_good().check(NOW).is_ok());
    tokio::time::advance(GRACE + Duration::from_secs(1)).await;
    assert!(standing(TOKEN, role).check(NOW).is_err(), "nobody knows any more");
}

#[tokio::test(start_paused = true)]
async fn g09_without_the_database_accounts_are_accepted_for_a_while() {
    let store = FakeStore::new();
    store.put_operator(&put(true), NOW).await.unwrap();
    let operators = operators(&store);
    operators.refresh().await.unwrap();
    store.set_away(true);
    tokio::time::advance(GRACE).await;
    assert!(admitted(&operators.find(TOKEN, NOW).await));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(operators.find(TOKEN, NOW).await, Verdict::Unsure);
    store.set_away(false);
    tokio::time::advance(LOOK).await;
    assert!(admitted(&operators.find(TOKEN, NOW).await));
}

#[tokio::test(start_paused = true)]
async fn g09_a_revoked_token_ends_within_a_poll_also_when_the_news_is_lost() {
    let store = FakeStore::new();
    store.put_operator(&put(true), NOW).await.unwrap();
    store.lose_notifications();
    let operators = Arc::new(operators(&store));
    let stop = CancellationToken::new();
    let following = follow(Arc::clone(&operators), stop.clone());
    let story = async {
        assert!(admitted(&operators.find(TOKEN, NOW).await));
        store
            .delete_operator(OperatorId::from_parts(1, &[1; 10]), Expect::Any)
            .await
            .unwrap();
        tokio::time::sleep(POLL + Duration::from_millis(10)).await;
        assert_eq!(operators.find(TOKEN, NOW).await, Verdict::Unknown);
        stop.cancel();
    };
    tokio::join!(following, story);
}

#[tokio::test(start_paused = true)]
async fn g09_being_used_is_written_once_in_a_while() {
    let store = FakeStore::new();
    store.put_operator(&put(true), NOW).await.unwrap();
    let operators = operators(&store);
    for ms in [0, 10, COARSE_MS - 1] {
        operators.find(TOKEN, UnixMs(NOW.0 + ms)).await;
        operators.save_uses().await.unwrap();
    }
    assert_eq!(
        store.operators().await.unwrap().operators[0].last_used_at,
        Some(NOW)
    );
    operators.find(TOKEN, UnixMs(NOW.0 + COARSE_MS)).await;
    operators.save_uses().await.unwrap();
    let used = store.operators().await.unwrap().operators[0].last_used_at;
    assert_eq!(used, Some(UnixMs(NOW.0 + COARSE_MS)));
}
