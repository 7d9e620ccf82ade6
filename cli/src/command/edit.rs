//! `update`: read one existing thing, change what was named, write it.
//!
//! Only the fields that the operator named are changed. When somebody else was faster, the change is made again on the
//! newer state, unless the operator asked for one version; then it is refused. [`Edit::run`] is the one way through.

use penstock_proto::admin::v1::ChangeInfo;

use super::named::Named;
use super::session::Session;
use crate::failure::Failure;
use crate::remote::{self, ATTEMPTS, Services};

/// What is edited, at which version, and why.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    named: Named,
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

impl Edit {
    /// Of whatever version.
    pub(crate) fn of(named: Named) -> Self {
        Self {
            named,
            expected_version: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.named.name
    }

    /// The version that the write carries: the one that was asked for, else the one that was just read.
    pub(crate) fn version(&self, read: u64) -> u64 {
        self.expected_version.unwrap_or(read)
    }

    /// On the wire.
    pub(crate) fn reason(&self) -> Option<ChangeInfo> {
        self.named.reason.info()
    }

    /// Makes the change: `attempt` reads, changes and writes. `given`: any field was named.
    pub(crate) async fn run<T>(
        &self,
        session: &Session,
        given: bool,
        attempt: impl AsyncFn(&Services) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !given {
            return Err(nothing_to_change());
        }
        let services = session.connect().await?;
        remote::edit(self.attempts(), async || attempt(&services).await).await
    }

    /// How often it may be tried on a newer state: a version that was asked for does not become right.
    fn attempts(&self) -> usize {
        match self.expected_version {
            Some(_) => 1,
            None => ATTEMPTS,
        }
    }
}

impl Rename {
    pub(crate) fn is_given(&self) -> bool {
        self.rename.is_some()
    }

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
    use crate::remote::Reason;

    #[test]
    fn g01_a_version_that_was_asked_for_wins_over_the_one_that_was_read() {
        let read = Edit::of(Named {
            name: "main".into(),
            reason: Reason::default(),
        });
        assert_eq!((read.version(4), read.attempts()), (4, ATTEMPTS));
        let asked = Edit {
            expected_version: Some(2),
            ..read
        };
        assert_eq!((asked.version(4), asked.attempts()), (2, 1));
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
