//! Revisions by number, or counted back from the newest: `-1` is the one before it.

use std::str::FromStr;

/// A revision as written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revision {
    Number(u64),
    Back(u64),
}

/// Text that is no revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a revision; write its number (see `penstock config history`), or -1 for the one before the newest"
)]
pub(crate) struct NotARevision(String);

impl Revision {
    /// The number, where `head` is the newest. Further back than the first revision is 0, the empty configuration.
    pub(crate) fn resolve(self, head: u64) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Back(steps) => head.saturating_sub(steps),
        }
    }
}

impl FromStr for Revision {
    type Err = NotARevision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |_| NotARevision(text.to_owned());
        match text.strip_prefix('-') {
            Some(steps) => steps.parse().map(Self::Back).map_err(bad),
            None => text.parse().map(Self::Number).map_err(bad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_numbers_or_counted_back() {
        assert_eq!("12".parse::<Revision>().unwrap().resolve(20), 12);
        assert_eq!("-1".parse::<Revision>().unwrap().resolve(20), 19);
        assert_eq!("-99".parse::<Revision>().unwrap().resolve(20), 0);
        assert!("newest".parse::<Revision>().is_err());
    }
}
