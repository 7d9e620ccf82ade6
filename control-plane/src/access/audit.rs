//! The audit log: who changed what, from where, and how it ended (behaviour G10).
//!
//! Behind the gate, a call of an RPC that changes something gets its entry **before** its service sees it, and the outcome
//! before the caller sees the end of the answer. So what a crash cut is in the log as well, without an outcome; and a change
//! whose entry cannot be written is not made. The services say on a [`Trail`] what it was about; nothing is read from the
//! call itself, so no secret gets here. What the gate refuses has an entry too, and so has a sign-in: the first use of a
//! token from an address in half a day, and tokens that are not accepted, both bounded, since anybody can make them.
//!
//! A caller that goes away before the answer leaves an entry without an outcome. How long entries are kept is said by the
//! setting `retention` ([`crate::retention`]).

mod sign_ins;

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::stream;
use http::HeaderMap;
use http_body_util::{BodyExt, StreamBody};
use penstock_core::id::AuditId;
use penstock_core::time::UnixMs;
use penstock_store::{AuditEnd, AuditEntry, Store};
use tonic::{Code, Status};

use super::Actor;
use super::gate::peer;
use super::role::{Needs, needs_of};
use crate::clock;
use sign_ins::SignIns;

/// What is told of a long list of targets.
const MAX_TARGET: usize = 500;

const SIGN_IN: &str = "sign-in";

/// Writes the log. Shared by the gate and the layer behind it.
#[expect(missing_debug_implementations, reason = "holds token hashes")]
pub struct Audit {
    store: Arc<dyn Store>,
    sign_ins: SignIns,
}

/// What a service says about the call that it serves, among the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<AuditEnd>>);

impl Audit {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            sign_ins: SignIns::default(),
        }
    }

    /// A token was accepted.
    pub(super) async fn signed_in(&self, actor: &Actor, token: &str, peer: &str) {
        let now = clock::now();
        if self.sign_ins.is_new(token, peer, now) {
            let entry = entry(Some(actor), SIGN_IN, peer, now, &ended(Code::Ok));
            self.write(entry).await;
        }
    }

    /// A token was not accepted; `actor` is whose it is, if that is known.
    pub(super) async fn not_signed_in(&self, actor: Option<&Actor>, peer: &str) {
        let now = clock::now();
        if self.sign_ins.may_tell(peer, now) {
            let entry = entry(actor, SIGN_IN, peer, now, &ended(Code::Unauthenticated));
            self.write(entry).await;
        }
    }

    /// The gate refused an operator what its role does not allow.
    pub(super) async fn denied(&self, actor: &Actor, path: &str, peer: &str) {
        let now = clock::now();
        if is_audited(path) && self.sign_ins.may_tell_denied(now) {
            let entry = entry(
                Some(actor),
                action(path),
                peer,
                now,
                &ended(Code::PermissionDenied),
            );
            self.write(entry).await;
        }
    }

    /// Best effort: what was refused has changed nothing.
    async fn write(&self, entry: Result<AuditEntry, Status>) {
        let written = match entry {
            Ok(entry) => self
                .store
                .begin_audit(&entry)
                .await
                .map_err(|error| error.to_string()),
            Err(status) => Err(status.message().to_owned()),
        };
        if let Err(error) = written {
            tracing::warn!(error, "an entry is missing from the audit log");
        }
    }

    async fn end(&self, id: AuditId, code: Code, trail: &Trail) {
        let mut end = trail.lock().clone();
        end.outcome = word(code);
        if let Err(error) = self.store.end_audit(id, &end).await {
            let outcome = end.outcome;
            tracing::warn!(%id, outcome, %error, "an entry of the audit log stays without its outcome");
        }
    }
}

/// The layer: keeps what goes to services behind it.
pub async fn record(State(audit): State<Arc<Audit>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let Some(actor) = request.extensions().get::<Actor>().filter(|_| is_audited(path)) else {
        return next.run(request).await;
    };
    let begun = begin(&audit, actor, path, &peer(&request)).await;
    let id = match begun {
        Ok(id) => id,
        Err(status) => return status.into_http::<Body>(),
    };
    let trail = Trail::default();
    request.extensions_mut().insert(trail.clone());
    let response = next.run(request).await;
    match code_in(response.headers()) {
        Some(code) => {
            audit.end(id, code, &trail).await;
            response
        }
        None => response.map(|body| ending(body, audit, id, trail)),
    }
}

async fn begin(audit: &Audit, actor: &Actor, path: &str, peer: &str) -> Result<AuditId, Status> {
    let entry = entry(
        Some(actor),
        action(path),
        peer,
        clock::now(),
        &AuditEnd::default(),
    )?;
    audit.store.begin_audit(&entry).await.map_err(|error| {
        tracing::warn!(%error, "a change is refused because the audit log cannot be written");
        Status::unavailable(
            "nothing was changed: the database is not available, so the audit log cannot be written; try again",
        )
    })?;
    Ok(entry.id)
}

/// The body, with the outcome written before its trailers pass.
fn ending(body: Body, audit: Arc<Audit>, id: AuditId, trail: Trail) -> Body {
    let open = Some((audit, id, trail));
    let frames = stream::unfold((body, open), |(mut body, mut open)| async move {
        let frame = body.frame().await?;
        let trailers = frame.as_ref().ok().and_then(|frame| frame.trailers_ref());
        if let Some(trailers) = trailers
            && let Some((audit, id, trail)) = open.take()
        {
            let code = code_in(trailers).unwrap_or(Code::Unknown);
            audit.end(id, code, &trail).await;
        }
        Some((frame, (body, open)))
    });
    Body::new(StreamBody::new(frames))
}

fn code_in(headers: &HeaderMap) -> Option<Code> {
    Some(Code::from_bytes(headers.get("grpc-status")?.as_bytes()))
}

fn is_audited(path: &str) -> bool {
    matches!(needs_of(path), Some(Needs::Operator(rule)) if rule.audited)
}

/// `KeyService/CreateKey`.
fn action(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    let service = path.split('/').next().unwrap_or_default();
    let package = service.rfind('.').map_or(0, |dot| dot + 1);
    path.get(package..).unwrap_or(path)
}

fn ended(code: Code) -> AuditEnd {
    AuditEnd {
        outcome: word(code),
        ..AuditEnd::default()
    }
}

fn entry(
    actor: Option<&Actor>,
    action: &str,
    peer: &str,
    now: UnixMs,
    end: &AuditEnd,
) -> Result<AuditEntry, Status> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|_| Status::internal("the system gives no random bytes"))?;
    Ok(AuditEntry {
        id: AuditId::from_parts(u64::try_from(now.0).unwrap_or_default(), &random),
        at: now,
        actor: actor.map(|actor| actor.name.to_string()).unwrap_or_default(),
        role: actor
            .map(|actor| actor.role.as_str().to_owned())
            .unwrap_or_default(),
        action: action.to_owned(),
        peer: peer.to_owned(),
        end: end.clone(),
    })
}

/// `permission_denied`.
fn word(code: Code) -> String {
    let mut word = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

impl Trail {
    /// Says what the call is about, in the place of what was said before: `key "alice/laptop"`. Of many the first ones are
    /// kept, and the others are not asked for.
    pub fn about(&self, targets: impl IntoIterator<Item = String>) {
        let mut said = String::new();
        for target in targets {
            if !said.is_empty() {
                said.push_str(", ");
            }
            said.extend(target.chars().take(MAX_TARGET));
            if said.len() >= MAX_TARGET {
                break;
            }
        }
        self.lock().target = said;
    }

    /// Says which revision it made.
    pub fn made(&self, revision: u64) {
        self.lock().revision = Some(revision);
    }

    /// Says why, in the operator's words.
    pub fn because(&self, reason: &str) {
        reason.clone_into(&mut self.lock().reason);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, AuditEnd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g10_actions_and_outcomes_are_words() {
        assert_eq!(
            action("/penstock.admin.v1.KeyService/CreateKey"),
            "KeyService/CreateKey"
        );
        assert_eq!(word(Code::PermissionDenied), "permission_denied");
        assert_eq!(word(Code::Ok), "ok");
        let numbered = HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            http::HeaderValue::from_static("7"),
        )]);
        assert_eq!(code_in(&numbered), Some(Code::PermissionDenied));
    }

    #[test]
    fn g10_a_long_list_of_targets_is_cut() {
        let trail = Trail::default();
        trail.about(["something else".to_owned()]);
        // Endless: what is not kept is not made.
        trail.about(std::iter::repeat_with(|| "key \"alice/laptop\"".to_owned()));
        let end = trail.lock().clone();
        assert!(
            end.target.starts_with("key \"alice/laptop\", key"),
            "{}",
            end.target
        );
        assert!(end.target.len() < 2 * MAX_TARGET);
    }
}
