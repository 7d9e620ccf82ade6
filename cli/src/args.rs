//! How values are written on the command line: each type here reads one kind of value and says what it expected.

pub(crate) mod access;
pub(crate) mod choice;
pub(crate) mod client;
pub(crate) mod credential;
pub(crate) mod duration;
pub(crate) mod error_rule;
pub(crate) mod fallback;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod moment;
pub(crate) mod outbound;
pub(crate) mod pattern;
pub(crate) mod provider;
pub(crate) mod rate;
pub(crate) mod request_filter;
pub(crate) mod revision;
pub(crate) mod routing;
pub(crate) mod speech;
pub(crate) mod word_rule;

/// Replaces a field by what was given, if anything was.
pub(crate) fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}
