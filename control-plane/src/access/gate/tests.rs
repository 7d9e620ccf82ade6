use penstock_core::api_key::KeyHash;
use penstock_core::id::{OperatorId, UserId};
use penstock_core::operator::{Operator, Role};
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::{Accounts, Expect, OperatorPut, OperatorToken, Store};

use super::*;
use crate::tests::fake_store::FakeStore;

const ADMIN: &str = "admin-token";
const OLD_NODE: &str = "old-node-token";
const NEW_NODE: &str = "new-node-token";
const USER: UserId = UserId(uuid::Uuid::from_u128(7));

fn gate_over(store: &Arc<FakeStore>) -> Gate {
    let hash = |token| TokenHash::of(&Secret::new(token));
    let store = Arc::clone(store) as Arc<dyn Store>;
    Gate {
        admin: Some(hash(ADMIN)),
        operators: Arc::new(Operators::new(Arc::clone(&store))),
        nodes: [hash(OLD_NODE), hash(NEW_NODE)].into(),
        certificates: true,
        audit: Arc::new(Audit::new(store)),
        metrics: Arc::default(),
        refused: Arc::default(),
    }
}

fn gate() -> Gate {
    gate_over(&FakeStore::new())
}

fn with(bearer: &str) -> Caller<'_> {
    Caller {
        pipe: false,
        certificate: false,
        bearer: Some(bearer),
    }
}

/// The account of a role; its token is `pso_` and the role.
async fn account(store: &FakeStore, role: Role) -> String {
    let token = format!("pso_{}", role.as_str());
    let put = OperatorPut {
        id: OperatorId::from_parts(1, &[role as u8; 10]),
        operator: Operator {
            name: format!("a-{}", role.as_str()),
            role,
            user_id: (role == Role::User).then_some(USER),
            enabled: true,
            expires_at: None,
        },
        token: OperatorToken {
            hash: KeyHash::of(&token),
            hint: String::new(),
            previous: None,
        },
        expect: Expect::Absent,
    };
    store.put_operator(&put, UnixMs(1)).await.unwrap();
    token
}

const NODE: Needs = Needs::Node;

fn admins() -> Needs {
    needs_of("/penstock.admin.v1.OperatorService/CreateOperator").unwrap()
}

fn reading() -> Needs {
    needs_of("/penstock.admin.v1.UserService/ListUsers").unwrap()
}

async fn code(needs: Needs, caller: &Caller<'_>) -> Code {
    let admitted = gate().admit(Some(needs), caller).await;
    admitted.err().map_or(Code::Ok, |refusal| refusal.status.code())
}

#[tokio::test]
async fn several_node_tokens_are_valid_at_once() {
    assert_eq!(code(NODE, &with(OLD_NODE)).await, Code::Ok);
    assert_eq!(code(NODE, &with(NEW_NODE)).await, Code::Ok);
    assert_eq!(code(NODE, &with("wrong")).await, Code::Unauthenticated);
}

#[tokio::test]
async fn a_node_is_no_operator_and_an_operator_no_node() {
    assert_eq!(code(reading(), &with(NEW_NODE)).await, Code::Unauthenticated);
    assert_eq!(code(NODE, &with(ADMIN)).await, Code::Unauthenticated);
    let certificate = Caller {
        pipe: false,
        certificate: true,
        bearer: None,
    };
    assert_eq!(code(NODE, &certificate).await, Code::Ok);
    assert_eq!(code(reading(), &certificate).await, Code::Unauthenticated);
}

#[tokio::test]
async fn the_pipe_is_trusted_as_both() {
    let pipe = Caller {
        pipe: true,
        certificate: false,
        bearer: None,
    };
    assert_eq!(code(NODE, &pipe).await, Code::Ok);
    let admitted = gate().admit(Some(admins()), &pipe).await.ok().unwrap();
    assert_eq!(admitted, Some(Actor::admin()));
}

#[tokio::test]
async fn without_configured_tokens_nothing_matches() {
    let closed = Gate {
        admin: None,
        nodes: [].into(),
        certificates: false,
        ..gate()
    };
    for needs in [admins(), reading(), NODE] {
        assert!(closed.admit(Some(needs), &with("")).await.is_err());
    }
}

#[tokio::test]
async fn an_unknown_service_is_refused_even_for_operators() {
    let refusal = gate().admit(None, &with(ADMIN)).await.err().unwrap();
    assert_eq!(refusal.status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn g09_an_account_may_do_what_its_role_allows_and_is_told_what_is_needed() {
    let store = FakeStore::new();
    let gate = gate_over(&store);
    for role in Role::ALL {
        let token = account(&store, role).await;
        gate.operators.refresh().await.unwrap();
        let admitted = gate.admit(Some(admins()), &with(&token)).await;
        match role {
            Role::Admin => assert_eq!(&*admitted.ok().unwrap().unwrap().name, "a-admin"),
            Role::User | Role::Viewer | Role::Operator => {
                let status = admitted.err().unwrap().status;
                assert_eq!(status.code(), Code::PermissionDenied);
                let text = format!("has the role {}, and this needs the role admin", role.as_str());
                assert!(status.message().contains(&text), "{}", status.message());
            }
        }
    }
    let own = needs_of("/penstock.admin.v1.KeyService/ListKeys");
    let user = gate.admit(own, &with("pso_user")).await.ok().unwrap().unwrap();
    assert_eq!((user.role, user.user), (Role::User, Some(USER)));
}

#[test]
fn only_bearer_credentials_are_read() {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, http::HeaderValue::from_static("bearer  abc"));
    assert_eq!(bearer(&headers), Some("abc"));
    headers.insert(AUTHORIZATION, http::HeaderValue::from_static("Basic abc"));
    assert_eq!(bearer(&headers), None);
}
