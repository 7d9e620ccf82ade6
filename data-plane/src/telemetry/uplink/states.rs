//! Reports on providers' states: each as it is in the moment in which it is sent.

use penstock_proto::convert::provider_state_to_wire;
use penstock_proto::telemetry::v1::report_request::Message;

use crate::app::App;

/// A new stream: whatever became of reports on the last one, the fleet is told all that this node knows.
pub(super) fn say_all(app: &App) {
    let states = app.health.states();
    app.health.outbox().add(states.keys().copied());
}

/// What is to be reported now.
pub(super) fn reports(app: &App) -> Vec<Message> {
    let states = app.health.states();
    let waiting = app.health.outbox().take().into_iter();
    let report = |provider| {
        let state = states.get(&provider)?;
        Some(Message::ProviderState(provider_state_to_wire(provider, state)))
    };
    waiting.filter_map(report).collect()
}
