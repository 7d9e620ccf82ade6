//! What operators say of a webhook, checked.

use http::Uri;
use penstock_core::alert::{Preset, Rule};
use penstock_core::invalid::Invalid;
use penstock_core::name;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;
use penstock_store::Webhook;
use tonic::Status;

use crate::admin::status;
use crate::tokens::{Purpose, check_address};

pub(super) fn name(name: &str) -> Result<String, Status> {
    name::check("name", name).map_err(|error| status::invalid(&error))?;
    Ok(name.to_owned())
}

/// The URL, and what of it may be shown.
pub(super) fn url(url: &str, trusted: &[String]) -> Result<(Secret, String), Status> {
    let checked = check_address("url", url, Purpose::Webhook, trusted);
    let (uri, _) = checked.map_err(|error| status::invalid(&error))?;
    Ok((Secret::new(url), shown(&uri)))
}

pub(super) fn apply(spec: wire::WebhookSpec, webhook: &mut Webhook) -> Result<(), Status> {
    let preset = Preset::from_word(&spec.preset).ok_or_else(|| {
        let known = Preset::ALL.map(Preset::as_str).join(", ");
        status::invalid(&Invalid::new("spec.preset", format!("is none of {known}")))
    })?;
    let rules = spec.rules.iter().enumerate().map(|(i, word)| {
        Rule::from_word(word).ok_or_else(|| {
            let known = Rule::ALL.map(Rule::as_str).join(", ");
            status::invalid(&Invalid::new(
                format!("spec.rules[{i}]"),
                format!("is none of {known}"),
            ))
        })
    });
    webhook.rules = rules.collect::<Result<_, _>>()?;
    (webhook.preset, webhook.enabled) = (preset, spec.enabled);
    Ok(())
}

/// Scheme and host.
fn shown(url: &Uri) -> String {
    let scheme = url.scheme_str().unwrap_or("https");
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    format!("{scheme}://{authority}")
}
