//! The fields of an error rule.
//!
//! On an update only the flags that are given change anything; an empty value takes a condition or a replacement away.

use penstock_core::error_rule::{ErrorField, ErrorPattern, ErrorRule, ErrorText, Replace, ReplaceBody};
use penstock_core::failure::Class;

use super::access::Switch;
use super::list::Entry;
use super::{choice, set};

/// What `create` and `update` have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct RuleFlags {
    /// What the error means
    #[arg(long, value_parser = choice::failure_class())]
    pub class: Option<Class>,

    /// Lower is tried first
    #[arg(long, value_name = "N")]
    pub priority: Option<u32>,

    /// Only of providers of this kind; '' for all
    #[arg(long, value_name = "KIND")]
    pub kind: Option<Entry<choice::Kind>>,

    /// Only of the provider of this name; '' for all
    #[arg(long, value_name = "NAME")]
    pub provider: Option<Entry<String>>,

    /// Only with this status; '' for any
    #[arg(long, value_name = "STATUS")]
    pub status: Option<Entry<u16>>,

    /// Only with this text in it, in any case; '' for any
    #[arg(long, value_name = "TEXT", conflicts_with = "regex")]
    pub contains: Option<Entry<String>>,

    /// Only with this regular expression found in it; '' for any
    #[arg(long, value_name = "REGEX")]
    pub regex: Option<Entry<String>>,

    /// Where the text is looked for
    #[arg(long = "in", value_parser = choice::error_field())]
    pub field: Option<ErrorField>,

    /// The caller gets this status; '' for the provider's
    #[arg(long, value_name = "STATUS")]
    pub replace_status: Option<Entry<u16>>,

    /// The caller gets this text, in the shape of its API; '' for the provider's
    #[arg(long, value_name = "TEXT", conflicts_with = "replace_json")]
    pub replace_message: Option<Entry<String>>,

    /// The caller gets this JSON object as it is; '' for the provider's
    #[arg(long, value_name = "JSON")]
    pub replace_json: Option<Entry<String>>,

    #[command(flatten)]
    pub switch: Switch,
}

impl RuleFlags {
    /// A new rule of the flags; None without a class, which has no default.
    pub(crate) fn create(&self, name: &str) -> Option<ErrorRule> {
        let mut rule = ErrorRule {
            name: name.to_owned(),
            enabled: true,
            priority: 100,
            kind: None,
            provider: None,
            status: None,
            pattern: None,
            class: self.class?,
            replace: None,
        };
        self.apply(&mut rule);
        Some(rule)
    }

    pub(crate) fn apply(&self, rule: &mut ErrorRule) {
        set(&mut rule.class, self.class);
        set(&mut rule.priority, self.priority);
        set(
            &mut rule.kind,
            self.kind.as_ref().map(|kind| kind.value().map(|kind| kind.0)),
        );
        set(&mut rule.provider, self.provider.as_ref().map(Entry::value));
        set(&mut rule.status, self.status.as_ref().map(Entry::value));
        self.apply_pattern(&mut rule.pattern);
        self.apply_replace(&mut rule.replace);
        self.switch.apply(&mut rule.enabled);
    }

    fn apply_pattern(&self, pattern: &mut Option<ErrorPattern>) {
        let field = pattern.as_ref().map_or(ErrorField::Any, |pattern| pattern.field);
        let of = |text| ErrorPattern { field, text };
        if let Some(text) = &self.contains {
            *pattern = text.value().map(|text| of(ErrorText::Contains(text)));
        }
        if let Some(text) = &self.regex {
            *pattern = text.value().map(|text| of(ErrorText::Regex(text.into())));
        }
        if let Some(pattern) = pattern {
            set(&mut pattern.field, self.field);
        }
    }

    fn apply_replace(&self, replace: &mut Option<Replace>) {
        let mut wanted = replace.clone().unwrap_or(Replace {
            status: None,
            body: None,
        });
        set(&mut wanted.status, self.replace_status.as_ref().map(Entry::value));
        let message = self.replace_message.as_ref();
        set(
            &mut wanted.body,
            message.map(|text| text.value().map(ReplaceBody::Message)),
        );
        let json = self.replace_json.as_ref();
        set(
            &mut wanted.body,
            json.map(|text| text.value().map(ReplaceBody::Json)),
        );
        *replace = (wanted.status.is_some() || wanted.body.is_some()).then_some(wanted);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        flags: RuleFlags,
    }

    fn flags(arguments: &[&str]) -> RuleFlags {
        let words = std::iter::once(&"x").chain(arguments);
        Command::try_parse_from(words).unwrap().flags
    }

    #[test]
    fn g13_an_update_changes_what_is_given_and_an_empty_value_takes_away() {
        let made = flags(&[
            "--class",
            "billing",
            "--kind",
            "openai",
            "--contains",
            "paid",
            "--replace-status",
            "503",
        ]);
        let mut rule = made.create("x").unwrap();
        assert_eq!((rule.priority, rule.enabled), (100, true));
        flags(&["--in", "message", "--kind", "", "--replace-message", "Later"]).apply(&mut rule);
        let pattern = rule.pattern.clone().unwrap();
        assert_eq!(
            (pattern.field, pattern.text.text()),
            (ErrorField::Message, "paid")
        );
        assert_eq!((rule.kind, rule.class), (None, Class::Billing));
        let replace = rule.replace.clone().unwrap();
        assert_eq!(replace.status, Some(503));
        assert_eq!(replace.body, Some(ReplaceBody::Message("Later".to_owned())));
        flags(&[
            "--contains",
            "",
            "--status",
            "429",
            "--replace-status",
            "",
            "--replace-json",
            "",
        ])
        .apply(&mut rule);
        assert_eq!((rule.pattern, rule.status, rule.replace), (None, Some(429), None));
    }

    #[test]
    fn a_new_rule_needs_a_class() {
        assert_eq!(flags(&["--status", "429"]).create("x"), None);
    }
}
