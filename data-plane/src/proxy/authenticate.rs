//! Who calls (behaviours A1 and A2).
//!
//! Every credential of the request is looked up. Unknown ones beside a known key are ignored, since clients send two
//! at once; two different known keys are refused, since it would be a guess whose call it is. A key that is known but
//! not let in answers with its own reason and is named in the refusal, so that the call can be recorded.

use std::sync::Arc;

use http::HeaderMap;
use penstock_core::access::Denied;
use penstock_core::error::{CallerError, Code};
use penstock_core::snapshot::{Caller, KeyEntry, Snapshot};
use penstock_core::time::UnixMs;
use penstock_dialect::credentials;

use super::Proxy;
use crate::telemetry::reports::KeyUpgrade;

/// Nobody is let in.
#[derive(Clone, Debug)]
pub(super) struct Unauthenticated {
    pub(super) error: CallerError,
    /// The key that was presented, if it is one of ours.
    pub(super) key: Option<Arc<KeyEntry>>,
    pub(super) why: Why,
}

/// What was wrong with the credentials of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// There were none.
    NothingPresented,
    /// There were some, and all belong to nobody. What the guard against guessing counts.
    Unknown,
    /// Two belong to different keys.
    TwoKeys,
    /// One belongs to a key that may not call now.
    NotLetIn,
}

/// The caller of a request.
pub(super) fn authenticate(
    snapshot: &Snapshot,
    headers: &HeaderMap,
    query: Option<&str>,
    now: UnixMs,
) -> Result<Caller, Unauthenticated> {
    let mut found: Option<Result<Caller, Unauthenticated>> = None;
    let credentials = credentials::extract(headers, query);
    for presented in credentials.iter() {
        let one = match snapshot.authenticate(presented, now) {
            Ok(caller) => Ok(caller),
            Err(Denied::UnknownKey) => continue,
            Err(
                denied @ (Denied::KeyDisabled
                | Denied::KeyExpired
                | Denied::UserDisabled
                | Denied::UserExpired),
            ) => Err(Unauthenticated {
                error: denied.into(),
                key: snapshot.identify(presented, now).cloned(),
                why: Why::NotLetIn,
            }),
        };
        match &found {
            Some(other) if key_of(other) != key_of(&one) => return Err(two_keys()),
            Some(_) => {}
            None => found = Some(one),
        }
    }
    found.unwrap_or_else(|| {
        Err(Unauthenticated {
            error: Denied::UnknownKey.into(),
            key: None,
            why: match credentials.is_empty() {
                true => Why::NothingPresented,
                false => Why::Unknown,
            },
        })
    })
}

/// A key that was found by a former relay's hash is from now on known by its own.
pub(super) fn report_upgrade(proxy: &Proxy, caller: &Caller) {
    if let Some(hash) = caller.upgrade {
        proxy.app.reports.key_upgrade(KeyUpgrade {
            key_id: caller.key.id,
            key_version: caller.key.version,
            hash,
        });
    }
}

fn key_of(found: &Result<Caller, Unauthenticated>) -> Option<penstock_core::id::KeyId> {
    match found {
        Ok(caller) => Some(caller.key.id),
        Err(refused) => refused.key.as_ref().map(|key| key.id),
    }
}

fn two_keys() -> Unauthenticated {
    let message = "The request presents two different API keys: send one.";
    Unauthenticated {
        error: CallerError::new(Code::AuthenticationFailed, message),
        key: None,
        why: Why::TwoKeys,
    }
}
