//! The configuration as manifests. No secrets, and nothing that operators do not write: ids, versions, resets, first uses,
//! and what is debugged or drained just now.

use std::collections::BTreeSet;

use penstock_core::access::Access;
use penstock_core::price::PriceSource;
use penstock_core::resource::Kind;
use penstock_core::setting::Setting;
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::Manifest;
use penstock_proto::admin::v1::manifest::Spec;
use penstock_proto::config::v1::KeySpec;
use penstock_proto::convert;
use penstock_proto::convert::enums::kind_from_wire;
use penstock_store::{Stored, StoredSpec};
use tonic::Status;

use super::credential;
use super::present::Present;
use crate::admin::{activation, resets, status};
use crate::context::Context;

/// As they are written: owners before what they own, settings last.
const ORDER: [Kind; 8] = [
    Kind::User,
    Kind::Key,
    Kind::Provider,
    Kind::Price,
    Kind::ErrorRule,
    Kind::WordRule,
    Kind::RequestFilter,
    Kind::Setting,
];

pub(super) fn run(
    context: &Context,
    present: &Present,
    request: &wire::ExportManifestsRequest,
) -> Result<wire::ExportManifestsResponse, Status> {
    let read = |(i, kind)| kind_from_wire(&format!("kinds[{i}]"), kind);
    let asked = request.kinds.iter().copied().enumerate().map(read);
    let asked: BTreeSet<Kind> = asked.collect::<Result<_, _>>().map_err(|e| status::invalid(&e))?;
    let is_asked = |kind: &Kind| asked.is_empty() || asked.contains(kind);
    let mut manifests = Vec::new();
    for kind in ORDER.into_iter().filter(is_asked) {
        let all = present.of_kind(kind);
        manifests
            .extend(all.filter_map(|(name, stored)| manifest(context, name, stored, request.all_prices)));
    }
    let unreadable = present
        .unreadable
        .iter()
        .filter(|row| is_asked(&row.reference.kind()));
    Ok(wire::ExportManifestsResponse {
        manifests,
        revision: present.head,
        warnings: unreadable
            .map(|row| {
                format!(
                    "{} is left out: it cannot be read: {}",
                    row.reference, row.problem
                )
            })
            .collect(),
    })
}

fn manifest(context: &Context, name: &str, stored: &Stored, all_prices: bool) -> Option<Manifest> {
    let (mut name, spec) = (name.to_owned(), &stored.spec);
    let spec = match spec {
        StoredSpec::Provider(known) => {
            let mut provider = known.provider.clone();
            provider.limits = resets::none(&provider.limits);
            let credential = credential::present(context, &stored.reference, known);
            Spec::Provider(Box::new(wire::ProviderManifest {
                spec: Some(convert::provider_to_wire(&provider)),
                credential: credential.and_then(credential::shown),
                proxy_password: None,
            }))
        }
        StoredSpec::User(user) => Spec::User(Box::new(convert::user_to_wire(&User {
            access: unused(&user.access),
            limits: resets::none(&user.limits),
            ..user.clone()
        }))),
        StoredSpec::Key(key) => {
            let mut shown = (**key).clone();
            shown.access = unused(&key.access);
            shown.limits = resets::none(&key.limits);
            let (user, key) = name.split_once('/')?;
            let manifest = wire::KeyManifest {
                spec: Some(KeySpec {
                    user_id: String::new(),
                    hint: String::new(),
                    ..convert::key_spec_to_wire(&shown)
                }),
                user: user.to_owned(),
                ..wire::KeyManifest::default()
            };
            name = key.to_owned();
            Spec::Key(Box::new(manifest))
        }
        StoredSpec::Price(price) if all_prices || price.source == PriceSource::Manual => {
            Spec::Price(convert::price_to_wire(price))
        }
        StoredSpec::Price(_) | StoredSpec::ImportSuffix(_) => return None,
        StoredSpec::Setting(setting) if Setting::is_run_time(setting.name()) => return None,
        StoredSpec::Setting(setting) => Spec::Setting(convert::setting_to_wire(setting)),
        StoredSpec::ErrorRule(rule) => Spec::ErrorRule(convert::error_rule_to_wire(rule)),
        StoredSpec::WordRule(rule) => Spec::WordRule(convert::word_rule_to_wire(rule)),
        StoredSpec::RequestFilter(filter) => Spec::RequestFilter(convert::request_filter_to_wire(filter)),
    };
    Some(Manifest {
        name,
        spec: Some(spec),
    })
}

/// The first use belongs to what happened.
fn unused(access: &Access) -> Access {
    activation::none(access.clone())
}
