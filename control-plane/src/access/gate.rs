//! The check in front of every gRPC service.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tokio::time::Instant;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Code, Status};

use super::audit::Audit;
use super::operators::{Operators, Verdict};
use super::role::{Needs, Rule, needs_of};
use super::standing::Standing;
use super::token::TokenHash;
use super::{Actor, Refused};
use crate::clock;
use crate::pipe::FromPipe;

/// What callers are checked against.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds token hashes")]
pub struct Gate {
    pub admin: Option<TokenHash>,
    pub operators: Arc<Operators>,
    /// Several, so that tokens can be rotated.
    pub nodes: Arc<[TokenHash]>,
    /// A verified client certificate makes a node. The TLS layer verifies; here one has only to be there.
    pub certificates: bool,
    pub audit: Arc<Audit>,
    pub metrics: Arc<crate::metrics::Metrics>,
    pub refused: Arc<Refused>,
}

/// How a caller came and what it shows.
struct Caller<'a> {
    pipe: bool,
    certificate: bool,
    bearer: Option<&'a str>,
}

/// Why a call is refused.
struct Refusal {
    status: Status,
    /// Whose token it is, when that is known.
    actor: Option<Actor>,
}

/// Lets a call through to its service, with an [`Actor`] when it is an operator's, or answers with a status.
pub async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let (token, peer) = (bearer(request.headers()).map(str::to_owned), peer(&request));
    let caller = Caller {
        pipe: request.extensions().get::<FromPipe>().is_some(),
        certificate: gate.certificates && has_certificate(&request),
        bearer: token.as_deref(),
    };
    let (path, began) = (request.uri().path().to_owned(), Instant::now());
    let ended = |code| gate.metrics.rpc_ended(&path, code, began.elapsed());
    let needs = needs_of(&path);
    match gate.admit(needs, &caller).await {
        Ok(actor) => {
            if let (Some(actor), false, Some(token)) = (&actor, caller.pipe, caller.bearer) {
                gate.audit.signed_in(actor, token, &peer).await;
            }
            if let Some(actor) = actor {
                let standing = gate.standing(needs, &caller, &actor);
                request.extensions_mut().insert(standing);
                request.extensions_mut().insert(actor);
            }
            let response = next.run(request).await;
            ended(code_of(response.headers()));
            response
        }
        Err(refusal) => {
            // What nobody offers is not counted by name: anybody can ask for anything.
            if needs_of(&path).is_some() {
                ended(refusal.status.code());
            }
            gate.note(&refusal, &caller, &path, &peer).await;
            refusal.status.into_http::<Body>()
        }
    }
}

impl Gate {
    async fn admit(&self, needs: Option<Needs>, caller: &Caller<'_>) -> Result<Option<Actor>, Refusal> {
        match needs {
            None => Err(Status::unimplemented("there is no such service here").into()),
            Some(Needs::Anyone) => Ok(None),
            Some(Needs::Node) if caller.pipe || caller.certificate || self.is_node(caller.bearer) => Ok(None),
            Some(Needs::Node) => Err(Status::unauthenticated(
                "the node token is missing or not accepted; give the data plane one of the control plane's node tokens \
                 (--node-token-file or PENSTOCK_NODE_TOKEN), or a client certificate",
            )
            .into()),
            Some(Needs::Operator(_)) if caller.pipe || self.is_admin(caller.bearer) => {
                Ok(Some(Actor::admin()))
            }
            Some(Needs::Operator(rule)) => self.account(rule, caller.bearer).await.map(Some),
        }
    }

    fn standing(&self, needs: Option<Needs>, caller: &Caller<'_>, actor: &Actor) -> Standing {
        match (needs, actor.operator, caller.bearer) {
            (Some(Needs::Operator(rule)), Some(_), Some(token)) => {
                Standing::of_account(&self.operators, token, rule)
            }
            _ => Standing::for_good(),
        }
    }

    /// The account of a token, if its role may call.
    async fn account(&self, rule: Rule, bearer: Option<&str>) -> Result<Actor, Refusal> {
        let verdict = match bearer {
            Some(token) => self.operators.find(token, clock::now()).await,
            None => Verdict::Unknown,
        };
        let stored = match verdict {
            Verdict::Admitted(stored) => stored,
            Verdict::Denied(stored, denied) => {
                let text = format!(
                    "{denied}: {:?}; an admin can change that (penstock operator update)",
                    stored.operator.name
                );
                return Err(Refusal {
                    status: Status::unauthenticated(text),
                    actor: Some(Actor::from(&*stored)),
                });
            }
            Verdict::Unsure => {
                return Err(Status::unavailable(
                    "operators' tokens cannot be checked: the database has been away for too long; the admin token works",
                )
                .into());
            }
            Verdict::Unknown => {
                return Err(Status::unauthenticated(
                    "the token is missing or not accepted; give the control plane's admin token or an operator's \
                     (--token or PENSTOCK_TOKEN)",
                )
                .into());
            }
        };
        let actor = Actor::from(&*stored);
        if rule.allows(actor.role) {
            return Ok(actor);
        }
        let needed = match rule.own {
            true => format!("{} (or user, for its own)", rule.least.as_str()),
            false => rule.least.as_str().to_owned(),
        };
        let text = format!(
            "operator {:?} has the role {}, and this needs the role {needed}",
            actor.name,
            actor.role.as_str()
        );
        Err(Refusal {
            status: Status::permission_denied(text),
            actor: Some(actor),
        })
    }

    /// Leaves traces of a refusal: metric, log, audit log.
    async fn note(&self, refusal: &Refusal, caller: &Caller<'_>, path: &str, peer: &str) {
        let code = refusal.status.code();
        self.metrics.refused_calls.inc();
        self.refused.log(clock::now(), path, peer, code);
        match (code, &refusal.actor) {
            (Code::PermissionDenied, Some(actor)) => self.audit.denied(actor, path, peer).await,
            (Code::Unauthenticated, actor) if caller.bearer.is_some() => {
                self.audit.not_signed_in(actor.as_ref(), peer).await;
            }
            _ => {}
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

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self { status, actor: None }
    }
}

/// The caller's address; empty for the pipe.
pub(super) fn peer(request: &Request) -> String {
    address(request).map(|ip| ip.to_string()).unwrap_or_default()
}

fn address(request: &Request) -> Option<IpAddr> {
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

/// Of the answer's head: an error without content has it there, and everything else has begun well.
fn code_of(headers: &HeaderMap) -> Code {
    Status::from_header_map(headers).map_or(Code::Ok, |status| status.code())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
