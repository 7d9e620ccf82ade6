//! Who names a provider: filters, error rules and prices do it by its name, not by its id.
//!
//! A name that nobody bears is refused where it is written, since nothing would come of it and nothing would say so. A
//! provider stays, under its name, as long as something names it, for the same reason.

use penstock_core::invalid::Invalid;
use penstock_core::price::PriceSource;
use penstock_store::{Filter, Lookup, Page, Store, Stored, StoredSpec};
use tonic::Status;

use crate::admin::status;

/// Of those that are listed in a refusal.
const MAX_LISTED: usize = 10;

/// Refuses the name of a provider that does not exist.
pub(in crate::admin) async fn check(
    store: &dyn Store,
    field: &str,
    name: Option<&str>,
) -> Result<(), Status> {
    let Some(name) = name else { return Ok(()) };
    let found = store.find(Lookup::Provider { name }).await;
    match found.map_err(status::from_store)?.is_empty() {
        false => Ok(()),
        true => {
            let problem = format!("{name:?} is no provider's name");
            Err(status::invalid(&Invalid::new(field, problem)))
        }
    }
}

/// Refuses what takes a provider's name away while something names the provider by it. `change`: `renamed`, `deleted`.
pub(super) async fn unnamed(store: &dyn Store, name: &str, change: &str) -> Result<(), Status> {
    let mut naming = Vec::new();
    let prices = Filter::Prices {
        contains: Some(format!("{name}/")),
        source: Some(PriceSource::Manual),
    };
    for filter in [Filter::RequestFilters, Filter::ErrorRules, prices] {
        let mut page = Page::first(Page::MAX);
        loop {
            let listed = store.list(&filter, &page).await.map_err(status::from_store)?;
            let labels = listed.resources.iter().filter_map(|stored| label(stored, name));
            naming.extend(labels);
            match listed.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
    }
    if naming.is_empty() {
        return Ok(());
    }
    let more = naming.len().saturating_sub(MAX_LISTED);
    naming.truncate(MAX_LISTED);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Status::failed_precondition(format!(
        "provider {name:?} cannot be {change} while it is named by {}{more}: delete these, or make them for another name, first",
        naming.join(", ")
    )))
}

fn label(stored: &Stored, name: &str) -> Option<String> {
    let names = match &stored.spec {
        StoredSpec::RequestFilter(filter) => filter.provider.as_deref() == Some(name),
        StoredSpec::ErrorRule(rule) => rule.provider.as_deref() == Some(name),
        StoredSpec::Price(_) => {
            let price = stored.reference.id();
            price.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
        }
        StoredSpec::Provider(_)
        | StoredSpec::User(_)
        | StoredSpec::Key(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ImportSuffix(_)
        | StoredSpec::WordRule(_) => false,
    };
    let kind = stored.reference.kind().as_str().replace('_', " ");
    names.then(|| format!("{kind} {:?}", stored.reference.id()))
}
