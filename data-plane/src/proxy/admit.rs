//! Whether a call may go on: access to the model, room for its record, its limits.
//!
//! What is taken here is given back or settled when the call ends, whatever ends it; [`Admission`] carries it. Calls of
//! keys without limits, whose users have none either, take nothing and ask nobody.
//!
//! Counting tokens and listing models take nothing from limits; a coding agent counts two dozen times at once. They
//! have a limit of their own, [`FREE_CALLS`] a minute for each key.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use penstock_core::error::{CallerError, Code};
use penstock_core::money::NanoUsd;
use penstock_core::snapshot::Caller;
use penstock_fleet::account::Account;
use penstock_fleet::{Denied, Grant, Wish};

use super::call::Call;
use super::error::Refusal;
use super::permit;
use super::reserve::{Reserve, Watched};
use crate::limits;
use crate::telemetry::metrics::InFlight;

/// Calls a minute that cost nothing, for each key.
pub(super) const FREE_CALLS: u64 = 600;

/// A call that was let in.
#[derive(Debug)]
#[must_use = "settle it when the call ends"]
pub(super) struct Admission {
    /// Counts the call as under way until this is dropped.
    _in_flight: InFlight,
    /// What it holds of its key's and user's limits.
    pub(super) grant: Option<Grant>,
    pub(super) watched: Option<Watched>,
}

/// Lets a call with this body in, or says why not.
pub(super) async fn admit(call: &Call, caller: &Caller, body: &Bytes) -> Result<Admission, Refusal> {
    permit::model(call, caller)?;
    let app = &call.proxy.app;
    app.spool
        .admit()
        .map_err(|error| Refusal::overloaded(&error.to_string()))?;
    let mut admission = Admission {
        _in_flight: app.metrics.in_flight(),
        grant: None,
        watched: None,
    };
    if !call.endpoint.is_metered() {
        free_call(call).await?;
        return Ok(admission);
    }
    if caller.key.key.limits.is_unlimited() && caller.user.user.limits.is_unlimited() {
        return Ok(admission);
    }
    let reserve = Reserve::of(call, caller, body)?;
    let wish = Wish {
        account: Account::User(caller.user.id),
        request: call.arrival.id,
        epoch: limits::epoch(&call.snapshot),
        claims: limits::claims(&caller.key, &caller.user, reserve.key, reserve.user),
        session: call.asked.session,
        policy: app.limits_policy(&call.snapshot),
    };
    let granted = app.fleet.admit(wish).await;
    admission.grant = Some(granted.map_err(|denied| refused(call, denied))?);
    admission.watched = reserve.watched;
    Ok(admission)
}

/// Counts a call that takes nothing.
pub(super) async fn free_call(call: &Call) -> Result<(), Refusal> {
    let app = &call.proxy.app;
    if !app.limits_policy(&call.snapshot).enforce {
        return Ok(());
    }
    let Some(wait) = app.fleet.count(call.key.id, FREE_CALLS).await else {
        return Ok(());
    };
    let message = format!(
        "Rate limit exceeded: more than {FREE_CALLS} calls a minute that count tokens, list models or ask for limits; try again in {wait} s."
    );
    Err(CallerError::new(Code::RateLimitExceeded, message)
        .retry_after(wait)
        .into())
}

fn refused(call: &Call, denied: Denied) -> Refusal {
    match denied {
        Denied::Exceeded(exceeded) => {
            call.proxy.app.metrics.limit_refused(&exceeded);
            Refusal::from(exceeded)
        }
        Denied::Unavailable => {
            Refusal::limits_unavailable("Redis is away, and the setting `limits` says closed")
        }
        Denied::Unknown => {
            let message =
                "Quota exceeded: what was spent of this strict budget is not known yet; try again in 1 s.";
            let error = CallerError::new(Code::QuotaExceeded, message).retry_after(1);
            Refusal::from(error).because("the counters are away and the ledger did not answer in time")
        }
    }
}

impl Call {
    /// Holds so much more of the strict budgets that let this call in. False: there is no room.
    pub(super) fn hold(&self, more: NanoUsd) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        let grant = self
            .admission
            .as_ref()
            .and_then(|admission| admission.grant.clone());
        let Some(grant) = grant else {
            return Box::pin(std::future::ready(true));
        };
        let fleet = Arc::clone(&self.proxy.app.fleet);
        let more = u64::try_from(more.0).unwrap_or(0);
        Box::pin(async move { fleet.top_up(&grant, more).await })
    }
}
