//! How resources are looked up and listed.

use penstock_core::api_key::KeyHash;
use penstock_core::id::UserId;
use penstock_core::price::PriceSource;

use super::stored::{Stored, Unreadable};

/// Finds resources by something other than their id.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    /// At most one.
    Provider { name: &'a str },
    /// At most one.
    User { name: &'a str },
    /// The keys of all users with this name; the first [`Lookup::MAX_KEYS`] by id.
    Key { name: &'a str },
    /// At most one.
    KeyOfUser { user: UserId, name: &'a str },
    /// At most one. It may be the hash of the key's former secret: compare with [`Key::hash`](penstock_core::key::Key).
    KeyHash(KeyHash),
}

/// What to list.
#[derive(Clone, Debug)]
pub enum Filter {
    Providers,
    Users,
    Keys {
        /// Only this user's.
        user: Option<UserId>,
    },
    Prices {
        /// Only names that contain this, as it is written.
        contains: Option<String>,
        source: Option<PriceSource>,
    },
    Settings,
    ImportSuffixes,
    ErrorRules,
    WordRules,
    RequestFilters,
}

/// Which part of a listing.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most this many, at least 1; cut to [`Page::MAX`].
    pub size: u32,
    /// [`Listed::next`] of the page before. None: from the start.
    pub after: Option<String>,
    /// Only names that begin so.
    pub prefix: Option<String>,
}

/// A part of a listing, ordered by name (bytewise; keys of the same name by id).
#[derive(Clone, Debug)]
pub struct Listed {
    pub resources: Vec<Stored>,
    pub unreadable: Vec<Unreadable>,
    /// None on the last page.
    pub next: Option<String>,
}

impl Lookup<'_> {
    pub const MAX_KEYS: u32 = 100;
}

impl Page {
    pub const MAX: u32 = 10_000;

    pub fn first(size: u32) -> Self {
        Self {
            size,
            after: None,
            prefix: None,
        }
    }
}
