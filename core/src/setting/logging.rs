//! What is logged, for all programs of the installation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// Levels in force while this setting says so; a program's own `--log-level` holds for what it leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoggingPolicy {
    /// None: as each program was started.
    pub level: Option<LogLevel>,
    /// By target, such as `penstock::call`; over `level`.
    pub targets: BTreeMap<String, LogLevel>,
    /// Whether logs name users by a hash of their id.
    pub hash_user_ids: bool,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

const MAX_TARGETS: usize = 32;
const MAX_TARGET: usize = 100;

impl LogLevel {
    pub const ALL: [Self; 6] = [
        Self::Off,
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl LoggingPolicy {
    /// The filter in force for a program that was started with `own`: what stands later holds.
    pub fn filter(&self, own: &str) -> String {
        let mut parts = vec![own.to_owned()];
        parts.extend(self.level.map(|level| level.as_str().to_owned()));
        let targets = self.targets.iter();
        parts.extend(targets.map(|(target, level)| format!("{target}={}", level.as_str())));
        parts.retain(|part| !part.is_empty());
        parts.join(",")
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.targets.len() > MAX_TARGETS {
            let problem = format!("has more than {MAX_TARGETS} targets");
            return Err(Invalid::new("logging.targets", problem));
        }
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"_:".contains(&byte);
        let bad = self
            .targets
            .keys()
            .find(|target| target.is_empty() || target.len() > MAX_TARGET || !target.bytes().all(letters));
        match bad {
            Some(target) => {
                let problem =
                    format!("{target:?} is no target; write penstock::call or penstock_data_plane::proxy");
                Err(Invalid::new("logging.targets", problem))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g14_the_setting_goes_over_what_a_program_was_started_with() {
        let mut policy = LoggingPolicy::default();
        assert_eq!(policy.filter("info,hyper=warn"), "info,hyper=warn");
        policy.level = Some(LogLevel::Debug);
        policy.targets.insert("penstock::call".into(), LogLevel::Off);
        assert_eq!(policy.filter("info"), "info,debug,penstock::call=off");
        assert_eq!(policy.validate(), Ok(()));
        policy.targets.insert("a=b,c".into(), LogLevel::Off);
        assert_eq!(policy.validate().unwrap_err().field, "logging.targets");
    }
}
