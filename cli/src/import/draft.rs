//! What an import would make, in an order in which it can be made, and what has no counterpart.

use std::collections::BTreeSet;

use penstock_core::api_key::KeyHash;
use penstock_core::error_rule::ErrorRule;
use penstock_core::key::Key;
use penstock_core::price::Price;
use penstock_core::provider::Provider;
use penstock_core::request_filter::RequestFilter;
use penstock_core::secret::Secret;
use penstock_core::user::User;
use penstock_core::word_rule::WordRule;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::create_key_request::Import;
use penstock_proto::admin::v1::import_item::Resource;
use penstock_proto::convert;

use super::record::Record;

/// See the module.
#[derive(Default)]
pub(crate) struct Draft {
    suffixes: Vec<wire::ImportItem>,
    users: Vec<wire::ImportItem>,
    keys: Vec<wire::ImportItem>,
    others: Vec<wire::ImportItem>,
    pub(crate) notes: Vec<Remark>,
    /// What is told already: a kind of name, and one there.
    renamed: BTreeSet<(&'static str, String)>,
}

/// What of a record is not taken over, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) source: String,
    pub(crate) note: String,
}

/// How a key's secret is known.
pub(crate) enum KeySecret {
    Plain(Secret),
    /// SHA-256 of the secret and the suffix of this name.
    Suffixed {
        sha256: Vec<u8>,
        suffix: String,
    },
}

/// A provider's secrets.
#[derive(Default)]
pub(crate) struct ProviderSecrets {
    pub(crate) credential: Option<wire::new_credential::Credential>,
    pub(crate) proxy_password: Option<Secret>,
}

impl Draft {
    pub(crate) fn note(&mut self, source: &str, note: impl Into<String>) {
        self.notes.push(Remark {
            source: source.to_owned(),
            note: note.into(),
        });
    }

    /// What is called otherwise here wherever it is met, said once: of `groups`, `tags`, `users`.
    pub(crate) fn note_name(&mut self, kind: &'static str, theirs: &str, ours: &str) {
        let theirs = theirs.trim();
        if theirs != ours && self.renamed.insert((kind, theirs.to_owned())) {
            self.note(kind, format!("{theirs:?} is called {ours} here"));
        }
    }

    /// Whether all that was asked of a record could be read. What could not is noted, and what the record becomes is to be
    /// disabled: a limit or an end that nobody knows is not none.
    pub(crate) fn is_readable(&mut self, record: &Record) -> bool {
        self.note_unreadable(record, "it is disabled here. Set that as it was, then enable it")
    }

    /// The same of what need not be disabled.
    pub(crate) fn note_unreadable(&mut self, record: &Record, so: &str) -> bool {
        let unreadable = record.unreadable();
        if !unreadable.is_empty() {
            let fields = unreadable.join(", ");
            self.note(
                &record.source,
                format!("cannot be read or is out of range: {fields}; {so}"),
            );
        }
        unreadable.is_empty()
    }

    /// The fields of a record that nothing was made of.
    pub(crate) fn note_left_over(&mut self, record: &Record, of_no_interest: &[&str]) {
        let left = record.left_over(of_no_interest);
        if !left.is_empty() {
            self.note(&record.source, format!("has no counterpart: {}", left.join(", ")));
        }
    }

    pub(crate) fn suffix(&mut self, source: &str, name: &str, secret: &Secret) {
        let request = wire::CreateImportSuffixRequest {
            name: name.to_owned(),
            // To be sealed there.
            secret: secret.expose().to_owned(),
            change: None,
        };
        self.suffixes.push(item(source, Resource::ImportSuffix(request)));
    }

    pub(crate) fn user(&mut self, source: &str, user: &User) {
        let request = wire::CreateUserRequest {
            spec: Some(convert::user_to_wire(user)),
            change: None,
        };
        self.users.push(item(source, Resource::User(request)));
    }

    /// The key's own `user_id` and `hash` do not matter.
    pub(crate) fn key(&mut self, source: &str, owner: &str, key: &Key, secret: KeySecret) {
        let mut spec = convert::key_spec_to_wire(key);
        spec.user_id = owner.to_owned();
        let import = match secret {
            // To be hashed there.
            KeySecret::Plain(secret) => Import::Secret(secret.expose().to_owned()),
            KeySecret::Suffixed { sha256, suffix } => Import::Suffixed(wire::SuffixedHash {
                sha256,
                import_suffix: suffix,
            }),
        };
        let request = wire::CreateKeyRequest {
            spec: Some(spec),
            import: Some(import),
            prefix: String::new(),
            change: None,
        };
        self.keys.push(item(source, Resource::Key(request)));
    }

    pub(crate) fn provider(&mut self, source: &str, provider: &Provider, secrets: ProviderSecrets) {
        let credential = secrets.credential;
        let request = wire::CreateProviderRequest {
            spec: Some(convert::provider_to_wire(provider)),
            credential: None,
            change: None,
            // To be sealed there.
            proxy_password: secrets.proxy_password.map(|secret| secret.expose().to_owned()),
            new_credential: credential.map(|credential| wire::NewCredential {
                credential: Some(credential),
            }),
        };
        self.others
            .push(item(source, Resource::Provider(Box::new(request))));
    }

    pub(crate) fn price(&mut self, source: &str, name: &str, price: &Price) {
        let request = wire::CreatePriceRequest {
            name: name.to_owned(),
            spec: Some(convert::price_to_wire(price)),
            change: None,
        };
        self.others.push(item(source, Resource::Price(request)));
    }

    pub(crate) fn error_rule(&mut self, source: &str, rule: &ErrorRule) {
        let request = wire::CreateErrorRuleRequest {
            name: rule.name.clone(),
            spec: Some(convert::error_rule_to_wire(rule)),
            change: None,
        };
        self.others.push(item(source, Resource::ErrorRule(request)));
    }

    pub(crate) fn word_rule(&mut self, source: &str, rule: &WordRule) {
        let request = wire::CreateWordRuleRequest {
            name: rule.name.clone(),
            spec: Some(convert::word_rule_to_wire(rule)),
            change: None,
        };
        self.others.push(item(source, Resource::WordRule(request)));
    }

    pub(crate) fn request_filter(&mut self, source: &str, filter: &RequestFilter) {
        let request = wire::CreateRequestFilterRequest {
            name: filter.name.clone(),
            spec: Some(convert::request_filter_to_wire(filter)),
            change: None,
        };
        self.others.push(item(source, Resource::RequestFilter(request)));
    }

    /// In the order in which they can be made, and the notes.
    pub(crate) fn into_parts(self) -> (Vec<wire::ImportItem>, Vec<Remark>) {
        let mut items = self.suffixes;
        items.extend(self.users);
        items.extend(self.keys);
        items.extend(self.others);
        (items, self.notes)
    }
}

/// A key without anything but a name; what it is known by comes apart.
pub(crate) fn bare_key(name: String) -> Key {
    Key {
        name,
        user_id: penstock_core::id::UserId(uuid::Uuid::nil()),
        access: penstock_core::access::Access::default(),
        limits: penstock_core::limits::Limits::none(),
        hint: String::new(),
        hash: KeyHash::of(""),
        import_suffix: None,
        previous: None,
    }
}

fn item(source: &str, resource: Resource) -> wire::ImportItem {
    wire::ImportItem {
        source: source.to_owned(),
        resource: Some(resource),
    }
}
