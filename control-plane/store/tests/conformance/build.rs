//! Builders of what the tests put into the store.

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::key::Key;
use penstock_core::limits::Limits;
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::price::{Price, Rate, ServiceTier, TokenClass};
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, TokenUsage, UsageRecord};
use penstock_core::user::User;
use penstock_store::{Commit, CredentialChange, Delivered, Expect, NewSpec, Op, Put, Sealed};
use uuid::Uuid;

/// 2025-11-21.
pub(crate) const NOW: UnixMs = UnixMs(1_763_700_000_000);

pub(crate) fn commit() -> Commit {
    Commit::new("ann", "because", NOW)
}

pub(crate) fn user_id(n: u8) -> UserId {
    UserId::from_parts(1, &[n; 10])
}

pub(crate) fn key_id(n: u8) -> KeyId {
    KeyId::from_parts(2, &[n; 10])
}

pub(crate) fn provider_id(n: u8) -> ProviderId {
    ProviderId::from_parts(3, &[n; 10])
}

pub(crate) fn user_ref(n: u8) -> ResourceRef {
    ResourceRef::User(user_id(n))
}

pub(crate) fn key_ref(n: u8) -> ResourceRef {
    ResourceRef::Key(key_id(n))
}

pub(crate) fn provider_ref(n: u8) -> ResourceRef {
    ResourceRef::Provider(provider_id(n))
}

pub(crate) fn user(name: &str) -> User {
    User {
        limits: Limits::none(),
        name: name.to_owned(),
        access: Access::default(),
    }
}

pub(crate) fn put_user(n: u8, name: &str) -> Put {
    Put::new(user_ref(n), NewSpec::User(user(name)))
}

/// A key whose hash is that of its name.
pub(crate) fn key(owner: u8, name: &str) -> Key {
    Key {
        limits: Limits::none(),
        name: name.to_owned(),
        user_id: user_id(owner),
        access: Access::default(),
        hint: "psk_abcd****wxyz".to_owned(),
        hash: KeyHash::of(name),
        import_suffix: None,
        previous: None,
    }
}

pub(crate) fn put_key(n: u8, key: Key) -> Put {
    Put::new(key_ref(n), NewSpec::Key(Box::new(key)))
}

pub(crate) fn provider(name: &str) -> Provider {
    Provider {
        groups: vec!["fast".to_owned()],
        priority: 1,
        weight: 10,
        cost_multiplier: Millionths(1_250_000),
        ..Provider::new(name, ProviderKind::Anthropic, "https://api.anthropic.com")
    }
}

pub(crate) fn put_provider(n: u8, name: &str, credential: CredentialChange) -> Put {
    let spec = NewSpec::Provider {
        provider: Box::new(provider(name)),
        // What is written over a damaged row keeps neither secret.
        proxy_password: match credential {
            CredentialChange::Keep => CredentialChange::Keep,
            CredentialChange::Set(_) | CredentialChange::Clear => CredentialChange::Clear,
        },
        credential,
    };
    Put::new(provider_ref(n), spec)
}

pub(crate) fn sealed(text: &str) -> Sealed {
    Sealed {
        key_id: "k1".to_owned(),
        ciphertext: text.as_bytes().to_vec(),
        hint: "sk-a****".to_owned(),
    }
}

pub(crate) fn put_price(name: &str, pico_usd: u64) -> Put {
    let rate = |class| Rate {
        class,
        tier: ServiceTier::Standard,
        above_tokens: 0,
        pico_usd: penstock_core::money::PicoUsd(pico_usd),
    };
    let price = Price::of_rates(
        "anthropic",
        vec![rate(TokenClass::Input), rate(TokenClass::Output)],
    );
    Put::new(ResourceRef::Price(name.into()), NewSpec::Price(Box::new(price)))
}

pub(crate) fn put_setting(setting: Setting) -> Put {
    Put::new(
        ResourceRef::Setting(setting.name().into()),
        NewSpec::Setting(setting),
    )
}

pub(crate) fn suffix_ref(name: &str) -> ResourceRef {
    ResourceRef::ImportSuffix(name.into())
}

pub(crate) fn put_suffix(name: &str, text: &str) -> Put {
    Put::new(suffix_ref(name), NewSpec::ImportSuffix(sealed(text)))
}

pub(crate) fn delete(reference: ResourceRef) -> Op {
    Op::delete(reference, Expect::Any)
}

/// An answered call of user 1 with key 1 at provider 1; `n` makes it unlike others.
pub(crate) fn record(n: u64) -> UsageRecord {
    let at = u64::try_from(NOW.0).unwrap() + n;
    UsageRecord {
        admitted_at: None,
        id: RequestId(Uuid::from_u128(
            u128::from(at) << 80 | 0x7000 << 64 | 0x8000 << 48 | u128::from(n),
        )),
        started_at: UnixMs(NOW.0 + i64::try_from(n).unwrap()),
        user_id: user_id(1),
        key_id: key_id(1),
        provider_id: Some(provider_id(1)),
        dialect: "anthropic".to_owned(),
        model: "claude-opus-4-8".to_owned(),
        model_served: "claude-opus-4-8".to_owned(),
        stream: true,
        status: 200,
        outcome: Outcome::Succeeded,
        code: None,
        tokens: TokenUsage {
            input: 10 + n,
            output: 20,
            cache_read: 1,
            cache_write: 2,
            cache_write_1h: 3,
            cache_write_12h: 4,
            reasoning: 5,
            audio_input: 7,
            image_input: 1,
            audio_output: 8,
            image_output: 9,
            web_searches: 6,
            tier: ServiceTier::Priority,
            factors: vec!["us".to_owned()],
        },
        estimated: false,
        cost: NanoUsd(1_000 + i64::try_from(n).unwrap()),
        price: Some(("claude-opus-4-8".to_owned(), 3)),
        cost_multiplier: Millionths::ONE,
        duration_ms: 1_500,
        first_byte_ms: Some(300),
        attempts: 1,
        session: Some("5e55".to_owned()),
        revision: 7,
        node_id: "node-1".to_owned(),
        upstream_request_id: Some("req_1".to_owned()),
        unpriced: None,
        decision: None,
    }
}

/// The test's one spool is delivered up to here.
pub(crate) fn delivered(through: u64) -> Delivered {
    Delivered {
        spool: Uuid::from_u128(7),
        through,
        at: NOW,
    }
}
