//! Sensitive words: texts that a request must not contain (behaviour G12).
//!
//! A rule has texts of one sort: the whole of a text (`exact`), a part of one (`contains`), both in any case, or a
//! regular expression found anywhere in one, with the case that it says. What a text is, is the dialect's business:
//! every string of the request's body that is written for people or models, with its escapes decoded.
//!
//! [`Words`] is what requests are held to: each rule compiled once, when the snapshot that brings it is made. Looking is
//! linear in the text for each rule; without a rule nothing is looked at.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use regex::{RegexSet, RegexSetBuilder};
use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::name;

const MAX_TEXTS: usize = 5_000;
/// All of a rule's texts together, bytes.
const MAX_BYTES: usize = 256 * 1024;
const MAX_TEXT: usize = 1024;
const MAX_REGEXES: usize = 100;
/// Of the compiled regular expressions of one rule.
const REGEX_BYTES: usize = 2 << 20;

/// Some texts that are not let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordRule {
    pub name: String,
    pub enabled: bool,
    pub matching: Matching,
    pub texts: Vec<String>,
}

/// How the texts of a rule are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// A text that is nothing else, space around it apart; in any case.
    Exact,
    /// Anywhere in a text; in any case.
    Contains,
    /// A regular expression, found anywhere in a text.
    Regex,
}

/// The enabled rules, ready for use.
#[derive(Clone, Debug, Default)]
pub struct Words(Vec<Arc<Compiled>>);

struct Compiled {
    rule: Arc<WordRule>,
    finder: Finder,
}

enum Finder {
    Exact(HashSet<String>),
    Contains(AhoCorasick),
    Regex(RegexSet),
}

impl Matching {
    pub const ALL: [Self; 3] = [Self::Exact, Self::Contains, Self::Regex];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Contains => "contains",
            Self::Regex => "regex",
        }
    }
}

impl WordRule {
    /// The [`SCHEMA`](crate::resource::SCHEMA) that every rule needs: an older node would not know it at all.
    pub const SCHEMA: u32 = 4;

    /// Checks every field, and that it compiles.
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check("name", &self.name)?;
        let most = match self.matching {
            Matching::Exact | Matching::Contains => MAX_TEXTS,
            Matching::Regex => MAX_REGEXES,
        };
        if self.texts.is_empty() || self.texts.len() > most {
            return Err(Invalid::new("texts", format!("must be 1 to {most}")));
        }
        for (i, text) in self.texts.iter().enumerate() {
            if text.trim().is_empty() || text.len() > MAX_TEXT {
                let problem = format!("must have 1 to {MAX_TEXT} bytes, not only space");
                return Err(Invalid::new(format!("texts[{i}]"), problem));
            }
        }
        if self.texts.iter().map(String::len).sum::<usize>() > MAX_BYTES {
            let problem = format!("are over {} KB together; make two rules", MAX_BYTES / 1024);
            return Err(Invalid::new("texts", problem));
        }
        let finder = Finder::of(self)?;
        if let Finder::Regex(set) = &finder
            && let Some(first) = set.matches("").iter().next()
        {
            let problem = "matches the empty text, which is in every request: nobody could ask anything";
            return Err(Invalid::new(format!("texts[{first}]"), problem));
        }
        Ok(())
    }
}

impl Finder {
    fn of(rule: &WordRule) -> Result<Self, Invalid> {
        let folded = rule.texts.iter().map(|text| fold(text));
        let refused =
            |error: &dyn fmt::Display| Invalid::new("texts", format!("cannot be looked for: {error}"));
        Ok(match rule.matching {
            Matching::Exact => Self::Exact(folded.map(|text| text.trim().to_owned()).collect()),
            Matching::Contains => Self::Contains(AhoCorasick::new(folded).map_err(|error| refused(&error))?),
            Matching::Regex => {
                let set = RegexSetBuilder::new(&rule.texts).size_limit(REGEX_BYTES).build();
                Self::Regex(set.map_err(|error| refused(&error))?)
            }
        })
    }

    fn is_in(&self, text: &str, folded: &mut Option<String>) -> bool {
        match self {
            Self::Exact(texts) => texts.contains(folded.get_or_insert_with(|| fold(text)).trim()),
            Self::Contains(finder) => finder.is_match(folded.get_or_insert_with(|| fold(text)).as_str()),
            Self::Regex(set) => set.is_match(text),
        }
    }
}

/// In any case is the same: letter by letter in lower case.
fn fold(text: &str) -> String {
    text.to_lowercase()
}

impl Words {
    /// Compiles the enabled rules; those that `held` has already are taken from there.
    pub fn new(rules: impl IntoIterator<Item = Arc<WordRule>>, held: &Self) -> Self {
        let compiled = |rule: Arc<WordRule>| {
            let known = held.0.iter().find(|known| known.rule == rule);
            if let Some(known) = known {
                return Some(Arc::clone(known));
            }
            // Rules are validated before, by the same compilation.
            let finder = Finder::of(&rule).ok()?;
            Some(Arc::new(Compiled { rule, finder }))
        };
        let rules = rules.into_iter().filter(|rule| rule.enabled);
        Self(rules.filter_map(compiled).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first rule with something that this text contains.
    pub fn find(&self, text: &str) -> Option<&WordRule> {
        let mut folded = None;
        let found = self
            .0
            .iter()
            .find(|compiled| compiled.finder.is_in(text, &mut folded));
        found.map(|compiled| &*compiled.rule)
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        let rules = |words: &Self| -> Vec<Arc<WordRule>> {
            words
                .0
                .iter()
                .map(|compiled| Arc::clone(&compiled.rule))
                .collect()
        };
        rules(self) == rules(other)
    }
}

impl Eq for Words {}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled")
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(matching: Matching, texts: &[&str]) -> WordRule {
        WordRule {
            name: matching.as_str().to_owned(),
            enabled: true,
            matching,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn found(rule: WordRule, text: &str) -> bool {
        assert_eq!(rule.validate(), Ok(()));
        let words = Words::new([Arc::new(rule)], &Words::default());
        words.find(text).is_some()
    }

    #[test]
    fn g12_each_sort_of_matching_finds_its_own() {
        let exact = |text| found(rule(Matching::Exact, &["Drop Table"]), text);
        assert!(exact("drop table") && exact(" DROP TABLE\n") && !exact("drop table users"));
        let contains = |text| found(rule(Matching::Contains, &["Straße", "acme"]), text);
        assert!(contains("in der STRASSE? nein, STRAßE") && contains("about ACME Inc") && !contains("acm e"));
        let regex = |text| {
            found(
                rule(Matching::Regex, &[r"\bsk-[a-z0-9]{8}\b", "(?i)top secret"]),
                text,
            )
        };
        assert!(regex("key sk-abcd1234 here") && regex("TOP Secret") && !regex("SK-ABCD1234"));
    }

    #[test]
    fn g12_only_enabled_rules_are_looked_for_and_compiled_once() {
        let on = Arc::new(rule(Matching::Contains, &["a"]));
        let off = Arc::new(WordRule {
            enabled: false,
            ..rule(Matching::Contains, &["b"])
        });
        let first = Words::new([Arc::clone(&on), off], &Words::default());
        assert!(first.find("a").is_some() && first.find("b").is_none());
        let second = Words::new([on], &first);
        assert!(Arc::ptr_eq(&first.0[0], &second.0[0]));
        assert!(Words::default().is_empty());
    }

    #[test]
    fn g12_what_cannot_be_looked_for_is_refused() {
        for (bad, field) in [
            (rule(Matching::Contains, &[]), "texts"),
            (rule(Matching::Contains, &["a", " "]), "texts[1]"),
            (rule(Matching::Regex, &["("]), "texts"),
            (rule(Matching::Regex, &[r"\w{1000}{1000}"]), "texts"),
            (rule(Matching::Regex, &["secret", "x*"]), "texts[1]"),
            (rule(Matching::Regex, &["(secret)?"]), "texts[0]"),
            (rule(Matching::Exact, &[&"x".repeat(2000)]), "texts[0]"),
        ] {
            assert_eq!(bad.validate().unwrap_err().field, field);
        }
    }
}
