//! The parts that commands on one existing thing share.

use crate::failure::Failure;
use crate::remote::{ATTEMPTS, Reason};

/// One thing, and why it is changed.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Named {
    /// Name or id; a key is user/key, or its bare name while it is unique
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) reason: Reason,
}

/// Which state of a thing is edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct AtVersion {
    /// Refuse if somebody changed it since this version
    #[arg(long, value_name = "VERSION")]
    expected_version: Option<u64>,
}

/// A new name for a thing that has one of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Rename {
    /// New name
    #[arg(long = "name", value_name = "NAME")]
    rename: Option<String>,
}

impl AtVersion {
    /// The version that the write carries: the one that was asked for, else the one that was just read.
    pub(crate) fn or(self, read: u64) -> u64 {
        self.expected_version.unwrap_or(read)
    }

    /// How often it may be tried on a newer state: a version that was asked for does not become right.
    pub(crate) fn attempts(self) -> usize {
        if self.expected_version.is_some() {
            1
        } else {
            ATTEMPTS
        }
    }
}

impl Rename {
    pub(crate) fn apply(&self, name: &mut String) {
        if let Some(new) = &self.rename {
            name.clone_from(new);
        }
    }
}

/// Nothing was named that could be changed.
pub(crate) fn nothing_to_change() -> Failure {
    Failure::Usage("nothing to change: name the fields to change (see --help)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g01_a_version_that_was_asked_for_wins_over_the_one_that_was_read() {
        let read = AtVersion::default();
        assert_eq!((read.or(4), read.attempts()), (4, ATTEMPTS));
        let asked = AtVersion {
            expected_version: Some(2),
        };
        assert_eq!((asked.or(4), asked.attempts()), (2, 1));
    }

    #[test]
    fn a_name_stays_unless_a_new_one_is_given() {
        let mut name = "main".to_owned();
        Rename::default().apply(&mut name);
        assert_eq!(name, "main");
        let rename = Some("first".to_owned());
        Rename { rename }.apply(&mut name);
        assert_eq!(name, "first");
    }
}
