//! The flags that users and keys share: what they may do and until when.
//!
//! On an update only the flags that are given change anything.

use penstock_core::access::Access;
use penstock_core::time::UnixMs;

use super::list::{self, Entry};
use super::moment::Expiry;
use super::pattern::Pattern;

/// Rules of a user or key.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct AccessFlags {
    /// When it expires: 30d, 2026-11-01T10:00:00Z, never
    #[arg(long, value_name = "WHEN", visible_alias = "expires-at")]
    pub expires: Option<Expiry>,

    /// Tag, to find it by; repeatable, '' for none
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',')]
    pub tags: Option<Vec<Entry<String>>>,

    /// Only providers that carry one of these groups may be used; repeatable, '' for all providers
    #[arg(long = "group", value_name = "GROUP", value_delimiter = ',')]
    pub groups: Option<Vec<Entry<String>>>,

    /// Only these models: a name, `claude-*`, or prefix:, suffix:, contains:, regex:; repeatable, '' for all
    #[arg(long = "allowed-model", value_name = "PATTERN", visible_alias = "allow-model")]
    pub allowed_models: Option<Vec<Entry<Pattern>>>,

    /// Never these models; written as --allowed-model, '' for none
    #[arg(long = "blocked-model", value_name = "PATTERN", visible_alias = "block-model")]
    pub blocked_models: Option<Vec<Entry<Pattern>>>,

    #[command(flatten)]
    pub switch: Switch,
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Switch {
    /// Whether it is in use
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub enabled: Option<bool>,

    /// The same as --enabled=false
    #[arg(long, conflicts_with = "enabled")]
    pub disabled: bool,
}

impl AccessFlags {
    pub(crate) fn apply(&self, access: &mut Access, now: UnixMs) {
        self.switch.apply(&mut access.enabled);
        if let Some(expiry) = self.expires {
            access.expires_at = expiry.resolve(now);
        }
        list::replace(&mut access.tags, self.tags.as_deref());
        list::replace(&mut access.groups, self.groups.as_deref());
        let pattern = |p: &Pattern| p.0.clone();
        list::replace_with(
            &mut access.allowed_models,
            self.allowed_models.as_deref(),
            pattern,
        );
        list::replace_with(
            &mut access.blocked_models,
            self.blocked_models.as_deref(),
            pattern,
        );
    }
}

impl Switch {
    pub(crate) const ON: Self = Self {
        enabled: Some(true),
        disabled: false,
    };
    pub(crate) const OFF: Self = Self {
        enabled: None,
        disabled: true,
    };

    pub(crate) fn apply(self, enabled: &mut bool) {
        if self.disabled {
            *enabled = false;
        } else if let Some(given) = self.enabled {
            *enabled = given;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use penstock_core::model::ModelPattern;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        access: AccessFlags,
    }

    fn applied(flags: &[&str], mut access: Access) -> Access {
        let flags = Command::try_parse_from(std::iter::once(&"x").chain(flags)).unwrap();
        flags.access.apply(&mut access, UnixMs(1_000));
        access
    }

    #[test]
    fn a04_flags_carry_the_fields_of_users_and_keys() {
        let access = applied(
            &[
                "--expires",
                "2s",
                "--tag",
                "team-a,ci",
                "--group",
                "fast",
                "--group",
                "cheap",
                "--allowed-model",
                "claude-*",
                "--block-model",
                "regex:.*opus.*",
                "--disabled",
            ],
            Access::default(),
        );
        assert!(!access.enabled);
        assert_eq!(access.expires_at, Some(UnixMs(3_000)));
        assert_eq!(access.tags, ["team-a", "ci"]);
        assert_eq!(access.groups, ["fast", "cheap"]);
        assert_eq!(access.allowed_models, [ModelPattern::Prefix("claude-".into())]);
        assert_eq!(
            access.blocked_models,
            [ModelPattern::Regex(".*opus.*".to_owned().into())]
        );
    }

    #[test]
    fn an_update_without_flags_changes_nothing() {
        let before = Access {
            enabled: false,
            expires_at: Some(UnixMs(5)),
            tags: vec!["t".into()],
            ..Access::default()
        };
        assert_eq!(applied(&[], before.clone()), before);
        let freed = applied(&["--tag", "", "--expires", "never", "--enabled"], before);
        assert_eq!(freed, Access::default());
    }

    #[test]
    fn on_and_off_at_once_is_wrong_usage() {
        assert!(Command::try_parse_from(["x", "--enabled", "--disabled"]).is_err());
    }
}
