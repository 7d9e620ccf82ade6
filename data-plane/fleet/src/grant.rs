//! What a call asks of its limits, and what it gets.

use std::sync::Arc;

use penstock_core::id::{Epoch, RequestId};
use penstock_core::limits::{Exceeded, Limits};
use penstock_core::session::SessionId;
use penstock_core::setting::Degraded;
use penstock_core::time::UnixMs;

use crate::account::{Account, SubjectName};
use crate::counters::Adopt;

/// One subject's part in a call.
#[derive(Clone, Debug)]
pub struct Claim {
    pub name: SubjectName,
    pub limits: Arc<Limits>,
    /// Of the subject's resource.
    pub version: u64,
    /// What the call takes, or took: tokens, nano-USD.
    pub tokens: u64,
    pub money: u64,
}

/// A call that wants to be let in.
#[derive(Clone, Debug)]
pub struct Wish {
    pub account: Account,
    pub request: RequestId,
    /// Of the configuration.
    pub epoch: Epoch,
    /// The key before its user.
    pub claims: Vec<Claim>,
    pub session: Option<SessionId>,
    pub policy: Policy,
}

/// How limits are enforced now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// False: everything is counted and nothing refused.
    pub enforce: bool,
    pub degraded: Degraded,
    /// Data planes that share the limits, this one included.
    pub live_nodes: u32,
}

/// A call that was let in. What it holds is given back when it is settled.
#[derive(Clone, Debug)]
pub struct Grant {
    pub(crate) adopt: Arc<Adopt>,
    pub(crate) policy: Policy,
}

/// A call that was not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    Exceeded(Exceeded),
    /// Limits cannot be held now, and the operator wants no calls then.
    Unavailable,
    /// A strict budget of which nobody here knows what was spent. Try again in a second.
    Unknown,
}

impl Grant {
    /// The instant at which the call's cost is booked.
    pub fn admitted_at(&self) -> UnixMs {
        self.adopt.admitted_at
    }
}
