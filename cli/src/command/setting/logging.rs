//! `penstock setting set logging`: reads the setting and changes only what is given.

use std::str::FromStr;

use penstock_core::setting::{LogLevel, LoggingPolicy};

use super::change;
use crate::args::set;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;

/// What can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Flags {
    /// For all programs; `default`: as each was started
    #[arg(long)]
    level: Option<LevelArg>,

    /// TARGET=LEVEL, such as `penstock::call=warn`; comma list or repeated; LEVEL `default` takes one away
    #[arg(long, value_name = "TARGET=LEVEL", value_delimiter = ',')]
    targets: Vec<TargetArg>,

    /// Whether logs name users by a hash of their id
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    hash_user_ids: Option<bool>,
}

/// A level; None: as the program was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LevelArg(pub(crate) Option<LogLevel>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct TargetArg(String, Option<LogLevel>);

impl FromStr for LevelArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "default" {
            return Ok(Self(None));
        }
        let found = LogLevel::ALL.into_iter().find(|level| level.as_str() == text);
        let names = LogLevel::ALL.map(LogLevel::as_str).join(", ");
        found
            .map(|level| Self(Some(level)))
            .ok_or_else(|| format!("{text:?} is no level; there are {names} and default"))
    }
}

impl FromStr for TargetArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (target, level) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is not TARGET=LEVEL, such as penstock::call=warn"))?;
        let LevelArg(level) = level.parse()?;
        Ok(Self(target.trim().to_owned(), level))
    }
}

impl Flags {
    pub(crate) async fn run(self, session: &Session, reason: &Reason) -> Result<(), Failure> {
        let given = self != Self::default();
        change::set(session, reason, given, |policy| self.apply(policy)).await
    }

    fn apply(&self, policy: &mut LoggingPolicy) {
        set(&mut policy.level, self.level.map(|LevelArg(level)| level));
        set(&mut policy.hash_user_ids, self.hash_user_ids);
        for TargetArg(target, level) in &self.targets {
            match level {
                Some(level) => drop(policy.targets.insert(target.clone(), *level)),
                None => drop(policy.targets.remove(target)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        flags: Flags,
    }

    fn applied(flags: &str, mut policy: LoggingPolicy) -> Result<LoggingPolicy, String> {
        let words = std::iter::once("x").chain(flags.split_whitespace());
        let flags = Command::try_parse_from(words)
            .map_err(|error| error.to_string())?
            .flags;
        flags.apply(&mut policy);
        Ok(policy)
    }

    #[test]
    fn g14_only_what_is_given_changes() {
        let debug = applied(
            "--level debug --targets penstock::call=warn,hyper=off",
            LoggingPolicy::default(),
        );
        let debug = debug.unwrap();
        assert_eq!((debug.level, debug.targets.len()), (Some(LogLevel::Debug), 2));
        let fewer = applied("--targets hyper=default --hash-user-ids", debug.clone()).unwrap();
        assert_eq!(
            (fewer.level, fewer.targets.len(), fewer.hash_user_ids),
            (Some(LogLevel::Debug), 1, true)
        );
        assert_eq!(applied("--level default", debug).unwrap().level, None);
        assert!(
            applied("--level loud", LoggingPolicy::default())
                .unwrap_err()
                .contains("trace")
        );
        assert!(
            applied("--targets hyper", LoggingPolicy::default())
                .unwrap_err()
                .contains("TARGET=LEVEL")
        );
    }
}
