//! Whose counters live together.
//!
//! An account is a user with all of its keys, or a provider. Everything that one call must take at once lies in one
//! account, so that a Redis Cluster keeps it on one node (its id is the hash tag) and one script can take it.

use std::fmt;

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::limits::Level;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    User(UserId),
    Provider(ProviderId),
}

/// Who has limits, inside an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectName {
    Key(KeyId),
    /// The account's own limits.
    User,
    Provider,
}

impl Account {
    /// A number that is even over accounts, for shards.
    pub(crate) fn spread(self) -> usize {
        let (Self::User(UserId(id)) | Self::Provider(ProviderId(id))) = self;
        id.as_bytes().last().copied().map_or(0, usize::from)
    }
}

impl SubjectName {
    pub fn level(self) -> Level {
        match self {
            Self::Key(_) => Level::Key,
            Self::User => Level::User,
            Self::Provider => Level::Provider,
        }
    }
}

/// As its hash tag: `u0198…`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "u{}", id.0.simple()),
            Self::Provider(id) => write!(f, "p{}", id.0.simple()),
        }
    }
}

/// As the counters name it: `u`, `p`, `k0198…`.
impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "k{}", id.0.simple()),
            Self::User => f.write_str("u"),
            Self::Provider => f.write_str("p"),
        }
    }
}
