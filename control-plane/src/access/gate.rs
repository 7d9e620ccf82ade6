//! The check in front of every gRPC service.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tonic::Status;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};

use super::role::{Role, role_of};
use super::token::TokenHash;
use super::{Actor, Refused};
use crate::clock;
use crate::pipe::FromPipe;

/// What callers are checked against.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds token hashes")]
pub struct Gate {
    pub admin: Option<TokenHash>,
    /// Several, so that tokens can be rotated.
    pub nodes: Arc<[TokenHash]>,
    /// A verified client certificate makes a node. The TLS layer verifies; here one has only to be there.
    pub certificates: bool,
    pub metrics: Arc<crate::metrics::Metrics>,
    pub refused: Arc<Refused>,
}

/// How a caller came and what it shows.
struct Caller<'a> {
    pipe: bool,
    certificate: bool,
    bearer: Option<&'a str>,
}

/// Lets a call through to its service, with an [`Actor`] when it is an operator's, or answers with a status.
pub async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let caller = Caller {
        pipe: request.extensions().get::<FromPipe>().is_some(),
        certificate: gate.certificates && has_certificate(&request),
        bearer: bearer(request.headers()),
    };
    let role = role_of(request.uri().path());
    match gate.admit(role, &caller) {
        Ok(actor) => {
            if let Some(actor) = actor {
                request.extensions_mut().insert(actor);
            }
            next.run(request).await
        }
        Err(status) => {
            gate.metrics.refused_calls.inc();
            let (path, peer) = (request.uri().path(), peer(&request));
            gate.refused.log(clock::now(), path, peer, status.code());
            status.into_http::<Body>()
        }
    }
}

impl Gate {
    fn admit(&self, role: Option<Role>, caller: &Caller<'_>) -> Result<Option<Actor>, Status> {
        match role {
            None => Err(Status::unimplemented("there is no such service here")),
            Some(Role::Anyone) => Ok(None),
            Some(Role::Node) if caller.pipe || caller.certificate || self.is_node(caller.bearer) => Ok(None),
            Some(Role::Node) => Err(Status::unauthenticated(
                "the node token is missing or not accepted; give the data plane one of the control plane's node tokens \
                 (--node-token-file or PENSTOCK_NODE_TOKEN), or a client certificate",
            )),
            Some(Role::Admin) if caller.pipe || self.is_admin(caller.bearer) => Ok(Some(Actor::admin())),
            Some(Role::Admin) => Err(Status::unauthenticated(
                "the admin token is missing or not accepted; give the control plane's admin token (--token or \
                 PENSTOCK_TOKEN)",
            )),
        }
    }

    fn is_admin(&self, bearer: Option<&str>) -> bool {
        match (&self.admin, bearer) {
            (Some(hash), Some(token)) => hash.matches(token),
            (None, _) | (_, None) => false,
        }
    }

    fn is_node(&self, bearer: Option<&str>) -> bool {
        // All are compared, so that the time does not tell which one matched.
        bearer.is_some_and(|token| {
            self.nodes
                .iter()
                .fold(false, |found, hash| found | hash.matches(token))
        })
    }
}

fn peer(request: &Request) -> Option<IpAddr> {
    let extensions = request.extensions();
    let tls = extensions.get::<TlsConnectInfo<TcpConnectInfo>>();
    let tcp = tls.map(TlsConnectInfo::get_ref).or_else(|| extensions.get());
    Some(tcp?.remote_addr()?.ip())
}

fn has_certificate(request: &Request) -> bool {
    let info = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
    info.and_then(TlsConnectInfo::peer_certs)
        .is_some_and(|certs| !certs.is_empty())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use penstock_core::secret::Secret;

    use super::*;

    const ADMIN: &str = "admin-token";
    const OLD_NODE: &str = "old-node-token";
    const NEW_NODE: &str = "new-node-token";

    fn gate() -> Gate {
        let hash = |token| TokenHash::of(&Secret::new(token));
        Gate {
            admin: Some(hash(ADMIN)),
            nodes: [hash(OLD_NODE), hash(NEW_NODE)].into(),
            certificates: true,
            metrics: Arc::default(),
            refused: Arc::default(),
        }
    }

    fn with(bearer: &str) -> Caller<'_> {
        Caller {
            pipe: false,
            certificate: false,
            bearer: Some(bearer),
        }
    }

    fn code(role: Role, caller: &Caller<'_>) -> tonic::Code {
        gate()
            .admit(Some(role), caller)
            .err()
            .map_or(tonic::Code::Ok, |status| status.code())
    }

    #[test]
    fn several_node_tokens_are_valid_at_once() {
        assert_eq!(code(Role::Node, &with(OLD_NODE)), tonic::Code::Ok);
        assert_eq!(code(Role::Node, &with(NEW_NODE)), tonic::Code::Ok);
        assert_eq!(code(Role::Node, &with("wrong")), tonic::Code::Unauthenticated);
    }

    #[test]
    fn a_node_is_no_operator_and_an_operator_no_node() {
        assert_eq!(code(Role::Admin, &with(NEW_NODE)), tonic::Code::Unauthenticated);
        assert_eq!(code(Role::Node, &with(ADMIN)), tonic::Code::Unauthenticated);
        let certificate = Caller {
            pipe: false,
            certificate: true,
            bearer: None,
        };
        assert_eq!(code(Role::Node, &certificate), tonic::Code::Ok);
        assert_eq!(code(Role::Admin, &certificate), tonic::Code::Unauthenticated);
    }

    #[test]
    fn the_pipe_is_trusted_as_both() {
        let pipe = Caller {
            pipe: true,
            certificate: false,
            bearer: None,
        };
        assert_eq!(code(Role::Node, &pipe), tonic::Code::Ok);
        assert_eq!(
            gate().admit(Some(Role::Admin), &pipe).unwrap(),
            Some(Actor::admin())
        );
    }

    #[test]
    fn without_configured_tokens_nothing_matches() {
        let closed = Gate {
            admin: None,
            nodes: [].into(),
            certificates: false,
            metrics: Arc::default(),
            refused: Arc::default(),
        };
        for role in [Role::Admin, Role::Node] {
            assert!(closed.admit(Some(role), &with("")).is_err());
        }
    }

    #[test]
    fn an_unknown_service_is_refused_even_for_operators() {
        assert_eq!(
            gate().admit(None, &with(ADMIN)).unwrap_err().code(),
            tonic::Code::Unimplemented
        );
    }

    #[test]
    fn only_bearer_credentials_are_read() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, http::HeaderValue::from_static("bearer  abc"));
        assert_eq!(bearer(&headers), Some("abc"));
        headers.insert(AUTHORIZATION, http::HeaderValue::from_static("Basic abc"));
        assert_eq!(bearer(&headers), None);
    }
}
