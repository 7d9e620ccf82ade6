//! The ledger's record of a call, without its decision.

use std::time::Duration;

use penstock_core::money::Millionths;
use penstock_core::usage::{Outcome, UsageRecord};

use super::call::Call;
use super::settle::{Bill, End};
use crate::clock::whole_ms;
use crate::telemetry::spool::OpenEntry;

/// The record of a call that has ended after so long.
pub(super) fn of(call: &Call, end: &End<'_>, bill: &Bill, elapsed: Duration) -> UsageRecord {
    let chosen = call.chosen.as_ref();
    let charged = chosen.filter(|_| !bill.used.is_empty());
    UsageRecord {
        admitted_at: call
            .admission
            .as_ref()
            .and_then(|admission| Some(admission.grant.as_ref()?.admitted_at())),
        id: call.arrival.id,
        started_at: call.arrival.at,
        user_id: call.key.key.user_id,
        key_id: call.key.id,
        provider_id: chosen.map(|chosen| chosen.provider.id),
        dialect: call.dialect.as_str().to_owned(),
        model: call.asked.model.clone(),
        model_served: chosen.map_or_else(String::new, |chosen| chosen.model_sent(call).to_owned()),
        stream: call.asked.stream,
        status: end.status,
        outcome: end.outcome,
        code: end.code.map(|code| code.entry().text.to_owned()),
        tokens: bill.used.clone(),
        estimated: bill.estimated,
        cost: bill.cost,
        price: charged.and_then(|chosen| chosen.tariff.price()),
        cost_multiplier: chosen.map_or(Millionths::ONE, |chosen| chosen.provider.provider.cost_multiplier),
        duration_ms: whole_ms(elapsed),
        first_byte_ms: call.first_byte.map(whole_ms),
        attempts: u32::try_from(call.attempts.len()).unwrap_or(u32::MAX),
        session: call.asked.session.map(|session| session.to_string()),
        revision: call.snapshot.revision(),
        node_id: call.proxy.app.node_id.to_string(),
        upstream_request_id: call.upstream_request_id.clone(),
        unpriced: charged.and_then(|chosen| chosen.tariff.unpriced()),
        decision: None,
    }
}

impl Call {
    /// The provider's answer begins: from now on a crash leaves an `interrupted` record with what is foreseen of its
    /// usage. Once for a call.
    pub(super) fn open_entry(&mut self) {
        if self.opened.is_some() || !self.endpoint.is_metered() {
            return;
        }
        let end = End {
            outcome: Outcome::Interrupted,
            status: 200,
            code: None,
            error: None,
        };
        let entry = of(self, &end, &self.foreseen(), self.stopwatch.elapsed());
        // Without it a crash would lose this call's record; the spool has said that it cannot write.
        self.opened = self.proxy.app.spool.open_entry(&OpenEntry(entry)).ok();
    }
}
