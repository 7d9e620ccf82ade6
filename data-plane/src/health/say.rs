//! What is said when a provider's state changes: a warning that names it, and a count.

use penstock_core::health::Change;
use penstock_core::id::ProviderId;

use super::Health;

impl Health {
    /// Not under a lock: a log may block.
    pub(super) fn say(&self, provider: ProviderId, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let snapshot = self.live.load();
        let entry = snapshot.provider(provider);
        for change in changes {
            say(provider, entry.map(|entry| entry.provider.name.as_str()), change);
            if let Some(entry) = entry {
                self.metrics.provider_changed(entry, change.what.as_str());
            }
        }
    }
}

fn say(provider: ProviderId, name: Option<&str>, change: &Change) {
    let id = provider.to_string();
    let name = name.unwrap_or(&id);
    let about = match &change.model {
        Some(model) => format!(" and model {model}"),
        None => String::new(),
    };
    let until = change.what.until().map(|until| until.to_string());
    tracing::warn!(
        provider_id = id,
        provider = name,
        model = change.model.as_deref(),
        state = change.what.as_str(),
        until,
        by = &*change.by,
        reason = &*change.why,
        "{} {name}{about}",
        change.what
    );
}
