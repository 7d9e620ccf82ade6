//! What a commit asks for and what it answers.
//!
//! A commit's operations happen together or not at all, in the order given, and make one revision. An operation that
//! would change nothing is left out: no version rises and nothing is logged; a commit of only such makes no revision.

use std::num::NonZeroI64;

use penstock_core::error_rule::ErrorRule;
use penstock_core::key::Key;
use penstock_core::price::Price;
use penstock_core::provider::Provider;
use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_core::word_rule::WordRule;

use super::stored::{Head, Sealed, Stored};

/// More operations than this in one commit are refused with [`Error::Invalid`](crate::Error::Invalid); split them.
pub const MAX_OPS: usize = 50_000;

/// One commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Who: "admin", "system", an operator's name.
    pub actor: String,
    /// Why, in the operator's words. May be empty.
    pub reason: String,
    pub at: UnixMs,
    pub ops: Vec<Op>,
}

/// One operation on one resource.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are puts")]
pub enum Op {
    /// Creates or replaces.
    Put(Put),
    /// Deletes. A user's keys are deleted with it, each as a logged change of its own.
    /// [`NotFound`](crate::Error::NotFound) when there is nothing to delete.
    Delete { reference: ResourceRef, expect: Expect },
}

/// The whole of one resource as it shall be.
#[derive(Clone, Debug)]
pub struct Put {
    pub reference: ResourceRef,
    pub spec: NewSpec,
    /// The lowest schema that understands every restriction in the spec.
    pub min_schema: u32,
    pub expect: Expect,
    /// Of a resource that is not there yet, when it was made elsewhere: Unix milliseconds. None: now.
    pub created_at: Option<NonZeroI64>,
}

/// What a resource shall say. The variant must agree with that of the reference. The store trusts that the caller has
/// validated it and checks only what needs the other rows: names, secrets, owners.
#[derive(Clone, Debug)]
pub enum NewSpec {
    Provider {
        provider: Box<Provider>,
        credential: CredentialChange,
        /// Of the proxy's user.
        proxy_password: CredentialChange,
    },
    User(User),
    /// The owner of an existing key cannot be changed.
    Key(Box<Key>),
    Price(Box<Price>),
    Setting(Setting),
    ImportSuffix(Sealed),
    ErrorRule(Box<ErrorRule>),
    WordRule(Box<WordRule>),
    RequestFilter(Box<RequestFilter>),
}

/// What becomes of a provider's credential, or of its proxy's password.
#[derive(Clone, Debug, Default)]
pub enum CredentialChange {
    /// As it is; a new provider has none.
    #[default]
    Keep,
    Set(Sealed),
    Clear,
}

/// What the caller believes to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Whatever.
    Any,
    /// Nothing: this is a creation.
    Absent,
    /// This version.
    Version(u64),
}

/// A commit that happened.
#[derive(Clone, Debug)]
pub struct Committed {
    /// After the commit.
    pub head: Head,
    /// Whether there was anything to change. If not, `head` is that of before.
    pub made_revision: bool,
    /// One for each operation, in order.
    pub applied: Vec<Applied>,
}

/// What one operation did.
#[derive(Clone, Debug)]
pub struct Applied {
    pub reference: ResourceRef,
    pub changed: bool,
    /// The resource after the operation; None when it was deleted.
    pub stored: Option<Stored>,
}

impl Commit {
    /// A commit without operations yet.
    pub fn new(actor: impl Into<String>, reason: impl Into<String>, at: UnixMs) -> Self {
        Self {
            actor: actor.into(),
            reason: reason.into(),
            at,
            ops: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, op: impl Into<Op>) -> Self {
        self.ops.push(op.into());
        self
    }
}

impl Put {
    /// Of the schema that the spec asks for, whatever is there. Every put begins here, so that none forgets it: a data
    /// plane that does not know limits must refuse a limited key, not ignore its limits.
    pub fn new(reference: ResourceRef, spec: NewSpec) -> Self {
        Self {
            min_schema: spec.required_schema(),
            reference,
            spec,
            expect: Expect::Any,
            created_at: None,
        }
    }

    #[must_use]
    pub fn expecting(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Of a resource that comes back from elsewhere.
    #[must_use]
    pub fn made_at(mut self, at: UnixMs) -> Self {
        self.created_at = NonZeroI64::new(at.0);
        self
    }
}

impl NewSpec {
    /// As [`Spec::required_schema`](penstock_core::resource::Spec::required_schema), before there is a credential.
    fn required_schema(&self) -> u32 {
        match self {
            Self::Provider { provider, .. } => provider.required_schema(),
            Self::User(user) => user.limits.required_schema().max(user.access.required_schema()),
            Self::Key(key) => key.limits.required_schema().max(key.access.required_schema()),
            Self::Setting(setting) => setting.required_schema(),
            Self::ErrorRule(_) => ErrorRule::SCHEMA,
            Self::WordRule(_) => WordRule::SCHEMA,
            Self::RequestFilter(_) => RequestFilter::SCHEMA,
            Self::Price(price) => price.required_schema(),
            Self::ImportSuffix(_) => 1,
        }
    }
}

impl Op {
    pub fn delete(reference: ResourceRef, expect: Expect) -> Self {
        Self::Delete { reference, expect }
    }

    pub fn reference(&self) -> &ResourceRef {
        match self {
            Self::Put(put) => &put.reference,
            Self::Delete { reference, .. } => reference,
        }
    }
}

impl From<Put> for Op {
    fn from(put: Put) -> Self {
        Self::Put(put)
    }
}
