//! The setting `logging`, in force in this process too.

use std::sync::Arc;

use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::{LoggingPolicy, Setting};
use tokio_util::sync::CancellationToken;

use crate::index::Index;

/// Follows the configuration until told to stop.
pub(crate) async fn follow(index: Arc<Index>, stop: CancellationToken) {
    let mut heads = index.watch();
    loop {
        heads.mark_unchanged();
        let policy = current(&index);
        penstock_log::set_filter(|own| policy.filter(own));
        tokio::select! {
            () = stop.cancelled() => return,
            changed = heads.changed() => if changed.is_err() { return },
        }
    }
}

fn current(index: &Index) -> LoggingPolicy {
    let setting = Setting::Logging(LoggingPolicy::default());
    let stored = index.get(&ResourceRef::Setting(setting.name().into()));
    match stored.map(|resource| resource.spec.clone()) {
        Some(Spec::Setting(Setting::Logging(policy))) => policy,
        Some(_) | None => LoggingPolicy::default(),
    }
}
