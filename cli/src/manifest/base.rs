//! What a resource is when nothing is said of it: the same defaults as those of `penstock … create`.

use std::sync::Arc;

use penstock_core::access::Access;
use penstock_core::limits::Limits;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::resource::Kind;
use penstock_core::setting::Setting;
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, Value};

const PRIORITY: u32 = 100;

/// A new resource's spec. Of a setting, that of its name.
pub(super) fn of_kind(kind: Kind, name: &str) -> Option<DynamicMessage> {
    let of = super::spec_of(kind)?;
    match kind {
        Kind::Provider => filled(of, &provider()),
        Kind::User => filled(of, &user()),
        Kind::Key => filled(of, &key()),
        Kind::Setting => {
            let defaults = Setting::defaults();
            let found = defaults.iter().find(|setting| setting.name() == name);
            filled(of, &convert::setting_to_wire(found?))
        }
        Kind::ErrorRule => filled(
            of,
            &config::ErrorRule {
                enabled: true,
                priority: PRIORITY,
                ..config::ErrorRule::default()
            },
        ),
        Kind::WordRule => filled(
            of,
            &config::WordRule {
                enabled: true,
                matching: config::WordMatching::Contains.into(),
                ..config::WordRule::default()
            },
        ),
        Kind::RequestFilter => filled(
            of,
            &config::RequestFilter {
                enabled: true,
                priority: PRIORITY,
                ..config::RequestFilter::default()
            },
        ),
        Kind::Price | Kind::ImportSuffix => Some(DynamicMessage::new(of)),
    }
}

/// A message inside a spec when nothing is said of it.
pub(super) fn of_message(of: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    let first = |name: &str| (name.to_owned(), Value::EnumNumber(1));
    let default = match of.full_name() {
        "penstock.config.v1.ErrorPattern" => Some(first("field")),
        "penstock.config.v1.Rate" => Some(first("tier")),
        _ => None,
    };
    if let Some((field, value)) = default {
        message.set_field_by_name(&field, value);
    }
    message
}

fn filled(of: MessageDescriptor, wire: &impl Message) -> Option<DynamicMessage> {
    let mut message = DynamicMessage::new(of);
    message.transcode_from(wire).ok()?;
    Some(message)
}

fn provider() -> wire::ProviderManifest {
    let spec = convert::provider_to_wire(&Provider::new("", ProviderKind::Anthropic, ""));
    wire::ProviderManifest {
        spec: Some(config::ProviderSpec {
            kind: config::ProviderKind::Unspecified.into(),
            base_urls: Vec::new(),
            ..spec
        }),
        ..wire::ProviderManifest::default()
    }
}

fn user() -> config::User {
    convert::user_to_wire(&User {
        name: String::new(),
        access: Access::default(),
        limits: Arc::default(),
    })
}

fn key() -> wire::KeyManifest {
    debug_assert!(Limits::none() == Arc::default());
    wire::KeyManifest {
        spec: Some(config::KeySpec {
            access: user().access,
            ..config::KeySpec::default()
        }),
        ..wire::KeyManifest::default()
    }
}
