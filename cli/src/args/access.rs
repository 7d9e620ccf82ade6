//! The flags that users and keys share: what they may do and until when.
//!
//! On an update only the flags that are given change anything.

use penstock_core::access::{Access, Activation, Rules};
use penstock_core::cidr::Cidr;
use penstock_core::dialect::Dialect;
use penstock_core::time::UnixMs;

use super::choice;
use super::client::Client;
use super::duration::Millis;
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

    /// Expires so long after its first use: 30d; '' for never (it counts anew when it is given again)
    #[arg(long, value_name = "TIME")]
    pub expires_after: Option<Entry<Millis>>,

    /// Only these client APIs: anthropic, openai-chat, …; repeatable, '' for all
    #[arg(
        long = "allowed-dialect",
        value_name = "API",
        visible_alias = "allow-dialect",
        value_delimiter = ','
    )]
    pub allowed_dialects: Option<Vec<Entry<choice::Api>>>,

    /// Only these programs: claude-code, codex, gemini-cli, or a user agent (`curl/*`, contains:, …); repeatable, '' for all
    #[arg(
        long = "allowed-client",
        value_name = "CLIENT",
        visible_alias = "allow-client"
    )]
    pub allowed_clients: Option<Vec<Entry<Client>>>,

    /// Never these programs; written as --allowed-client, '' for none
    #[arg(
        long = "blocked-client",
        value_name = "CLIENT",
        visible_alias = "block-client"
    )]
    pub blocked_clients: Option<Vec<Entry<Client>>>,

    /// Only from these addresses: `10.0.0.0/8`, `2001:db8::/32`, one address; repeatable, '' for everywhere
    #[arg(
        long = "allowed-address",
        value_name = "RANGE",
        visible_alias = "allow-address",
        value_delimiter = ','
    )]
    pub allowed_addresses: Option<Vec<Entry<Cidr>>>,

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
        self.apply_rules(access);
    }

    fn apply_rules(&self, access: &mut Access) {
        if let Some(after) = &self.expires_after {
            // The control plane keeps the first use that it knows.
            access.activation = after.value().map(|Millis(ms)| Activation::after(ms));
        }
        let mut rules = Rules::clone(&access.rules);
        let dialect = |api: &choice::Api| -> Dialect { api.0 };
        list::replace_with(
            &mut rules.allowed_dialects,
            self.allowed_dialects.as_deref(),
            dialect,
        );
        let client = |client: &Client| client.0.clone();
        list::replace_with(
            &mut rules.allowed_clients,
            self.allowed_clients.as_deref(),
            client,
        );
        list::replace_with(
            &mut rules.blocked_clients,
            self.blocked_clients.as_deref(),
            client,
        );
        list::replace(&mut rules.allowed_addresses, self.allowed_addresses.as_deref());
        access.rules = rules.shared();
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
    fn a04_rules_on_dialects_clients_addresses_and_activation_have_flags() {
        let flags = [
            "--expires-after",
            "2s",
            "--allow-dialect",
            "anthropic,openai-chat",
            "--allow-client",
            "claude-code",
            "--block-client",
            "curl/*",
            "--allow-address",
            "10.0.0.0/8",
            "--allow-address",
            "2001:db8::1",
        ];
        let access = applied(&flags, Access::default());
        assert_eq!(access.activation, Some(Activation::after(2_000)));
        assert_eq!(
            access.rules.allowed_dialects,
            [Dialect::Anthropic, Dialect::OpenaiChat]
        );
        assert_eq!(
            access.rules.allowed_clients.len() + access.rules.blocked_clients.len(),
            2
        );
        assert_eq!(access.rules.allowed_addresses[1].to_string(), "2001:db8::1/128");
        let freed = applied(
            &[
                "--expires-after",
                "",
                "--allow-dialect",
                "",
                "--allow-client",
                "",
                "--block-client",
                "",
                "--allow-address",
                "",
            ],
            access,
        );
        assert_eq!(freed, Access::default());
        assert!(Command::try_parse_from(["x", "--allow-address", "10.0.0.0/99"]).is_err());
        assert!(Command::try_parse_from(["x", "--allow-dialect", "latin"]).is_err());
    }

    #[test]
    fn on_and_off_at_once_is_wrong_usage() {
        assert!(Command::try_parse_from(["x", "--enabled", "--disabled"]).is_err());
    }
}
