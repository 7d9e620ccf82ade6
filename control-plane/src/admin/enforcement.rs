//! How limits are enforced as a whole: the setting `limits`, from the store or, without one, from the index.

use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::{LimitsPolicy, Setting};
use penstock_store::StoredSpec;

use crate::context::Context;

/// The setting as operators last left it. A row that cannot be read is answered for by what data planes go on with.
pub(super) async fn stored(context: &Context) -> LimitsPolicy {
    match context.store.get(&reference()).await {
        Ok(Some(stored)) => match stored.spec {
            StoredSpec::Setting(Setting::Limits(policy)) => policy,
            StoredSpec::Setting(_)
            | StoredSpec::Provider(_)
            | StoredSpec::User(_)
            | StoredSpec::Key(_)
            | StoredSpec::Price(_)
            | StoredSpec::ImportSuffix(_)
            | StoredSpec::ErrorRule(_)
            | StoredSpec::WordRule(_)
            | StoredSpec::RequestFilter(_) => indexed(context),
        },
        Ok(None) => LimitsPolicy::default(),
        Err(_) => indexed(context),
    }
}

/// The setting as data planes were told.
pub(super) fn indexed(context: &Context) -> LimitsPolicy {
    match context
        .index
        .get(&reference())
        .as_deref()
        .map(|known| &known.spec)
    {
        Some(Spec::Setting(Setting::Limits(policy))) => *policy,
        Some(_) | None => LimitsPolicy::default(),
    }
}

fn reference() -> ResourceRef {
    let default = Setting::Limits(LimitsPolicy::default());
    ResourceRef::Setting(default.name().into())
}
