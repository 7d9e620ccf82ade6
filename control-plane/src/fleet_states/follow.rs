//! Keeping memory and store alike.

use std::time::Duration;

use penstock_store::{Error, FleetPut};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::context::Context;

/// Beneath notifications. A lost one costs this much.
const POLL: Duration = Duration::from_secs(1);
/// How often a row may be overtaken before it waits for the next round.
const ATTEMPTS: usize = 5;

/// Follows until told to stop. That the store is away is said by the index.
pub(crate) async fn follow(context: Context, stop: CancellationToken) {
    let mut news = context.store.notifications();
    loop {
        let result = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            result = step(&context) => result,
        };
        let failed = result.inspect_err(|error| {
            tracing::debug!(%error, "providers' states are read and written later");
        });
        let unsaved = context.fleet_states.unsaved.notified();
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            // After a failure it is not tried again at once.
            () = unsaved, if failed.is_ok() => {}
            Ok(()) = news.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Reads what others wrote, then writes what they do not have.
async fn step(context: &Context) -> Result<(), Error> {
    refresh(context).await?;
    for _ in 0..ATTEMPTS {
        if save(context).await? {
            return Ok(());
        }
        refresh(context).await?;
    }
    Ok(())
}

/// What other replicas wrote.
pub(super) async fn refresh(context: &Context) -> Result<(), Error> {
    let states = &context.fleet_states;
    for row in context.store.fleet_states(&states.rows()).await? {
        states.stored(&row);
    }
    Ok(())
}

/// False: somebody else was first with one of them. One that cannot be written waits, and keeps no other one waiting.
async fn save(context: &Context) -> Result<bool, Error> {
    let (states, mut all) = (&context.fleet_states, true);
    for (row, change) in states.to_save() {
        match context.store.put_fleet_state(&row, None, clock::now()).await {
            Ok(FleetPut::Written(version)) => states.saved(row.provider, version, change),
            Ok(FleetPut::Overtaken) => all = false,
            Ok(FleetPut::NoProvider) => states.forget(row.provider),
            Err(error) => {
                // When the store is away this fails, too.
                refresh(context).await?;
                if states.refused(row.provider) {
                    tracing::warn!(
                        provider_id = %row.provider,
                        %error,
                        "a provider's state cannot be stored and would be lost with this replica; it is tried again"
                    );
                }
            }
        }
    }
    Ok(all)
}
