//! What operators do: a new generation, written before it is in force.

use std::sync::Arc;

use penstock_core::health::State;
use penstock_core::id::ProviderId;
use penstock_store::{Error, FleetAction, FleetPut, FleetState};

use super::follow::refresh;
use crate::clock;
use crate::context::Context;

/// Replicas and nodes' reports may be first so often.
const ATTEMPTS: usize = 10;

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Done {
        before: Arc<State>,
        after: Arc<State>,
    },
    NoProvider,
    /// Others keep being first.
    Busy,
}

/// Makes the next state from what is known, keeps it, and tells all.
pub(crate) async fn act(
    context: &Context,
    provider: ProviderId,
    action: &FleetAction,
    next: impl Fn(&State) -> State,
) -> Result<Act, Error> {
    let states = &context.fleet_states;
    for _ in 0..ATTEMPTS {
        refresh(context).await?;
        let before = states.get(provider);
        let row = FleetState {
            provider,
            version: states.rows().get(&provider).copied().unwrap_or(0),
            state: next(&before),
        };
        match context
            .store
            .put_fleet_state(&row, Some(action), clock::now())
            .await?
        {
            FleetPut::Overtaken => {}
            FleetPut::NoProvider => return Ok(Act::NoProvider),
            FleetPut::Written(version) => {
                let row = FleetState { version, ..row };
                states.stored(&row);
                let after = Arc::new(row.state);
                return Ok(Act::Done { before, after });
            }
        }
    }
    Ok(Act::Busy)
}
