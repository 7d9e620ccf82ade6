//! One fact that nodes report, and which of two reports of it holds.
//!
//! A mark is stamped when it is made: with the clock, but always higher than what its maker knew before. So whoever
//! knew the other report comes after it, whatever the clocks say; of two reports that did not know of each other the
//! later clock holds, and at the same millisecond the graver fact. That is a total order, and merging is taking the
//! greater one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;

/// Ended marks are kept for so long, lest an old report of a node that was away brings back what has ended.
const KEEP_MS: u64 = 86_400_000;
/// Longer explanations are cut.
const MAX_WHY: usize = 300;

/// See the module. The order of the fields is the order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark<T> {
    pub stamp: u64,
    pub value: T,
    pub at: UnixMs,
    /// Who says so: a node, or an operator.
    pub by: Arc<str>,
    /// For operators. No secrets.
    pub why: Arc<str>,
}

/// Who makes marks, when and why.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    pub by: &'a str,
    pub why: &'a str,
    pub now: UnixMs,
}

impl Maker<'_> {
    /// Puts a new value in the place of the old one.
    pub fn mark<T>(&self, place: &mut Option<Mark<T>>, value: T) {
        let known = place.as_ref().map_or(0, |mark| mark.stamp);
        let clock = u64::try_from(self.now.0).unwrap_or(0);
        *place = Some(Mark {
            stamp: clock.max(known.saturating_add(1)),
            value,
            at: self.now,
            by: self.by.into(),
            why: shown(self.why).into(),
        });
    }
}

impl<T> Mark<T> {
    /// Nobody can bring it back any more.
    pub fn is_old(&self, now: UnixMs) -> bool {
        self.stamp.saturating_add(KEEP_MS) < u64::try_from(now.0).unwrap_or(0)
    }
}

/// The greater one stays.
pub(super) fn merge<T: Ord + Clone>(into: &mut Option<Mark<T>>, other: &Option<Mark<T>>) {
    if *into < *other {
        into.clone_from(other);
    }
}

/// In one line and not too long. Providers' own words are in it, so there may be anything.
fn shown(text: &str) -> String {
    let chars = text.char_indices().take_while(|(at, _)| *at < MAX_WHY);
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    chars.map(|(_, c)| plain(c)).collect()
}
