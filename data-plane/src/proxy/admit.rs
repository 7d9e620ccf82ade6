//! Whether a call may go on: access to the model, and room for its record.
//!
//! What is taken here (later: reservations against limits) is given back or settled when the call ends, whatever ends
//! it; [`Admission`] carries it.

use penstock_core::error::Code;
use penstock_core::snapshot::Caller;

use super::Proxy;
use super::error::Refusal;
use super::settle::Bill;
use crate::telemetry::metrics::InFlight;

/// A call that was let in. Dropping it gives back what was taken, as if nothing had been used.
#[derive(Debug)]
#[must_use = "settle it when the call ends"]
pub(super) struct Admission {
    in_flight: InFlight,
}

/// Lets a call for `model` in, or says why not.
pub(super) fn admit(proxy: &Proxy, caller: &Caller, model: &str) -> Result<Admission, Refusal> {
    let allowed = caller.key.key.access.allows_model(model) && caller.user.user.access.allows_model(model);
    if !allowed {
        let message = format!("Model {model} is not allowed for this API key.");
        return Err(Refusal::new(Code::ModelNotAllowed, message));
    }
    let app = &proxy.app;
    app.spool
        .admit()
        .map_err(|error| Refusal::overloaded(&error.to_string()))?;
    Ok(Admission {
        in_flight: app.metrics.in_flight(),
    })
}

impl Admission {
    /// The call has ended and used this.
    pub(super) fn settle(self, bill: &Bill) {
        tracing::trace!(cost = %bill.cost, "a call is settled");
        drop(self.in_flight);
    }
}
