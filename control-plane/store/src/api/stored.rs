//! Resources as they are stored: the domain's types, with credentials still sealed.

use std::fmt;

use penstock_core::error_rule::ErrorRule;
use penstock_core::id::Epoch;
use penstock_core::key::Key;
use penstock_core::price::Price;
use penstock_core::provider::Provider;
use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_core::word_rule::WordRule;

use super::token::StoredToken;

/// How far the history has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Changes only by [`Store::begin_epoch`](crate::Store::begin_epoch).
    pub epoch: Epoch,
    /// 0: nothing was ever committed.
    pub revision: u64,
}

/// One resource at its newest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub reference: ResourceRef,
    /// Counts this resource's changes, from 1, and never falls.
    pub version: u64,
    /// The lowest [`SCHEMA`](penstock_core::resource::SCHEMA) that understands every restriction in the spec.
    pub min_schema: u32,
    pub spec: StoredSpec,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
}

/// What a stored resource says. The variant agrees with that of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredSpec {
    Provider(Box<StoredProvider>),
    User(User),
    Key(Box<Key>),
    Price(Box<Price>),
    Setting(Setting),
    ImportSuffix(Sealed),
    ErrorRule(Box<ErrorRule>),
    WordRule(Box<WordRule>),
    RequestFilter(Box<RequestFilter>),
}

/// A provider with its sealed credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProvider {
    pub provider: Provider,
    /// None: not a candidate.
    pub credential: Option<Credential>,
    /// Of the proxy's user. Its hint is empty: nothing of a password is shown.
    pub proxy_password: Option<Credential>,
    /// What the control plane obtains with the credential. Only [`Store::load`](crate::Store::load) and
    /// [`Store::changes_since`](crate::Store::changes_since) read it along.
    pub token: Option<StoredToken>,
}

/// A sealed credential and when it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub sealed: Sealed,
    /// The resource's version that set it. All that the history says about a credential.
    pub version: u64,
}

/// A secret that only the holder of the master key can read. The store does not look into it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which master key sealed it.
    pub key_id: String,
    pub ciphertext: Vec<u8>,
    /// To recognise the secret by; empty when nothing may be shown.
    pub hint: String,
}

/// Everything, in one consistent read.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub head: Head,
    /// In no particular order.
    pub resources: Vec<Stored>,
    pub unreadable: Vec<Unreadable>,
}

/// What a span of revisions changed, in one consistent read.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Where the span ends. An epoch other than the caller's, or a revision below it, means that the store was
    /// restored: load everything again.
    pub head: Head,
    /// Each changed resource once, ordered by the revision of its last change.
    pub changed: Vec<Changed>,
}

/// One resource that changed, as it is at the head.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Of its last change.
    pub revision: u64,
    pub current: Current,
}

/// What became of a resource.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are puts")]
pub enum Current {
    Put(Stored),
    Removed(ResourceRef),
    Unreadable(Unreadable),
}

/// A row that this release cannot read: damaged, or written by a newer one.
///
/// Nothing is known of it but its name. A user or key must be treated as removed, since a restriction could be in what
/// was not read; a provider or price may keep its last good version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub reference: ResourceRef,
    /// For operators and logs. Never contains secrets.
    pub problem: String,
}

impl Current {
    pub fn reference(&self) -> &ResourceRef {
        match self {
            Self::Put(stored) => &stored.reference,
            Self::Removed(reference) => reference,
            Self::Unreadable(unreadable) => &unreadable.reference,
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
