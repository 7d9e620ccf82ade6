//! The fields of a word rule. A rule has texts of one sort, so one of `--exact`, `--contains` and `--regex`.

use std::path::PathBuf;

use penstock_core::word_rule::{Matching, WordRule};

use super::access::Switch;
use crate::failure::Failure;

/// What `create` and `update` have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct WordFlags {
    /// A text that is nothing but this, in any case; repeatable
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["contains", "regex"])]
    pub exact: Vec<String>,

    /// A text with this in it, in any case; repeatable
    #[arg(long, value_name = "TEXT", conflicts_with = "regex")]
    pub contains: Vec<String>,

    /// A text in which this regular expression is found; repeatable
    #[arg(long, value_name = "REGEX")]
    pub regex: Vec<String>,

    /// File with more texts of the same sort, one a line; alone: `--contains`
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    #[command(flatten)]
    pub switch: Switch,
}

impl WordFlags {
    pub(crate) fn switched(switch: Switch) -> Self {
        Self {
            switch,
            ..Self::default()
        }
    }

    pub(crate) fn create(&self, name: &str) -> Result<WordRule, Failure> {
        let mut rule = WordRule {
            name: name.to_owned(),
            enabled: true,
            matching: Matching::Contains,
            texts: Vec::new(),
        };
        self.apply(&mut rule)?;
        Ok(rule)
    }

    /// Texts that are given replace those that are there.
    pub(crate) fn apply(&self, rule: &mut WordRule) -> Result<(), Failure> {
        self.switch.apply(&mut rule.enabled);
        let given = [
            (Matching::Exact, &self.exact),
            (Matching::Contains, &self.contains),
            (Matching::Regex, &self.regex),
        ];
        let given = given.into_iter().find(|(_, texts)| !texts.is_empty());
        if given.is_none() && self.file.is_none() {
            return Ok(());
        }
        rule.texts = Vec::new();
        if let Some((matching, texts)) = given {
            rule.matching = matching;
            rule.texts.clone_from(texts);
        }
        let Some(path) = &self.file else { return Ok(()) };
        let read = std::fs::read_to_string(path).map_err(|source| Failure::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let lines = read.lines().map(str::trim).filter(|line| !line.is_empty());
        rule.texts.extend(lines.map(str::to_owned));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        flags: WordFlags,
    }

    fn flags(arguments: &[&str]) -> WordFlags {
        let words = std::iter::once(&"x").chain(arguments);
        Command::try_parse_from(words).unwrap().flags
    }

    #[test]
    fn g12_texts_come_from_flags_and_files_and_replace_what_was_there() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "three\n\n  four \n").unwrap();
        let path = file.path().to_str().unwrap();
        let rule = flags(&["--exact", "one", "--exact", "two", "--file", path]);
        let mut rule = rule.create("x").unwrap();
        assert_eq!((rule.matching, rule.texts.len()), (Matching::Exact, 4));
        flags(&["--disabled"]).apply(&mut rule).unwrap();
        assert_eq!((rule.enabled, rule.texts.len()), (false, 4));
        flags(&["--regex", "a.c"]).apply(&mut rule).unwrap();
        assert_eq!(
            (rule.matching, rule.texts),
            (Matching::Regex, vec!["a.c".to_owned()])
        );
        assert!(Command::try_parse_from(["x", "--exact", "a", "--regex", "b"]).is_err());
    }
}
