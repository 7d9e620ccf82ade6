//! Why a call went where it went: who could have served it, who was asked, and where its time went.
//!
//! Plain data, made by the data plane and kept beside the [`super::UsageRecord`]. It is bounded: of very many providers
//! or attempts the first are kept. It holds no text of a caller or a provider but the provider's id of the call.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::failure::Class;
use crate::id::ProviderId;
use crate::route::Verdict;
use crate::session::SessionSource;

/// More providers than this are not kept.
pub const MAX_CANDIDATES: usize = 50;
/// More attempts than this are not kept.
pub const MAX_ATTEMPTS: usize = 20;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// How the session was known. None: it belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_source: Option<SessionSource>,
    /// None: there was nothing to stick to, or nobody answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// In the order in which they are looked at. Empty: the call was refused before a provider was chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    #[serde(default)]
    pub phases: Phases,
}

/// What became of a session's binding to its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Affinity {
    /// It was not bound, and is now.
    New,
    /// Served where it was before.
    Hit,
    /// Served elsewhere than before.
    Moved,
}

/// A provider, as it was looked at for the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub provider_id: ProviderId,
    /// At the first choice, or when it was passed over later.
    pub verdict: Verdict,
    /// When nobody was left to ask, if it was another one then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_end: Option<Verdict>,
}

/// One request to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub provider_id: ProviderId,
    /// The substitute that was asked for in place of the caller's model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute: Option<Arc<str>>,
    /// Since the request arrived.
    pub began_ms: u32,
    /// Until the answer's first content, or its failure.
    pub took_ms: u32,
    pub end: AttemptEnd,
    /// Of a failure: what it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Of a failure: the row of the table of upstream errors, or the operator's rule, that said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Arc<str>>,
    /// The provider's own id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<Arc<str>>,
}

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// An answer came, with this status.
    Answered(u16),
    /// No connection.
    Connect,
    /// A timeout before an answer.
    Timeout,
    /// The connection broke, or what came was no answer.
    Broken,
    /// The caller went away first.
    Abandoned,
}

/// When each phase of a call was over, in microseconds since the request arrived. None: it was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// The caller's body had been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_us: Option<u64>,
    /// Its limits were taken, and its session was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_us: Option<u64>,
    /// The first attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routed_us: Option<u64>,
    /// The answer began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_us: Option<u64>,
    /// The call was over.
    pub total_us: u64,
    /// A duration: how much of the time until the answer began was neither the caller's nor a provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overhead_us: Option<u64>,
}

impl Affinity {
    /// As metrics and receipts name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Hit => "hit",
            Self::Moved => "moved",
        }
    }
}

impl AttemptEnd {
    /// The status of an answer; what came in its place otherwise.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Abandoned => "abandoned",
        }
    }

    pub fn status(self) -> Option<u16> {
        match self {
            Self::Answered(status) => Some(status),
            Self::Connect | Self::Timeout | Self::Broken | Self::Abandoned => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::SetAside;
    use crate::limits::Dimension;
    use crate::time::UnixMs;

    #[test]
    fn a_decision_reads_back_from_json() {
        let id = ProviderId::from_parts(1, &[1; 10]);
        let candidate = |verdict| Candidate {
            provider_id: id,
            verdict,
            at_end: None,
        };
        let aside = Verdict::SetAside(SetAside::Billing, Some(UnixMs(5)));
        let decision = Decision {
            session_source: Some(SessionSource::Digest),
            affinity: Some(Affinity::Moved),
            candidates: vec![
                candidate(Verdict::Candidate),
                candidate(Verdict::Full(Dimension::Rpm)),
                Candidate {
                    at_end: Some(Verdict::BreakerOpen(None)),
                    ..candidate(aside)
                },
            ],
            attempts: vec![Attempt {
                provider_id: id,
                substitute: None,
                began_ms: 1,
                took_ms: 2,
                end: AttemptEnd::Answered(529),
                class: Some(Class::Overloaded),
                rule: Some("29".into()),
                upstream_request_id: Some("req_1".into()),
            }],
            phases: Phases {
                body_us: Some(1),
                total_us: 9,
                ..Phases::default()
            },
        };
        let text = serde_json::to_string(&decision).unwrap();
        assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), decision);
    }

    #[test]
    fn what_an_older_release_did_not_write_is_absent() {
        let decision: Decision = serde_json::from_str("{}").unwrap();
        assert_eq!(decision, Decision::default());
    }
}
