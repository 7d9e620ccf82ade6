//! The fields of a request filter: which part, and what becomes of it.
//!
//! On an update only the flags that are given change anything.

use penstock_core::request_filter::{Action, BodyPath, Find, Part, RequestFilter};

use super::access::Switch;
use super::list::Entry;
use super::set;
use crate::failure::Failure;

/// What `create` and `update` have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct FilterFlags {
    /// Lower is applied first
    #[arg(long, value_name = "N")]
    pub priority: Option<u32>,

    /// Only for the provider of this name; '' for all
    #[arg(long, value_name = "NAME")]
    pub provider: Option<Entry<String>>,

    /// A header of the caller
    #[arg(long, value_name = "NAME", conflicts_with = "body")]
    pub header: Option<String>,

    /// A place in the JSON body: `metadata.user_id`, `messages.*.content`, `tools.0`, `**` for all text
    #[arg(long, value_name = "PATH")]
    pub body: Option<BodyPath>,

    /// It is removed
    #[arg(long, conflicts_with_all = ["set", "replace", "replace_regex"])]
    pub remove: bool,

    /// It is set to this: a header's text, or JSON
    #[arg(long, value_name = "VALUE", conflicts_with_all = ["replace", "replace_regex"])]
    pub set: Option<String>,

    /// This text in it is replaced
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "replace_regex",
        requires = "with"
    )]
    pub replace: Option<String>,

    /// What this regular expression finds in it is replaced
    #[arg(long, value_name = "REGEX", requires = "with")]
    pub replace_regex: Option<String>,

    /// By this; $1 is a group of --replace-regex
    #[arg(long, value_name = "TEXT")]
    pub with: Option<String>,

    #[command(flatten)]
    pub switch: Switch,
}

impl FilterFlags {
    pub(crate) fn switched(switch: Switch) -> Self {
        Self {
            switch,
            ..Self::default()
        }
    }

    pub(crate) fn create(&self, name: &str) -> Result<RequestFilter, Failure> {
        let part = self.part();
        let part =
            part.ok_or_else(|| Failure::Usage("say with --header or --body what is changed".into()))?;
        let action = self.action();
        let action = action.ok_or_else(|| {
            let problem = "say with --remove, --set, --replace or --replace-regex what becomes of it";
            Failure::Usage(problem.into())
        })?;
        let mut filter = RequestFilter {
            name: name.to_owned(),
            enabled: true,
            priority: 100,
            provider: None,
            part,
            action,
        };
        self.apply(&mut filter)?;
        Ok(filter)
    }

    pub(crate) fn apply(&self, filter: &mut RequestFilter) -> Result<(), Failure> {
        set(&mut filter.priority, self.priority);
        set(&mut filter.provider, self.provider.as_ref().map(Entry::value));
        set(&mut filter.part, self.part());
        set(&mut filter.action, self.action());
        if self.action().is_none()
            && let Some(new) = &self.with
        {
            let Action::Replace { with, .. } = &mut filter.action else {
                return Err(Failure::Usage("--with goes with a text to replace".into()));
            };
            with.clone_from(new);
        }
        self.switch.apply(&mut filter.enabled);
        Ok(())
    }

    fn part(&self) -> Option<Part> {
        let body = self.body.clone().map(Part::Body);
        self.header.clone().map(Part::Header).or(body)
    }

    fn action(&self) -> Option<Action> {
        if self.remove {
            return Some(Action::Remove);
        }
        if let Some(value) = &self.set {
            return Some(Action::Set(value.clone()));
        }
        let text = self.replace.clone().map(Find::Text);
        let find = text.or_else(|| self.replace_regex.clone().map(Find::Regex))?;
        Some(Action::Replace {
            find,
            with: self.with.clone().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        flags: FilterFlags,
    }

    fn flags(arguments: &[&str]) -> FilterFlags {
        let words = std::iter::once(&"x").chain(arguments);
        Command::try_parse_from(words).unwrap().flags
    }

    #[test]
    fn g12_an_update_changes_what_is_given() {
        let made = flags(&[
            "--body",
            "messages.**",
            "--replace",
            "ACME",
            "--with",
            "we",
            "--provider",
            "main",
        ]);
        let mut filter = made.create("x").unwrap();
        assert_eq!((filter.priority, filter.provider.as_deref()), (100, Some("main")));
        flags(&["--with", "they", "--provider", "", "--priority", "1"])
            .apply(&mut filter)
            .unwrap();
        let replaced = Action::Replace {
            find: Find::Text("ACME".into()),
            with: "they".into(),
        };
        assert_eq!((filter.action.clone(), filter.provider.clone()), (replaced, None));
        flags(&["--header", "x-a", "--remove"])
            .apply(&mut filter)
            .unwrap();
        assert_eq!(
            (&filter.part, &filter.action),
            (&Part::Header("x-a".into()), &Action::Remove)
        );
        assert!(flags(&["--with", "y"]).apply(&mut filter).is_err());
    }

    #[test]
    fn g12_a_new_filter_needs_a_part_and_an_action() {
        assert!(flags(&["--remove"]).create("x").is_err());
        assert!(flags(&["--header", "x-a"]).create("x").is_err());
        assert!(Command::try_parse_from(["x", "--body", "a..b"]).is_err());
        assert!(Command::try_parse_from(["x", "--replace", "a"]).is_err());
    }
}
