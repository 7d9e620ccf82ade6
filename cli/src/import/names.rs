//! Their names in our characters. Other gateways take any text; ours stand in command lines, URLs and labels.

use std::collections::BTreeSet;

use penstock_core::name;
use sha2::{Digest, Sha256};

const MAX: usize = 64;

/// The nearest valid name; of nothing but other letters what `otherwise` says.
pub(crate) fn nearest(text: &str, otherwise: &str) -> String {
    near(text, otherwise, "._-", |name| name::check("name", name).is_ok())
}

/// The same for users, who can be called by their e-mail addresses.
pub(crate) fn nearest_user(text: &str, otherwise: &str) -> String {
    near(text, otherwise, "._-@+", |name| {
        name::check_user("name", name).is_ok()
    })
}

/// A name that no other text has: the text itself where it is valid, else the nearest one with a mark of the text. What two
/// groups or users may do must not become one because their names are written in other letters.
pub(crate) fn distinct(text: &str, otherwise: &str) -> String {
    marked(text, nearest(text, otherwise))
}

/// The same for users.
pub(crate) fn distinct_user(text: &str, otherwise: &str) -> String {
    marked(text, nearest_user(text, otherwise))
}

fn marked(text: &str, near: String) -> String {
    if near == text.trim() {
        return near;
    }
    let mark = hex::encode(Sha256::digest(text.trim()));
    let (mark, room) = (mark.get(..6).unwrap_or_default(), MAX - 7);
    let short: String = near.chars().take(room).collect();
    format!("{short}-{mark}")
}

/// Names that were given already.
#[derive(Debug, Default)]
pub(crate) struct Given(BTreeSet<String>);

impl Given {
    /// The name, or when it is taken the name with the id of the record, or when that is taken too with a number.
    pub(crate) fn take(&mut self, name: String, id: &str) -> String {
        let id: String = nearest(id, "other").chars().take(MAX / 2).collect();
        let with = |end: &str| {
            let room = MAX.saturating_sub(end.len() + 1);
            let short: String = name.chars().take(room).collect();
            format!("{short}-{end}")
        };
        let numbered = (2_u64..).map(|number| with(&format!("{id}-{number}")));
        let mut names = [name.clone(), with(&id)].into_iter().chain(numbered);
        let free = names.find(|name| !self.0.contains(name)).unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

fn near(text: &str, otherwise: &str, extra: &str, valid: impl Fn(&str) -> bool) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    let mut name = String::new();
    for c in text.trim().chars() {
        match allowed(c) {
            true => name.push(c),
            false if !name.ends_with('-') => name.push('-'),
            false => {}
        }
    }
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let name: String = name.chars().take(MAX).collect();
    match valid(&name) {
        true => name,
        false => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a03_names_keep_what_they_can() {
        assert_eq!(nearest("Main Account (EU)", "x"), "Main-Account-EU");
        assert_eq!(nearest("张三的 key 2", "x"), "key-2");
        assert_eq!(nearest("张三", "key-17"), "key-17");
        assert_eq!(nearest_user("ann@acme.example", "x"), "ann@acme.example");
        assert_eq!(nearest("0198c0de-0000-7000-8000-000000000001", "key-1"), "key-1");
    }

    #[test]
    fn a03_groups_of_other_letters_stay_apart() {
        assert_eq!(distinct("research", "group"), "research");
        let names = ["研发", "市场", "研发-A", "市场-A", "A"].map(|text| distinct(text, "group"));
        assert!(
            names.iter().all(|name| name::check("name", name).is_ok()),
            "{names:?}"
        );
        assert_eq!(BTreeSet::from(names.clone()).len(), names.len(), "{names:?}");
        assert_ne!(distinct_user("ann smith", "x"), distinct_user("ann-smith", "x"));
    }

    #[test]
    fn a03_two_of_one_name_differ_by_their_ids() {
        let mut given = Given::default();
        assert_eq!(given.take("main".into(), "1"), "main");
        assert_eq!(given.take("main".into(), "2"), "main-2");
        assert_eq!(
            given.take("main".into(), "2"),
            "main-2-2",
            "that one is taken too"
        );
        let long = "x".repeat(64);
        assert_eq!(given.take(long.clone(), "3"), long);
        let other = given.take(long, "4");
        assert!(
            other.ends_with("x-4") && name::check("name", &other).is_ok(),
            "{other}"
        );
    }
}
